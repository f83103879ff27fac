"""How far a batch is, in one line: for the terminal that runs it, and for one that watches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from onelook.batch.progress import Progress
from onelook.cli.console import at_terminal, err, waiting
from onelook.cli.durations import duration, eta_text, rate, short
from onelook.cli.notes import print_note

EVERY_S: Final = 0.5
LOG_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a million tokens, in any currency; None: not known."""

    prompt: float | None = None
    completion: float | None = None

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        if self.prompt is None and self.completion is None:
            return None
        return (prompt_tokens * (self.prompt or 0) + completion_tokens * (self.completion or 0)) / 1e6


def counts_text(progress: Progress, prices: Prices) -> str:
    tokens = progress.prompt_tokens + progress.completion_tokens
    parts = [f"{progress.ok:,} ok", f"{progress.needs_review:,} to review", f"{progress.failed:,} failed"]
    if progress.pointed:
        parts.append(f"{progress.pointed:,} of the same bytes")
    if tokens:
        parts.append(f"{short(tokens)} tokens")
    cost = prices.cost(progress.prompt_tokens, progress.completion_tokens)
    if cost is not None:
        parts.append(f"cost {cost:.2f}")
    return ", ".join(parts)


def line(progress: Progress, prices: Prices) -> str:
    """For a log: everything, in one line."""
    parts = [f"{progress.done:,} of {progress.todo:,}", rate(progress.per_second)]
    if progress.remaining and (eta := eta_text(progress.eta)):
        parts.append(f"{eta} left")
    parts.append(counts_text(progress, prices))
    if progress.waiting:
        parts.append(f"waiting for the server ({progress.waiting})")
    return "; ".join(parts)


def totals(progress: Progress, prices: Prices) -> str:
    """The end of a run."""
    speed = f", {rate(progress.done / progress.seconds)}" if progress.seconds > 0 and progress.done else ""
    plural = "" if progress.done == 1 else "s"
    took = duration(progress.seconds)
    return f"{progress.done:,} picture{plural} in {took}{speed}: {counts_text(progress, prices)}"


def drawing(progress: Progress, prices: Prices) -> Group:
    """For a terminal: a bar and two short lines, which fit 50 columns."""
    first = Text.assemble(
        (f"{progress.done:,}", "bold"),
        f" of {progress.todo:,}  {rate(progress.per_second)}",
        f"  {eta_text(progress.eta)}" if progress.remaining else "",
    )
    shown: list[RenderableType] = [
        ProgressBar(total=max(progress.todo, 1), completed=progress.done),
        first,
        Text(counts_text(progress, prices), style="dim"),
    ]
    if progress.waiting:
        shown.append(Text(f"waiting for the server ({progress.waiting})", style="yellow"))
    return Group(*shown)


class ProgressLine:
    """Redrawn twice a second in a terminal; elsewhere a line a minute, so that a log shows that it goes on."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._live: Live | None = None
        self._note: str | None = None
        self._ended = threading.Event()

    @contextmanager
    def starting(self) -> Iterator[None]:
        with waiting("starting the engine"):
            yield

    @contextmanager
    def following(self, progress: Callable[[], Progress]) -> Iterator[None]:
        def show() -> Group:
            shown = drawing(progress(), self._prices)
            return shown if self._note is None else Group(shown, Text(self._note, style="yellow"))

        if at_terminal():
            self._live = Live(get_renderable=show, console=err, refresh_per_second=1 / EVERY_S, transient=True)
            try:
                with self._live:
                    yield
            finally:
                self._live = None
            return
        threading.Thread(target=self._log, args=(progress,), name="onelook-progress", daemon=True).start()
        try:
            yield
        finally:
            self._ended.set()

    def _log(self, progress: Callable[[], Progress]) -> None:
        while not self._ended.wait(LOG_EVERY_S):
            print_note(line(progress(), self._prices))

    def note(self, text: str) -> None:
        """Shown below the bar, or as a line of its own."""
        self._note = text
        if self._live is None:
            print_note(text)

    def stop(self) -> None:
        """Draw nothing more, though the run may go on in its thread."""
        self._ended.set()
        if self._live is not None:
            self._live.stop()
        if at_terminal():
            err.show_cursor()
