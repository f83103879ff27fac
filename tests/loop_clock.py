"""The clock of an event loop, put forward by a test in place of waiting: time-outs come when the test says so."""

from __future__ import annotations

import asyncio
import time


def skip(seconds: float, loop: asyncio.AbstractEventLoop | None = None) -> None:
    """Put the clock of `loop` forward; without one, of the loop that runs. It must be asyncio's own, not uvloop's.

    Whatever waits on that loop for less than `seconds` has then waited long enough.
    """
    loop = loop or asyncio.get_running_loop()
    ahead_s = loop.time() + seconds - time.monotonic()
    loop.time = lambda: time.monotonic() + ahead_s  # type: ignore[method-assign]
    loop.call_soon_threadsafe(lambda: None)  # it may be asleep until a time of the old clock
