"""Work that is done once for all who wait for it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SharedTask(Generic[T]):
    """One task in each event loop. It goes on when one of its callers is cancelled."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.AbstractEventLoop, asyncio.Task[T]] = {}

    async def outcome(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the running task returns or raises; without one, `work()` is begun."""
        loop = asyncio.get_running_loop()
        task = self._tasks.get(loop)
        if task is None:
            task = self._tasks[loop] = loop.create_task(work())
            task.add_done_callback(partial(self._end, loop))
        return await asyncio.shield(task)

    def _end(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[T]) -> None:
        del self._tasks[loop]
        if not task.cancelled():
            task.exception()  # asyncio would print it as never retrieved where every caller was cancelled
