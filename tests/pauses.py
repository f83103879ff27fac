"""Time that passes as fast as it can: each wait for a server ends as soon as it has begun."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from onelook.engines.throttle import Throttle, Waiting
from tests.loop_clock import skip


@asynccontextmanager
async def pauses_skipped(throttles: Sequence[Throttle]) -> AsyncIterator[list[Waiting]]:
    """While inside, the clock of this event loop is put forward over every wait; the list has what was waited for."""
    waits: list[Waiting] = []

    async def skip_each() -> None:
        while True:
            await asyncio.sleep(0)
            for throttle in throttles:
                waiting = throttle.waiting()
                if waiting is not None and waiting.seconds is not None:
                    waits.append(waiting)
                    skip(waiting.seconds)

    skipping = asyncio.create_task(skip_each())
    try:
        yield waits
    finally:
        skipping.cancel()
