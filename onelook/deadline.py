"""The deadline of a run: the caller sets it, and every engine call in the run keeps it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
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
