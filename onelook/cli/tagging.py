"""Pictures that are tagged for a person: a progress bar, and what is done when a signal ends the run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from onelook.answering.bug import BUG
from onelook.cli.bug_traces import keep_bug_traces
from onelook.cli.notes import print_note
from onelook.cli.stopping import Stopped, leave, run_until_stopped
from onelook.cli.summary import summary
from onelook.demo.checkpoint import demo_note
from onelook.images.walk import Found
from onelook.result import TagResult
from onelook.tagger import Tagger
from onelook.types import Context, Subject

if TYPE_CHECKING:
    from rich.progress import Progress


class Tagging:
    """The pictures of one run under a progress bar, and the results so far: `done`, by index."""

    def __init__(self, tagger: Tagger, context: Context, subjects: list[Subject]) -> None:
        self.done: dict[int, TagResult] = {}
        self._tagger, self._context, self._subjects = tagger, context, subjects
        self._traces: Path | None = None
        self._bar: Progress | None = None
        self._started: float | None = None
        self._ended: float | None = None
        self._keeping = threading.Lock()

    @property
    def seconds(self) -> float:
        """From the first picture to the end, or to now."""
        return 0.0 if self._started is None else (self._ended or time.monotonic()) - self._started

    def until_stopped(self, on_result: Callable[[int, TagResult], None] = lambda *_: None) -> Stopped | None:
        """Tag every picture, or those that are done when a signal comes, and hand each result to `on_result`."""
        self._traces = keep_bug_traces()
        try:
            run_until_stopped(self._run(on_result))
        except Stopped as stopped:
            self._end()
            print_note(f"interrupted: {len(self.done)} of {len(self._subjects)} are done")
            return stopped
        return None

    def finish(self, found: Found, stopped: Stopped | None) -> NoReturn:
        """Print what the run came to, and end the command with the exit code that `onelook tag --help` describes."""
        if any(error.kind == BUG for result in self.done.values() for error in result.errors):
            print_note(f"onelook has a bug: {self._traces} has the stack trace. Please report it.")
        statuses = [result.status for result in self.done.values()]
        for line in summary(statuses, self.seconds, found):
            print_note(line)
        if stopped is not None:
            leave(stopped)
        raise typer.Exit(1 if "failed" in statuses or found.closed else 0)

    async def _run(self, on_result: Callable[[int, TagResult], None]) -> None:
        from onelook.cli.console import progress, waiting

        async with (tagger := self._tagger):
            if note := demo_note(tagger.services.settings, tagger.services.prompts):
                print_note(note.text("terminal"))
            with waiting("starting the engine"):
                await tagger.start(self._context)
            if stale := tagger.calibration_note(self._context):
                print_note(stale)
            self._started = time.monotonic()
            with progress(tagger.waiting) as self._bar:
                task = self._bar.add_task("tagging", total=len(self._subjects))
                async for index, result in tagger.tag_many(self._subjects, self._context):
                    self._keep(index, result, on_result)
                    self._bar.advance(task)
            self._ended = time.monotonic()

    def _keep(self, index: int, result: TagResult, on_result: Callable[[int, TagResult], None]) -> None:
        with self._keeping:
            if self._ended is None:
                self.done[index] = result
                on_result(index, result)

    def _end(self) -> None:
        """No result is kept or handed over after this, and no bar drawn, though the run may go on in its thread."""
        from onelook.cli.console import at_terminal, err

        with self._keeping:
            self._ended = self._ended or time.monotonic()
        if self._bar is not None:
            self._bar.stop()
        if at_terminal():
            err.show_cursor()  # hidden too while the engine starts
