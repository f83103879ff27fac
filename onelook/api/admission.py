"""How much is let in: so many pictures in flight, so many requests waiting, so many bytes held; the rest is told so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from types import TracebackType

from onelook.api.problem import Problem
from onelook.settings.http import HttpSettings


class Reservation:
    """One request's place inside, and the bytes that it holds."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._held = 0

    def hold(self, size: int) -> None:
        """Take `size` bytes more. Raises `Problem` (429) where all requests together would hold too many."""
        if self._admission.held_bytes + size > self._admission.max_held_bytes:
            raise overloaded("the bodies of the requests in hand take all the memory that they may")
        self._held += size
        self._admission.held_bytes += size

    def leave(self) -> None:
        self._admission.held_bytes -= self._held


class Admission:
    """`place()` for a request, before its body is read; `async with slot` for a picture, while it is looked at."""

    def __init__(self, settings: HttpSettings) -> None:
        self.max_requests = settings.max_in_flight + settings.max_queue
        self.max_held_bytes = int(settings.max_held_mb * 1e6)
        self.held_bytes = 0
        self.requests = 0
        self.slot = Slots(settings.max_in_flight)

    @contextmanager
    def reserve(self) -> Iterator[Reservation]:
        """Raises `Problem` (429) where as many requests are inside as may be."""
        if self.requests >= self.max_requests:
            raise overloaded(f"{self.requests} requests are in hand already")
        place = Reservation(self)
        self.requests += 1
        try:
            yield place
        finally:
            self.requests -= 1
            place.leave()


class Slots:
    """A semaphore that knows how many are inside and how many wait; first come, first served."""

    def __init__(self, size: int) -> None:
        self._semaphore = asyncio.Semaphore(size)
        self.in_flight = 0
        self.waiting = 0

    async def __aenter__(self) -> None:
        self.waiting += 1
        try:
            await self._semaphore.acquire()
        finally:
            self.waiting -= 1
        self.in_flight += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.in_flight -= 1
        self._semaphore.release()


def overloaded(detail: str) -> Problem:
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, kind="Overloaded", hint="try again later, or send fewer")
