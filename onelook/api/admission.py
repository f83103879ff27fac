"""Admission control: limits on pictures in flight, on requests and on bytes in memory. What exceeds them gets 429."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from types import TracebackType

from onelook.api.problem import Problem
from onelook.settings.http import HttpSettings


class Reservation:
    """An admitted request and the bytes of its body in memory."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._held = 0

    def hold(self, size: int) -> None:
        """Add `size` bytes. Raises `Problem` (429) if all requests together would hold too many."""
        if self._admission.held_bytes + size > self._admission.max_held_bytes:
            raise overloaded("the bodies of the requests in progress use all the memory that is allowed for them")
        self._held += size
        self._admission.held_bytes += size

    def release(self) -> None:
        self._admission.held_bytes -= self._held


class Admission:
    """`reserve()` admits a request before its body is read; `in_flight_limit` is held while a picture is tagged."""

    def __init__(self, settings: HttpSettings) -> None:
        self.max_requests = settings.max_in_flight + settings.max_queue
        self.max_held_bytes = int(settings.max_held_mb * 1e6)
        self.held_bytes = 0
        self.requests = 0
        self.in_flight_limit = InFlightLimit(settings.max_in_flight)

    @contextmanager
    def reserve(self) -> Iterator[Reservation]:
        """Raises `Problem` (429) if the most requests are in progress already."""
        if self.requests >= self.max_requests:
            raise overloaded(f"{self.requests} requests are in progress already")
        reservation = Reservation(self)
        self.requests += 1
        try:
            yield reservation
        finally:
            self.requests -= 1
            reservation.release()


class InFlightLimit:
    """A first-in, first-out semaphore that counts its holders and its waiters."""

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
