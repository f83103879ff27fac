"""Lines of a command that has other work than to print them: a reader who has gone does not end it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from onelook.cli.notes import print_note


class Lines:
    """`failed`: standard output took no more, and not because its reader has gone (`| head`)."""

    def __init__(self) -> None:
        self.failed = False
        self._closed = False

    def write(self, line: str) -> None:
        """A line to standard output, as long as it takes any."""
        if self._closed:
            return
        try:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except OSError as error:
            self._closed = True
            discard_output()
            if not isinstance(error, BrokenPipeError):
                self.failed = True
                print_note(f"standard output cannot be written: {error.strerror}; the work goes on without its lines")


def discard_output() -> None:
    """What is left in the buffer, and what comes, goes nowhere: Python would report it once more at the end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
