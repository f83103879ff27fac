"""Many runs at once, some of whose questions can wait until all the others are through."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from contextvars import ContextVar
from functools import partial
from typing import TypeVar

T = TypeVar("T")
Item = TypeVar("Item")

MAX_DEFERRED = 256
"""A run that waits keeps its prepared pictures, some 100 kB each; so many of them fill one turn of the other model."""


class Slot:
    """What one run has of its batch: a place at work, until it puts a question off; and again afterwards."""

    def __init__(self) -> None:
        self.held = True
        self.late = False


_place: ContextVar[tuple[RunPool, Slot] | None] = ContextVar("onelook_place", default=None)


async def barrier() -> None:
    """Return when the other runs of this batch have ended or wait here too. Outside of a batch, and the second time
    in the same run, return at once."""
    if (mine := _place.get()) is not None:
        batch, place = mine
        await batch.defer(place)


class RunPool:
    """Runs of one batch, at most `places` of them at work. One that puts a question off gives its place to the next.

    When all have ended or wait, or `max_deferred` wait, those are let on before any new run begins.
    """

    def __init__(self, places: int, *, max_deferred: int = MAX_DEFERRED) -> None:
        self._places = places
        self._max_deferred = max_deferred
        self._at_work = 0
        self._deferred: deque[tuple[Slot, asyncio.Future[None]]] = deque()
        self._moved = asyncio.Event()

    async def defer(self, place: Slot) -> None:
        if place.late:
            return
        place.late = True
        released: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._deferred.append((place, released))
        self._give_up(place)
        await released

    async def results(self, runs: Iterable[Callable[[], Awaitable[T]]]) -> AsyncGenerator[T]:
        """What each run returns, as soon as it does. Closing this iterator cancels the runs that are under way."""
        waiting = iter(runs)
        running: set[asyncio.Task[T]] = set()
        releasing = False
        try:
            while True:
                self._moved.clear()
                releasing = releasing and (self._at_work > 0 or len(self._deferred) > 0)
                if not releasing:
                    while self._room() and (run := next(waiting, None)) is not None:
                        self._at_work += 1
                        running.add(asyncio.create_task(self._at_a_place(run)))
                    releasing = self._at_work == 0 and len(self._deferred) > 0
                if releasing:
                    self._release()
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
        return self._at_work < self._places and len(self._deferred) < self._max_deferred

    async def _at_a_place(self, run: Callable[[], Awaitable[T]]) -> T:
        place = Slot()
        _place.set((self, place))
        try:
            return await run()
        finally:
            self._give_up(place)

    def _give_up(self, place: Slot) -> None:
        if place.held:
            place.held = False
            self._at_work -= 1
            self._moved.set()

    def _release(self) -> None:
        while self._deferred and self._at_work < self._places:
            place, released = self._deferred.popleft()
            place.held = True
            self._at_work += 1
            released.set_result(None)


async def as_completed(
    work: Callable[[Item], Awaitable[T]], things: Iterable[Item], *, at_once: int
) -> AsyncGenerator[tuple[int, T]]:
    """`work` on each of `things`, at most `at_once` at a time; each outcome comes out once, with its thing's index.

    Things are drawn as places become free. What `work` raises is raised here and cancels the others, as closing this
    iterator does. Work that lets the others go first (`onelook.run_pool`) gives its place up meanwhile.
    """

    async def one(index: int, thing: Item) -> tuple[int, T]:
        return index, await work(thing)

    works = (partial(one, index, thing) for index, thing in enumerate(things))
    async with aclosing(RunPool(at_once).results(works)) as outcomes:
        async for outcome in outcomes:
            yield outcome
