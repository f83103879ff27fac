"""How fast pictures are done, and when the last will be, with how far that can be off."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

BIN_S: Final = 5.0
BINS: Final = 120
"""Ten minutes: long enough for a steady figure, short enough to follow a server that slows down."""

FEWEST_BINS: Final = 4
Z_95: Final = 1.96


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds until the last picture is done; `soonest` and `latest` span 95 % where the pace stays as it is."""

    seconds: float
    soonest: float | None
    latest: float | None


class Rate:
    """Counts what is done in bins of five seconds. `now_s`: a monotonic clock."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._began_s = now_s()
        self._bins: deque[int] = deque([0], maxlen=BINS)
        self._bin = 0

    def count(self) -> None:
        self._roll()
        self._bins[-1] += 1

    def per_second(self) -> float:
        """Pictures a second in the last ten minutes."""
        self._roll()
        seconds = self._now_s() - self._began_s
        whole = min(seconds, (len(self._bins) - 1) * BIN_S + (seconds - self._bin * BIN_S))
        return sum(self._bins) / whole if whole > 0 else 0.0

    def eta(self, remaining: int) -> Eta | None:
        """None while nothing is done. The interval comes from the spread of the bins (standard error of their mean)."""
        rate = self.per_second()
        if rate <= 0:
            return None
        seconds = remaining / rate
        whole = list(self._bins)[:-1]
        if len(whole) < FEWEST_BINS:
            return Eta(seconds, None, None)
        mean = sum(whole) / len(whole)
        variance = sum((each - mean) ** 2 for each in whole) / (len(whole) - 1)
        error = Z_95 * math.sqrt(variance / len(whole)) / BIN_S
        return Eta(seconds, remaining / (rate + error), remaining / (rate - error) if rate > error else None)

    def _roll(self) -> None:
        now = int((self._now_s() - self._began_s) / BIN_S)
        for _ in range(min(now - self._bin, BINS)):
            self._bins.append(0)
        self._bin = now
