"""Where the commands write: results to standard output, and everything else to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

UNFOLDED = 10_000  # columns: more than any row has

out = Console()
err = Console(stderr=True)


def at_terminal() -> bool:
    """Whether standard error is a terminal. FORCE_COLOR colours a file as well, but nothing moves in a file."""
    return sys.stderr.isatty()


def waiting(words: str) -> AbstractContextManager[object]:
    """Shows `words` in motion until the block ends; a file or a program sees nothing of it."""
    return err.status(words) if at_terminal() else nullcontext()


def in_whole_rows() -> Console:
    """For a table, a row a line: a pipe or a file has no width that it must be folded to, unless COLUMNS says so."""
    return out if sys.stdout.isatty() or os.environ.get("COLUMNS") else Console(width=UNFOLDED)


class WaitingColumn(ProgressColumn):
    """Why nothing goes on, while nothing does: the server is overloaded or down."""

    def __init__(self, waiting: Callable[[], object | None]) -> None:
        super().__init__()
        self._waiting = waiting

    def render(self, task: Task) -> Text:
        waiting = self._waiting()
        return Text("" if waiting is None else f"waiting for the server ({waiting})", style="yellow")


def progress(waiting: Callable[[], object | None] = lambda: None) -> Progress:
    """A bar for a person who waits; a program sees nothing of it. `waiting`: what pictures wait for, if anything."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        WaitingColumn(waiting),
        console=err,
        transient=True,
        disable=not at_terminal(),
    )
