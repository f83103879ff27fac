"""One model in memory at a time: which one, which questions it gets, and when it is switched.

Questions for the model in memory run at the same time. Questions for another model wait for a switch: the running
questions are answered, the model in memory leaves, the other one comes, and all questions that wait for it then start.

While others wait, the model in memory still takes new questions for as long as the last switch took. So no question
waits for ever, and under steady demand for both models at most about half of the time goes into switching.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from onelook.errors import EngineError


@runtime_checkable
class Sleepable(Protocol):
    """A model that can leave memory and come back. Its methods raise `EngineError`."""

    async def check_sleep(self) -> None:
        """Raise if it can never work, without bringing the model into memory."""

    async def sleep(self) -> None:
        """Leave memory; when this returns, the model is gone. Nothing happens if it was not there."""

    async def wake_up(self) -> None:
        """Come into memory; when this returns, the model can answer."""


@dataclass(frozen=True, slots=True)
class Waited:
    """How long a question waited, in seconds: for the other model's questions, and for the switch."""

    turn_s: float = 0.0
    switch_s: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Waiter:
    sleepable: Sleepable
    since_s: float
    admitted: asyncio.Future[Waited]


class Residency:
    """Which of `sleepables` is in memory: never more than one. For one event loop at a time.

    `resident` is None if that is not known: at the start, and after a switch that failed. The next switch then sends
    every other model to sleep before it wakes one. `switches`, `failed_switches` and `switching_s` are counters.
    """

    def __init__(self, sleepables: Sequence[Sleepable], *, clock: Callable[[], float] = time.monotonic) -> None:
        self.sleepables = tuple(sleepables)
        self.resident: Sleepable | None = None
        self.switches = 0
        self.failed_switches = 0
        self.switching_s = 0.0
        self._clock = clock
        self._holders = 0
        self._waiters: list[Waiter] = []
        self._switch: asyncio.Task[None] | None = None
        self._last_switch_s = 0.0
        self._closed_from_s = 0.0  # after that, new questions for the resident wait behind those for others

    async def enter(self, sleepable: Sleepable) -> Waited:
        """Return when `sleepable` is in memory. It stays there until `leave`, which must follow.

        Raises:
            EngineError: the switch to it failed.
        """
        if (
            self._switch is None
            and sleepable is self.resident
            and (not self._waiters or self._clock() < self._closed_from_s)
        ):
            self._holders += 1
            return Waited()
        waiter = Waiter(sleepable, self._clock(), asyncio.get_running_loop().create_future())
        if not self._waiters:
            self._closed_from_s = waiter.since_s + self._last_switch_s
        self._waiters.append(waiter)
        self._next()
        try:
            return await waiter.admitted
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
                self._next()
            elif not waiter.admitted.cancelled() and waiter.admitted.exception() is None:
                self.leave()  # admitted at the moment it was cancelled
            raise

    def leave(self) -> None:
        """A question that entered is answered."""
        self._holders -= 1
        self._next()

    async def settle(self) -> None:
        """Return when no switch is running."""
        if self._switch is not None:
            await asyncio.wait([self._switch])

    def _next(self) -> None:
        if self._switch is not None or self._holders or not self._waiters:
            return
        following = self._waiters[0].sleepable
        if following is self.resident:
            self._admit(following, 0.0)
        else:
            self._switch = asyncio.create_task(self._switch_to(following))

    async def _switch_to(self, sleepable: Sleepable) -> None:
        began_s = self._clock()
        self.resident = None
        try:
            for other in self.sleepables:
                if other is not sleepable:
                    await other.sleep()
            await sleepable.wake_up()
        except asyncio.CancelledError:
            self._switch = None
            raise
        except Exception as error:  # noqa: BLE001 the questions that wait for the switch raise it
            self.failed_switches += 1
            self._switch = None
            self._refuse(sleepable, error)
        else:
            self.resident = sleepable
            self._last_switch_s = self._clock() - began_s
            self.switches += 1
            self.switching_s += self._last_switch_s
            self._switch = None
            self._admit(sleepable, self._last_switch_s)
        self._next()

    def _admit(self, sleepable: Sleepable, switch_s: float) -> None:
        now_s = self._clock()
        for waiter in self._taken(sleepable):
            waited_s = now_s - waiter.since_s
            switching_s = min(waited_s, switch_s)
            waiter.admitted.set_result(Waited(waited_s - switching_s, switching_s))
            self._holders += 1
        self._closed_from_s = now_s + self._last_switch_s

    def _refuse(self, sleepable: Sleepable, error: Exception) -> None:
        for waiter in self._taken(sleepable):
            waiter.admitted.set_exception(_in_a_switch(error))

    def _taken(self, sleepable: Sleepable) -> list[Waiter]:
        """The waiters for `sleepable`, taken out of the queue, without those that were cancelled at this moment."""
        mine = [waiter for waiter in self._waiters if waiter.sleepable is sleepable]
        self._waiters = [waiter for waiter in self._waiters if waiter.sleepable is not sleepable]
        return [waiter for waiter in mine if not waiter.admitted.done()]


def _in_a_switch(error: Exception) -> Exception:
    if not isinstance(error, EngineError):
        return error
    message = f"the switch of models failed: {error.message}"
    return type(error)(message, hint=error.hint, retry_after_s=error.retry_after_s)
