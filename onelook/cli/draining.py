"""How a run with many results is stopped: the first signal lets it finish what is in flight, the second ends it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from onelook.cli.stopping import ECHO_S, SIGNALS, Stopped


class Drain:
    """`exit_code` is set once the first signal has come."""

    def __init__(self) -> None:
        self.exit_code: int | None = None


@contextmanager
def draining(on_first: Callable[[], None]) -> Iterator[Drain]:
    """Until the block ends, the first signal calls `on_first`, the second raises `Stopped` in the main thread, and the
    third ends the process."""
    drain = Drain()
    last_s: list[float] = []

    def stop(number: int, _: FrameType | None) -> None:
        now_s = time.monotonic()
        if last_s and now_s - last_s[-1] <= ECHO_S:  # the same signal, sent to the process and to its group
            return
        last_s.append(now_s)
        if len(last_s) == 1:
            drain.exit_code = 128 + number
            on_first()
        elif len(last_s) == 2:
            raise Stopped(number)
        else:
            os._exit(128 + number)

    # What is ignored stays ignored: `nohup`, and Ctrl-C for a job in the background.
    before = {each: signal.getsignal(each) for each in SIGNALS if signal.getsignal(each) != signal.SIG_IGN}
    for each in before:
        signal.signal(each, stop)
    try:
        yield drain
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
