"""A circuit breaker in front of one server: closed while it works, open while it is down, half-open for one probe.

Plain logic, without a clock and without waiting: `now_s` is in seconds on a monotonic clock of the caller. The
libraries for asyncio (purgatory, aiobreaker) refuse calls while the circuit is open. Here requests wait, and so they
must know until when.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]

FAILURES = 5
FIRST_OPEN_S = 1.0
LONGEST_OPEN_S = 5.0  # a probe costs next to nothing
JITTER = 0.25


class CircuitBreaker:
    """Opens after `failures` failures in a row, or at once where a failure leaves no doubt.

    It stays open for `first_open_s`, twice as long after each failed probe, up to `longest_open_s`; up to a quarter is
    added at random, so that several processes do not come back at the same moment.
    """

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        first_open_s: float = FIRST_OPEN_S,
        longest_open_s: float = LONGEST_OPEN_S,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self.state: BreakerState = "closed"
        self.retry_at_s = 0.0
        """While it is open: when the probe may be sent."""
        self.opened = 0
        """How often it has opened, failed probes not counted."""
        self._failures = failures
        self._first_open_s = first_open_s
        self._longest_open_s = longest_open_s
        self._rng = rng
        self._in_a_row = 0
        self._open_s = first_open_s

    def allows(self, now_s: float) -> bool:
        """Whether a request may be sent now; while open that is the probe, and while half-open there is one."""
        return self.state == "closed" or (self.state == "open" and now_s >= self.retry_at_s)

    def send(self, now_s: float) -> bool:
        """A request is sent, as `allows` said. Whether it is the probe."""
        if self.state == "closed":
            return False
        self.state = "half_open"
        return True

    def succeed(self) -> None:
        """The server answered."""
        self.state = "closed"
        self._in_a_row = 0
        self._open_s = self._first_open_s

    def fail(self, now_s: float, *, probe: bool, certain: bool = False) -> None:
        """The server did not answer. `probe`: what `send` returned. `certain`: one such failure opens it."""
        self._in_a_row += 1
        if probe:
            self._open(now_s)
        elif self.state == "closed" and (certain or self._in_a_row >= self._failures):
            self.opened += 1
            self._open(now_s)

    def abandon(self, now_s: float) -> None:
        """The probe ended without showing anything (it was cancelled): the next request is the probe."""
        if self.state == "half_open":
            self.state, self.retry_at_s = "open", now_s

    def _open(self, now_s: float) -> None:
        self.state = "open"
        self.retry_at_s = now_s + self._open_s * (1 + JITTER * self._rng())
        self._open_s = min(2 * self._open_s, self._longest_open_s)
