"""A limit of requests in flight that follows what a server can take: additive increase, multiplicative decrease.

TCP's congestion control (RFC 5681) on requests in place of packets. Plain logic, without a clock and without waiting.
Rate limiters (aiolimiter, pyrate-limiter) keep a rate that somebody knows beforehand; a server's is not known.
"""

from __future__ import annotations

import math

DECREASE = 0.5

# A queue inside the server loses nothing, so the limit only follows it down: halving it would leave the server idle.
QUEUE_DECREASE = 0.85


class AimdLimit:
    """There is no limit until the server is overloaded for the first time; `ceiling` is the most there may be.

    After an overload the limit is half of what was in flight, and grows by one for each round of answers. After an
    outage it begins at one, and grows by one for each answer up to half of what the server took before (slow start).
    Overloads of requests that were sent before the last decrease are the same event, and do not lower it again.
    """

    def __init__(self, *, ceiling: float = math.inf) -> None:
        self.current = ceiling
        self.lowered = 0
        """How often an overload has lowered it."""
        self._ceiling = ceiling
        self._peak = 1
        self._slow_start_below = 1.0
        self._lowered_at_s = -math.inf

    def sent(self, in_flight: int) -> None:
        """A request was sent, one of those `in_flight`."""
        self._peak = max(self._peak, in_flight)

    def allows(self, in_flight: int) -> bool:
        """Whether one more request may be sent beside those `in_flight`."""
        return in_flight + 1 <= self.current

    def succeed(self, in_flight: int) -> None:
        """An answer came. `in_flight` includes its request: a limit of which less than half is used does not grow."""
        if 2 * in_flight >= self.current:
            step = 1.0 if self.current < self._slow_start_below else 1 / self.current
            self.current = min(self.current + step, self._ceiling)

    def overload(self, in_flight: int, *, sent_s: float, now_s: float) -> None:
        """The server was overloaded by a request that was sent at `sent_s`, one of those `in_flight`."""
        if sent_s < self._lowered_at_s:
            return
        self._lowered_at_s = now_s
        self.lowered += 1
        self.current = self._slow_start_below = max(1.0, min(self.current, in_flight) * DECREASE)

    def queueing(self, *, sent_s: float, now_s: float) -> None:
        """A request that was sent at `sent_s` waited in the server's own queue for most of its time.

        What counts is the most that was in flight since the limit was lowered before: a server that batches answers
        many at once, so that few are when the first of them reports it.
        """
        if sent_s < self._lowered_at_s:
            return
        self._lowered_at_s = now_s
        self.lowered += 1
        self.current = self._slow_start_below = max(1.0, min(self.current, self._peak) * QUEUE_DECREASE)
        self._peak = 1

    def outage(self, in_flight: int, *, now_s: float) -> None:
        """The server is down."""
        self._lowered_at_s = now_s
        self._slow_start_below = max(1.0, min(self.current, in_flight) * DECREASE)
        self.current = 1.0
