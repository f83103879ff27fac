"""Where the commands write: results to standard output, and everything else to standard error."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

UNFOLDED = 10_000  # columns: more than any row has

out = Console()
err = Console(stderr=True)


def in_whole_rows() -> Console:
    """For a table, a row a line: a pipe or a file has no width that it must be folded to, unless COLUMNS says so."""
    return out if sys.stdout.isatty() or os.environ.get("COLUMNS") else Console(width=UNFOLDED)


def progress() -> Progress:
    """A bar for a person who waits; a program sees nothing of it."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
