"""Many runs at once, some of whose questions can wait until all the others are through."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

MOST_PUT_OFF = 256
"""A run that waits keeps its prepared pictures, some 100 kB each; so many of them fill one turn of the other model."""


class Place:
    """What one run has of its batch: a place at work, until it puts a question off; and again afterwards."""

    def __init__(self) -> None:
        self.held = True
        self.late = False


_place: ContextVar[tuple[Batch, Place] | None] = ContextVar("onelook_place", default=None)


async def after_the_others() -> None:
    """Return when the other runs of this batch have ended or wait here too. Outside of a batch, and the second time
    in the same run, return at once."""
    if (mine := _place.get()) is not None:
        batch, place = mine
        await batch.put_off(place)


class Batch:
    """Runs of one batch, at most `places` of them at work. One that puts a question off gives its place to the next.

    When all have ended or wait, or `most_put_off` wait, those are let on before any new run begins.
    """

    def __init__(self, places: int, *, most_put_off: int = MOST_PUT_OFF) -> None:
        self._places = places
        self._most_put_off = most_put_off
        self._at_work = 0
        self._put_off: deque[tuple[Place, asyncio.Future[None]]] = deque()
        self._moved = asyncio.Event()

    async def put_off(self, place: Place) -> None:
        if place.late:
            return
        place.late = True
        let_on: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put_off.append((place, let_on))
        self._give_up(place)
        await let_on

    async def results(self, runs: Iterable[Callable[[], Awaitable[T]]]) -> AsyncGenerator[T]:
        """What each run returns, as soon as it does. Closing this iterator cancels the runs that are under way."""
        waiting = iter(runs)
        running: set[asyncio.Task[T]] = set()
        letting_on = False
        try:
            while True:
                self._moved.clear()
                letting_on = letting_on and (self._at_work > 0 or len(self._put_off) > 0)
                if not letting_on:
                    while self._room() and (run := next(waiting, None)) is not None:
                        self._at_work += 1
                        running.add(asyncio.create_task(self._at_a_place(run)))
                    letting_on = self._at_work == 0 and len(self._put_off) > 0
                if letting_on:
                    self._let_on()
                if not running:
                    return
                moved = asyncio.create_task(self._moved.wait())
                try:
                    done, _ = await asyncio.wait({*running, moved}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    moved.cancel()
                for task in done & running:
                    running.discard(task)
                    yield task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _room(self) -> bool:
        return self._at_work < self._places and len(self._put_off) < self._most_put_off

    async def _at_a_place(self, run: Callable[[], Awaitable[T]]) -> T:
        place = Place()
        _place.set((self, place))
        try:
            return await run()
        finally:
            self._give_up(place)

    def _give_up(self, place: Place) -> None:
        if place.held:
            place.held = False
            self._at_work -= 1
            self._moved.set()

    def _let_on(self) -> None:
        while self._put_off and self._at_work < self._places:
            place, let_on = self._put_off.popleft()
            place.held = True
            self._at_work += 1
            let_on.set_result(None)
