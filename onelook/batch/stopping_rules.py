"""When a run stops by itself: so that a dead server or a wrong option does not fail a hundred thousand pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from onelook.batch.entries import UNFIT_ENGINE
from onelook.errors import SettingsError
from onelook.result import TagResult

FEWEST_FOR_SHARE: Final = 50
"""Before so many pictures are done, a share says little."""

FEWEST_IN_A_ROW: Final = 20


@dataclass(frozen=True, slots=True)
class MaxFailures:
    """The most pictures that may fail in a run: their number, or their share (0 to 1) of those that are done."""

    number: int | None = None
    share: float | None = None

    @classmethod
    def parse(cls, text: str) -> MaxFailures:
        """Raises `SettingsError` for anything but `100` or `5%`."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", text.strip())
        if found is None or (not found[2] and "." in found[1]) or (found[2] and float(found[1]) > 100):
            raise SettingsError(
                f"--max-failures {text}: neither a number nor a share", hint="write 100 for so many pictures, or 5%"
            )
        return cls(share=float(found[1]) / 100) if found[2] else cls(number=int(found[1]))

    def exceeded(self, failed: int, done: int) -> bool:
        if self.number is not None:
            return failed > self.number
        return self.share is not None and done >= FEWEST_FOR_SHARE and failed > self.share * done


class StoppingRules:
    """Told of each outcome; `reason` is why the run should stop, once it should."""

    def __init__(self, max_failures: MaxFailures | None, concurrency: int) -> None:
        self.reason: str | None = None
        self._max_failures = max_failures or MaxFailures()
        self._most_in_a_row = max(FEWEST_IN_A_ROW, 2 * concurrency)
        self._failed = self._done = self._in_a_row = 0

    def see(self, result: TagResult) -> None:
        self._done += 1
        failed = result.status == "failed"
        self._failed += failed
        if not failed:
            self._in_a_row = 0
        elif result.errors and result.errors[-1].kind in UNFIT_ENGINE:
            self._in_a_row += 1
        if self.reason is not None:
            return
        if self._max_failures.exceeded(self._failed, self._done):
            self.reason = f"{self._failed} of {self._done} pictures failed, more than --max-failures allows"
        elif self._in_a_row >= self._most_in_a_row:
            self.reason = (
                f"the engine failed for {self._in_a_row} pictures in a row, the last time so:"
                f" {result.errors[-1].message}"
            )
