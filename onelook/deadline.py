"""The deadline of a run: the caller sets it, and every engine call in the run keeps it. And any other time limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

_deadline: ContextVar[float | None] = ContextVar("onelook_deadline", default=None)


@contextmanager
def deadline_in(seconds: float) -> Iterator[None]:
    """Engine calls inside this block must be answered within `seconds` from now."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining_s() -> float | None:
    """Seconds until the deadline, negative when it has passed; None if no caller has set one."""
    deadline = _deadline.get()
    return None if deadline is None else deadline - time.monotonic()


@asynccontextmanager
async def at_most(seconds: float | None, too_late: Callable[[], Exception]) -> AsyncIterator[None]:
    """Cancel what runs inside this block after `seconds` (None: never), and raise `too_late()`.

    A `TimeoutError` of another origin passes through.
    """
    timer = asyncio.timeout(seconds)
    try:
        async with timer:
            yield
    except TimeoutError:
        if not timer.expired():
            raise
        raise too_late() from None
