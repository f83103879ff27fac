"""Notes for a person, on standard error."""

from __future__ import annotations


def print_note(note: str) -> None:
    from rich.text import Text

    from onelook.cli.console import at_terminal, err

    err.print(Text(note, style="yellow"), soft_wrap=not at_terminal())
