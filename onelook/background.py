"""An event loop in a thread of its own, for callers that are not asynchronous, or whose own loop is busy with them."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundLoop:
    """Runs coroutines for any number of threads. It ends with `close`, or when nobody holds it any more."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_serve, args=(self._loop,), name="onelook", daemon=True)
        self._thread.start()
        self._finalizer = weakref.finalize(self, _stop, self._loop, self._thread)

    @property
    def closed(self) -> bool:
        """Also in a forked process, which has no copy of the thread."""
        return not (self._finalizer.alive and self._thread.is_alive())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns or raises. A KeyboardInterrupt here cancels it, and is raised once it has ended.

        Raises:
            RuntimeError: this loop is closed, or the caller is a coroutine of this loop and would wait for itself.
        """
        if self.closed or threading.current_thread() is self._thread:
            work.close()
            reason = "is closed" if self.closed else "cannot wait for itself: use `await`"
            raise RuntimeError(f"this event loop {reason}")
        outcome: Future[T] = Future()
        tasks: list[asyncio.Task[T]] = []

        def begin() -> None:
            task = self._loop.create_task(work)
            task.add_done_callback(partial(_hand_over, outcome))
            tasks.append(task)

        def cancel() -> None:
            for task in tasks:
                task.cancel()

        self._loop.call_soon_threadsafe(begin)
        try:
            return outcome.result()
        except BaseException:
            if not outcome.done():
                self._loop.call_soon_threadsafe(cancel)
                wait([outcome])
            raise

    def close(self) -> None:
        """Cancel what still runs and end the thread. A second call does nothing."""
        self._finalizer()


def _hand_over(outcome: Future[T], task: asyncio.Task[T]) -> None:
    if task.cancelled():
        outcome.set_exception(asyncio.CancelledError())
    elif (error := task.exception()) is not None:
        outcome.set_exception(error)
    else:
        outcome.set_result(task.result())


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    if threading.current_thread() is not thread:  # the garbage collector calls this in any thread
        thread.join()
