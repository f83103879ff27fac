"""Many runs at once; a run can defer its question until all other runs have ended or deferred theirs."""

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
"""A deferred run keeps its prepared pictures, about 100 kB each; so many are enough for a turn of the specialist."""


class Slot:
    """One run's slot in its pool. A run gives it up while its question is deferred."""

    def __init__(self) -> None:
        self.held = True
        self.deferred = False


_current: ContextVar[tuple[RunPool, Slot] | None] = ContextVar("onelook_run_slot", default=None)


async def barrier() -> None:
    """Return when all other runs of this pool have ended or wait here too. Outside of a pool, and the second time in
    the same run, return at once."""
    if (current := _current.get()) is not None:
        pool, slot = current
        await pool.defer(slot)


class RunPool:
    """Runs of one batch, at most `slots` of them active. A run that defers its question frees its slot for the next.

    When all runs have ended or wait, or `max_deferred` wait, the deferred ones are released before a new run begins.
    """

    def __init__(self, slots: int, *, max_deferred: int = MAX_DEFERRED) -> None:
        self._slots = slots
        self._max_deferred = max_deferred
        self._active = 0
        self._deferred: deque[tuple[Slot, asyncio.Future[None]]] = deque()
        self._changed = asyncio.Event()

    async def defer(self, slot: Slot) -> None:
        if slot.deferred:
            return
        slot.deferred = True
        released: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._deferred.append((slot, released))
        self._give_up(slot)
        await released

    async def results(self, runs: Iterable[Callable[[], Awaitable[T]]]) -> AsyncGenerator[T]:
        """The result of each run, as soon as it ends. Closing this iterator cancels the runs that are active."""
        waiting = iter(runs)
        running: set[asyncio.Task[T]] = set()
        releasing = False
        try:
            while True:
                self._changed.clear()
                releasing = releasing and (self._active > 0 or len(self._deferred) > 0)
                if not releasing:
                    while self._has_room() and (run := next(waiting, None)) is not None:
                        self._active += 1
                        running.add(asyncio.create_task(self._in_slot(run)))
                    releasing = self._active == 0 and len(self._deferred) > 0
                if releasing:
                    self._release()
                if not running:
                    return
                changed = asyncio.create_task(self._changed.wait())
                try:
                    done, _ = await asyncio.wait({*running, changed}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    changed.cancel()
                for task in done & running:
                    running.discard(task)
                    yield task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _has_room(self) -> bool:
        return self._active < self._slots and len(self._deferred) < self._max_deferred

    async def _in_slot(self, run: Callable[[], Awaitable[T]]) -> T:
        slot = Slot()
        _current.set((self, slot))
        try:
            return await run()
        finally:
            self._give_up(slot)

    def _give_up(self, slot: Slot) -> None:
        if slot.held:
            slot.held = False
            self._active -= 1
            self._changed.set()

    def _release(self) -> None:
        while self._deferred and self._active < self._slots:
            slot, released = self._deferred.popleft()
            slot.held = True
            self._active += 1
            released.set_result(None)


async def as_completed(
    work: Callable[[Item], Awaitable[T]], items: Iterable[Item], *, at_once: int
) -> AsyncGenerator[tuple[int, T]]:
    """`work` on each of `items`, at most `at_once` at a time; yields each outcome with the index of its item.

    Items are drawn as slots become free. An exception from `work` is raised here and cancels the others, as closing
    this iterator does. Work that waits at the `barrier` frees its slot meanwhile.
    """

    async def one(index: int, item: Item) -> tuple[int, T]:
        return index, await work(item)

    runs = (partial(one, index, item) for index, item in enumerate(items))
    async with aclosing(RunPool(at_once).results(runs)) as outcomes:
        async for outcome in outcomes:
            yield outcome
