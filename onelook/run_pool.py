"""Many runs at once. Some prepare while others ask, and a run can defer its question until all others have ended or
deferred theirs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing, suppress
from contextvars import ContextVar
from functools import partial
from typing import TypeVar

from onelook.ledger.stamps import span

T = TypeVar("T")
Item = TypeVar("Item")

MAX_DEFERRED = 256
"""A deferred run keeps its prepared pictures, about 100 kB each; so many are enough for a turn of the specialist."""


class Slot:
    """One run's slot in its pool. A run gives it up while its question is deferred."""

    def __init__(self) -> None:
        self.held = True
        self.deferred = False
        self.asking = False
        """Until it ends or defers its question."""
        self.preparing = False
        """From its turn to prepare until it may ask, ends or defers its question."""


_current: ContextVar[tuple[RunPool, Slot] | None] = ContextVar("onelook_run_slot", default=None)


async def barrier() -> None:
    """Return when all other runs of this pool have ended or wait here too. Outside of a pool, and the second time in
    the same run, return at once."""
    if (current := _current.get()) is not None:
        pool, slot = current
        await pool.defer(slot)


async def may_prepare() -> None:
    """Return when fewer than `preparing` runs of this pool prepare. Outside of a pool, return at once.

    Where all prepared at the same time, the first question would wait for the last preparation.
    """
    if (current := _current.get()) is not None:
        pool, slot = current
        await pool.begin_preparing(slot)


async def may_ask() -> None:
    """Return when this run may put its first question: fewer than `slots` of its pool have done so and go on. Outside
    of a pool, and from the second question on, return at once."""
    if (current := _current.get()) is None:
        return
    pool, slot = current
    pool.end_preparing(slot)
    if not slot.asking and not slot.deferred:
        if pool.questions.locked():
            with span("wait"):
                await pool.begin_asking(slot)
        else:
            await pool.begin_asking(slot)


class RunPool:
    """Runs of one batch, at most `slots` of them from their first question on, and `ahead` more that prepare theirs, so
    that no engine waits for that; `preparing` (None: all) of those that wait for their turn do so at once. A run that
    defers its question frees its slot for the next.

    When all runs have ended or wait, or `max_deferred` wait, the deferred ones are released before a new run begins.
    """

    def __init__(
        self, slots: int, *, ahead: int = 0, preparing: int | None = None, max_deferred: int = MAX_DEFERRED
    ) -> None:
        self.questions = asyncio.Semaphore(slots)
        self.asking = 0
        """Runs that have asked and have not ended."""
        self._slots = slots + ahead
        self._turns = asyncio.Semaphore(preparing or self._slots)
        self._max_deferred = max_deferred
        self._stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
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
        was_asking = slot.asking
        self.end_preparing(slot)
        self.end_asking(slot)
        await released
        if was_asking:
            await self.begin_asking(slot)

    async def begin_preparing(self, slot: Slot) -> None:
        if not slot.preparing:
            await self._turns.acquire()
            slot.preparing = True

    def end_preparing(self, slot: Slot) -> None:
        if slot.preparing:
            slot.preparing = False
            self._turns.release()

    async def begin_asking(self, slot: Slot) -> None:
        await self.questions.acquire()
        if self._stopped and not slot.deferred:
            self.questions.release()
            await asyncio.Event().wait()  # until it is cancelled
        slot.asking = True
        self.asking += 1

    def end_asking(self, slot: Slot) -> None:
        if slot.asking:
            slot.asking = False
            self.asking -= 1
            self.questions.release()

    def stop(self) -> None:
        """Begin no more runs, and cancel those that have not asked yet: there is no result of them. From any thread."""
        self._stopped = True
        if self._loop is not None:
            with suppress(RuntimeError):  # all has ended, and the loop with it
                self._loop.call_soon_threadsafe(self._changed.set)

    async def results(self, runs: Iterable[Callable[[], Awaitable[T]]]) -> AsyncGenerator[T]:
        """The result of each run, as soon as it ends. Closing this iterator cancels the runs that are active."""
        self._loop = asyncio.get_running_loop()
        waiting = iter(runs)
        running: dict[asyncio.Task[T], Slot] = {}
        releasing = False
        try:
            while True:
                self._changed.clear()
                releasing = releasing and (self._active > 0 or len(self._deferred) > 0)
                if not releasing:
                    while self._has_room() and (run := next(waiting, None)) is not None:
                        self._active += 1
                        slot = Slot()
                        running[asyncio.create_task(self._in_slot(run, slot))] = slot
                    releasing = self._active == 0 and len(self._deferred) > 0
                if releasing:
                    self._release()
                if self._stopped:
                    for task, slot in running.items():
                        if not slot.asking and not slot.deferred:
                            task.cancel()
                if not running:
                    return
                changed = asyncio.create_task(self._changed.wait())
                try:
                    done, _ = await asyncio.wait({*running, changed}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    changed.cancel()
                for task in done & running.keys():
                    del running[task]
                    if not (self._stopped and task.cancelled()):
                        yield task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _has_room(self) -> bool:
        return not self._stopped and self._active < self._slots and len(self._deferred) < self._max_deferred

    async def _in_slot(self, run: Callable[[], Awaitable[T]], slot: Slot) -> T:
        _current.set((self, slot))
        try:
            return await run()
        finally:
            self.end_preparing(slot)
            self.end_asking(slot)
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
