"""How a run is stopped: Ctrl-C, SIGTERM or SIGHUP end it soon and show what is done; a second one ends it at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn, TypeVar

import typer

from onelook.cli.notes import print_note

T = TypeVar("T")

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
GRACE_S = 0.5  # for requests to be cancelled and connections to be closed
ECHO_S = 0.25  # `timeout` and terminals that close send a signal to the process, and again to its group


class Stopped(BaseException):
    """A signal came. Like KeyboardInterrupt it is no `Exception`: nothing between takes it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number  # as shells report a program that a signal ended
        self.still_running = False  # a thread that could not be ended


@contextmanager
def stoppable(note: str = "interrupted") -> Iterator[None]:
    """Signals raise `Stopped` in the main thread until the block ends.

    One that escapes the block prints `note`, which says what is left of the work, and is the exit code.
    """
    first: list[float] = []

    def stop(number: int, _: FrameType | None) -> None:
        if not first:
            first.append(time.monotonic())
            raise Stopped(number)
        if time.monotonic() - first[0] > ECHO_S:
            os._exit(128 + number)

    # What is ignored stays ignored: `nohup`, and Ctrl-C for a job in the background.
    before = {each: signal.getsignal(each) for each in SIGNALS if signal.getsignal(each) != signal.SIG_IGN}
    for each in before:
        signal.signal(each, stop)
    try:
        yield
    except Stopped as stopped:
        print_note(note)
        leave(stopped)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def run_until_stopped(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of `work`, run in an event loop of a thread of its own, so that no computation holds a signal up.

    Raises:
        Stopped: a signal came; `work` was cancelled, and may still be running if it did not end in `GRACE_S`.
    """
    outcome: Future[T] = Future()
    loop = asyncio.new_event_loop()
    tasks: list[asyncio.Task[T]] = []

    async def followed() -> T:
        task = asyncio.ensure_future(work)
        tasks.append(task)
        return await task

    def serve() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                result = runner.run(followed())
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    def cancel() -> None:
        for task in tasks:
            task.cancel()

    threading.Thread(target=serve, name="onelook", daemon=True).start()
    try:
        return outcome.result()
    except Stopped as stopped:
        with suppress(RuntimeError):  # the loop has just ended by itself
            loop.call_soon_threadsafe(cancel)
        wait([outcome], GRACE_S)
        stopped.still_running = not outcome.done()
        raise


def leave(stopped: Stopped) -> NoReturn:
    """End the process with the exit code of `stopped`.

    A thread that computes, or waits for a disk, cannot be ended, and Python would wait for it.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    if stopped.still_running:
        os._exit(stopped.exit_code)
    raise typer.Exit(stopped.exit_code)
