"""Ends the decoding of a picture that takes too long, or that nobody waits for any more.

A thread cannot be stopped from outside, so the work asks: between the scans and the blocks of a file, and between its
steps. A process for each picture could be killed instead, and costs every small picture 1 ms (of 13) and 0.1 to 0.2 s
at its start; asking costs nothing that can be measured.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TypeVar

from PIL import ImageFile

from onelook.errors import ImageError, ImageTooLarge
from onelook.images.decode_memory import DecodeBudget
from onelook.images.limits import Limits
from onelook.images.scans import SCAN, has_one_scan
from onelook.images.threads import in_decode_thread
from onelook.settings.hints import set_to

Made = TypeVar("Made")

START_OF_IMAGE = b"\xff\xd8"
LEAST_READ = 256  # bytes: a scan of the largest picture has some 130 at least, so at most two are read at once


class DecodeLimit:
    """The limit of one picture: `seconds` from the beginning of its decoding, or until `cancel`."""

    def __init__(self, name: str, seconds: float) -> None:
        self._name = name
        self._seconds = seconds
        self._until = float("inf")
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Ends the work at its next check, from any thread."""
        self._cancelled.set()

    @contextmanager
    def applied(self) -> Iterator[None]:
        """`check_limit` checks this limit inside. The time begins here."""
        self._until = time.monotonic() + self._seconds
        token = _limit.set(self)
        try:
            self.check()
            yield
        finally:
            _limit.reset(token)

    def check(self) -> None:
        """Raises ImageTooLarge after the time, and ImageError, which nobody sees, after `cancel`."""
        if self._cancelled.is_set():
            raise ImageError(f"{self._name}: given up, because its run was cancelled")
        if time.monotonic() > self._until:
            longer = self._seconds * 3
            raise ImageTooLarge(
                f"{self._name}: decoding it takes longer than {self._seconds:g} s",
                hint="save it smaller, or as a JPEG that is not progressive; to wait longer, "
                + set_to(ONELOOK_PREPARE_TIMEOUT_S=longer),
            )


_limit: ContextVar[DecodeLimit | None] = ContextVar("decode_limit", default=None)


def check_limit() -> None:
    """Raises what `DecodeLimit.check` raises, where a limit is applied."""
    if (limit := _limit.get()) is not None:
        limit.check()


@dataclass(frozen=True, slots=True)
class Takes:
    """What decoding a picture takes: memory in bytes, and pixels times scans."""

    decode_bytes: int = 0
    scan_pixels: int = 0

    def of(self, limits: Limits) -> tuple[tuple[DecodeBudget, int], ...]:
        """The budgets, in the order in which all pictures take them, and how much of each."""
        return (limits.scan_budget, self.scan_pixels), (limits.decode_budget, self.decode_bytes)


class CheckedFile(BytesIO):
    """A file in memory that checks the limit at each read; where a JPEG has several scans, its blocks of image data end
    where one begins.

    Decoders of other kinds count on getting what they ask for, and their data may hold a scan's marker by chance.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._data = data
        self._scans = data.startswith(START_OF_IMAGE) and not has_one_scan(data)

    def read(self, size: int | None = -1) -> bytes:
        check_limit()
        if (
            self._scans and size == ImageFile.MAXBLOCK
        ):  # what decoders read; a header's segment is shorter, and is read whole
            here = self.tell()
            scan = self._data.find(SCAN, here + LEAST_READ, here + size)
            size = size if scan < 0 else scan - here
        return super().read(size)


async def decode_in_thread(
    work: Callable[[], Made], *, name: str, limits: Limits, takes: Callable[[], Takes] = lambda: Takes()
) -> Made:
    """What `work`, which decodes the picture `name`, returns; it runs in a thread as soon as the budgets have room.

    `takes` runs in the thread first. Waiting for room takes no thread; where there is room at once, both run in one go,
    because a change of threads costs a small picture 3 % of its time. Where the caller is cancelled, the work ends at
    its next check, and its room is kept until then.

    Raises:
        ImageTooLarge: it takes longer than `limits.prepare_timeout_s`.
    """
    limit = DecodeLimit(name, limits.prepare_timeout_s)
    held: list[Callable[[], None]] = []
    started = False

    def release() -> None:
        with suppress(IndexError):
            while True:
                held.pop()()

    def run() -> Made:
        nonlocal started
        started = True
        try:
            with limit.applied():
                return work()
        finally:
            release()

    def begin() -> Made | Takes:
        taken = takes()
        for budget, size in taken.of(limits):
            if not budget.try_acquire(size):
                release()
                return taken
            held.append(partial(budget.release, size))
        return run()

    try:
        begun = await in_decode_thread(begin)
        if not isinstance(begun, Takes):
            return begun
        for budget, size in begun.of(limits):
            await budget.acquire(size)
            held.append(partial(budget.release, size))
        return await in_decode_thread(run)
    except asyncio.CancelledError:
        limit.cancel()
        if not started:
            release()
        raise
