"""When a request may be sent to one server. It waits while the server is overloaded or down, and then goes on.

A request that a server did not take (HTTP 429 or 503, no connection) cost it nothing and changed nothing. So it waits
here and is sent again, until its caller's deadline. That is no retry of a failed attempt: those belong to the graph.

How an attempt ends, and what follows for the others (the first match counts; "fails" needs a server that has worked):

    the attempt ended with               limit    breaker  others are held    it is sent again
    an answer                            grows    closes   -                  -
    HTTP 429 or 503 (Rejected)           halves   closes   Retry-After or     yes, unless the server never worked and
                                                           a backoff          names no time; then none is held
    no connection (Rejected, down)       -        opens    until the probe    yes, if the server has worked
    another refusal (EngineRefused)      -        closes   -                  no
    no answer in time (EngineTimeout)    halves   fails    while it is open   no
    any other EngineError                -        fails    while it is open   no
    a cancellation or a bug              -        frees the probe             no

A breaker that opens sets the limit to one. An outage lasts from the first 429, 503 or failure until an answer.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from onelook.deadline import remaining_s
from onelook.engines.aimd_limit import AimdLimit
from onelook.engines.circuit_breaker import CircuitBreaker
from onelook.errors import EngineError, EngineRefused, EngineTimeout, EngineUnavailable
from onelook.ledger.model import ServerTiming

T = TypeVar("T")

log = logging.getLogger("onelook")

MAX_RETRY_AFTER_S = 120.0
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 10.0
SHORTEST_WAIT_S = 0.1  # a server that always asks for 0 seconds
JITTER = 0.1
LOG_EVERY_S = 60.0
LONG_QUEUE_S = 0.5  # in the server; shorter ones do no harm


class Rejected(Exception):
    """The server did not take the request. `error`: what its caller gets where it cannot wait.

    `reason`: in two words, for people. `retry_after_s`: what the server asked for. `down`: there was no connection.
    """

    def __init__(
        self, error: EngineError, reason: str, *, retry_after_s: float | None = None, down: bool = False
    ) -> None:
        super().__init__(error)
        self.error = error
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.down = down


def whole_s(seconds: float) -> int:
    """For people; never 0 while there is something to wait for."""
    return max(1, round(seconds))


@dataclass(frozen=True, slots=True)
class Waiting:
    """What requests wait for now: why, and the seconds until the next one is sent (None: it is on its way)."""

    reason: str
    seconds: float | None

    def __str__(self) -> str:
        return self.reason + (", trying now" if self.seconds is None else f", {whole_s(self.seconds)} s")


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why requests wait, since when, and on whose clock."""

    reason: str
    error: EngineError
    loop: asyncio.AbstractEventLoop


@dataclass(frozen=True, slots=True)
class _Permit:
    sent_s: float
    probe: bool


@dataclass(eq=False, slots=True)
class _Waiter:
    loop: asyncio.AbstractEventLoop
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        with suppress(RuntimeError):  # its loop is closed, and it with it
            self.loop.call_soon_threadsafe(self.woken.set)


class Throttle:
    """All requests to one server, in the order in which they came. Works from several event loops.

    `max_retry_after_s` caps what the server may ask for. `max_outage_s`: after so many seconds in which no request
    succeeded, requests fail instead of waiting (None: they wait). A server that has never answered a question is not
    waited for, unless it asks for that: its address may be wrong.
    """

    def __init__(
        self,
        address: str,
        *,
        max_retry_after_s: float = MAX_RETRY_AFTER_S,
        max_outage_s: float | None = None,
        limit: AimdLimit | None = None,
        breaker: CircuitBreaker | None = None,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self.address = address
        self.limit = limit or AimdLimit()
        self.breaker = breaker or CircuitBreaker(rng=rng)
        self.in_flight = 0
        self.rejections = 0
        """Requests that the server did not take."""
        self.waited_s = 0.0
        """The waits of all requests together."""
        self._max_retry_after_s = max_retry_after_s
        self._max_outage_s = math.inf if max_outage_s is None else max_outage_s
        self._rng = rng
        self._lock = Lock()
        self._queue: deque[_Waiter] = deque()
        self._cause: _Cause | None = None
        self._held_until_s = -math.inf
        self._outage_since_s: float | None = None
        self._proven = False
        self._backoff_s = FIRST_BACKOFF_S
        self._logged: tuple[str, float] = ("", -math.inf)

    @property
    def outstanding(self) -> int:
        """Requests that were sent and are not answered, and those that wait."""
        return self.in_flight + len(self._queue)

    def waiting(self) -> Waiting | None:
        """What requests wait for at this moment; None if none waits, or only for others to end. From any thread."""
        return self.pause() if self._queue else None

    def pause(self) -> Waiting | None:
        """What a request would have to wait for at this moment."""
        cause = self._cause
        if cause is None:
            return None
        if self.breaker.state == "half_open":
            return Waiting(cause.reason, None)
        left_s = self._opens_at_s() - cause.loop.time()
        return Waiting(cause.reason, left_s) if left_s > 0 else None

    async def send(self, request: Callable[[], Awaitable[T]], *, question: bool = True) -> tuple[T, float]:
        """What `request` returns, and for how many seconds it waited to be taken by the server.

        `request` raises `Rejected` where the server did not take it; it is then called again. `question`: an answer to
        it shows that the server works.

        Raises:
            EngineError: as `request` raised it; or that of the server's last rejection, where waiting for it would take
                longer than the caller's deadline or an outage may. Its `retry_after_s` then says how long.
        """
        began_s = asyncio.get_running_loop().time()
        while True:
            permit = await self._admission()
            try:
                answer = await request()
            except Rejected as rejected:
                if not self._rejected(permit, rejected):
                    raise rejected.error from None
            except EngineError as error:
                self._failed(permit, error)
                raise
            except BaseException:
                self._abandoned(permit)
                raise
            else:
                self._succeeded(permit, question=question)
                waited_s = permit.sent_s - began_s
                self.waited_s += waited_s
                return answer, waited_s

    def hold(self, seconds: float, reason: str, error: EngineError) -> None:
        """No request is sent for so many seconds, up to the cap: the server asked for it, whatever its answer was."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._hold(loop, max(min(seconds, self._max_retry_after_s), SHORTEST_WAIT_S), reason, error)

    def report_times(self, timing: ServerTiming) -> None:
        """What the server says of an answer that has just come: a long time in its own queue lowers the limit."""
        queue_s = (timing.queue_ms or 0.0) / 1000
        worked_s = ((timing.first_token_ms or 0.0) + (timing.decode_ms or 0.0)) / 1000
        if queue_s < max(LONG_QUEUE_S, worked_s):
            return
        now_s = asyncio.get_running_loop().time()
        with self._lock:
            self.limit.queueing(sent_s=now_s - queue_s - worked_s, now_s=now_s)

    async def _admission(self) -> _Permit:
        waiter = _Waiter(asyncio.get_running_loop())
        with self._lock:
            self._queue.append(waiter)
        try:
            while True:
                now_s = waiter.loop.time()
                with self._lock:
                    first = self._queue[0] is waiter
                    if first and self._free(now_s):
                        self.in_flight += 1
                        self.limit.sent(self.in_flight)
                        return _Permit(now_s, self.breaker.send(now_s))
                    opens_at_s = self._opens_at_s()
                    refusal = self._refusal(now_s, opens_at_s)
                    waiter.woken.clear()
                if refusal is not None:
                    raise refusal
                # Only the first one needs a timer. It wakes the second, and so on.
                paused = first and opens_at_s > now_s
                until_s = min(opens_at_s, self._fails_at_s()) if paused else None
                timer = asyncio.timeout_at(None if until_s == math.inf else until_s)
                try:
                    async with timer:
                        await waiter.woken.wait()
                except TimeoutError:
                    if not timer.expired():
                        raise
        finally:
            with self._lock:
                self._queue.remove(waiter)
                self._wake_first()

    def _free(self, now_s: float) -> bool:
        return now_s >= self._held_until_s and self.breaker.allows(now_s) and self.limit.allows(self.in_flight)

    def _opens_at_s(self) -> float:
        return max(self._held_until_s, self.breaker.retry_at_s if self.breaker.state == "open" else -math.inf)

    def _fails_at_s(self) -> float:
        """When those who wait give up."""
        return math.inf if self._outage_since_s is None else self._outage_since_s + self._max_outage_s

    def _refusal(self, now_s: float, opens_at_s: float) -> EngineError | None:
        """The error of a request that cannot wait for as long as it would have to."""
        if self._cause is None or opens_at_s <= now_s:
            return None
        left_s = remaining_s()
        if now_s < self._fails_at_s() and (left_s is None or now_s + left_s >= opens_at_s):
            return None
        error = self._cause.error
        return type(error)(error.message, hint=error.hint, retry_after_s=opens_at_s - now_s)

    def _succeeded(self, permit: _Permit, *, question: bool) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            self.limit.succeed(self.in_flight)
            self._count_sign_of_life(loop.time())
            self._proven = self._proven or question
            self._outage_since_s = None
            self._backoff_s = FIRST_BACKOFF_S
            if self._held_until_s <= loop.time():
                self._cause = None
            self._leave()

    def _rejected(self, permit: _Permit, rejected: Rejected) -> bool:
        """Whether the request waits, to be sent again."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        with self._lock:
            self.rejections += 1
            waits = self._proven or rejected.retry_after_s is not None
            if rejected.down:
                self._count_failure(loop, permit, rejected.error, rejected.reason, certain=True)
            else:
                self._count_sign_of_life(now_s)
                self.limit.overload(self.in_flight, sent_s=permit.sent_s, now_s=now_s)
                if waits:
                    self._begin_outage(now_s)
                    self._hold(loop, self._wait_s(rejected.retry_after_s), rejected.reason, rejected.error)
            self._leave()
            return waits

    def _failed(self, permit: _Permit, error: EngineError) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            if isinstance(error, EngineRefused):  # it read the request, so it works
                self._count_sign_of_life(loop.time())
            else:
                if isinstance(error, EngineTimeout):
                    self.limit.overload(self.in_flight, sent_s=permit.sent_s, now_s=loop.time())
                self._count_failure(loop, permit, error, _reason(error), certain=False)
            self._leave()

    def _abandoned(self, permit: _Permit) -> None:
        with self._lock:
            if permit.probe:
                self.breaker.abandon(asyncio.get_running_loop().time())
            self._leave()

    def _wait_s(self, retry_after_s: float | None) -> float:
        """How long to wait after an overload, with jitter: so that not all who wait come at the same moment."""
        if retry_after_s is not None:
            asked_s = max(min(retry_after_s, self._max_retry_after_s), SHORTEST_WAIT_S)
            return asked_s * (1 + JITTER * self._rng())
        backoff_s, self._backoff_s = self._backoff_s, min(2 * self._backoff_s, LONGEST_BACKOFF_S)
        return backoff_s * (0.5 + 0.5 * self._rng())

    def _hold(self, loop: asyncio.AbstractEventLoop, seconds: float, reason: str, error: EngineError) -> None:
        now_s = loop.time()
        self._held_until_s = max(self._held_until_s, now_s + seconds)
        self._cause = _Cause(reason, error, loop)
        logged, logged_at_s = self._logged
        if reason != logged or now_s >= logged_at_s + LOG_EVERY_S:
            self._log_wait(now_s, reason, error, self._held_until_s - now_s)
        self._wake_all()

    def _count_failure(
        self, loop: asyncio.AbstractEventLoop, permit: _Permit, error: EngineError, reason: str, *, certain: bool
    ) -> None:
        """The breaker opens, or comes nearer to it. A server that has never worked is not waited for."""
        if not self._proven:
            return
        now_s = loop.time()
        before = self.breaker.state
        self.breaker.fail(now_s, probe=permit.probe, certain=certain)
        self._begin_outage(now_s)
        if self.breaker.state != "open":
            return
        self._cause = _Cause(reason, error, loop)
        if before == "closed":
            self.limit.outage(self.in_flight, now_s=now_s)
            self._log_wait(now_s, reason, error, self.breaker.retry_at_s - now_s)
        self._wake_all()

    def _begin_outage(self, now_s: float) -> None:
        """Unless one lasts already."""
        if self._outage_since_s is None:
            self._outage_since_s = now_s

    def _count_sign_of_life(self, now_s: float) -> None:
        """The server read a request, whatever it said: the breaker closes."""
        if self.breaker.state != "closed":
            since_s = now_s if self._outage_since_s is None else self._outage_since_s
            log.warning(
                "the server answers again: %s, after %.0f s",
                self.address,
                now_s - since_s,
                extra={"fields": {"server": self.address, "seconds": round(now_s - since_s, 1)}},
            )
        self.breaker.succeed()

    def _log_wait(self, now_s: float, reason: str, error: EngineError, seconds: float) -> None:
        self._logged = (reason, now_s)
        log.warning(
            "waiting for the server (%s, %d s): %s",
            reason,
            whole_s(seconds),
            error.message,
            extra={"fields": {"server": self.address, "reason": reason, "seconds": round(seconds, 1)}},
        )

    def _leave(self) -> None:
        self.in_flight -= 1
        self._wake_first()

    def _wake_first(self) -> None:
        if self._queue:
            self._queue[0].wake()

    def _wake_all(self) -> None:
        for waiter in self._queue:
            waiter.wake()


def _reason(error: EngineError) -> str:
    if isinstance(error, EngineTimeout):
        return "no answer in time"
    return "connection lost" if isinstance(error, EngineUnavailable) else "server errors"
