"""How much memory decoding takes, and the process's budget for it: pictures beyond it wait for their turn."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from PIL import Image

from onelook.errors import ImageTooLarge

# Bytes per pixel at the peak of decoding, for opaque and for transparent pictures: measured at 25 megapixels with
# Pillow 13. libwebp decodes into two canvases, libavif and libheif into planes. Other formats hold the pixels once.
BYTES_PER_PIXEL = {"WebP": (16, 16), "AVIF": (10, 12), "HEIC": (8, 12)}
ONCE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I": 13, "F": 13}


def decode_bytes(kind: str, image: Image.Image) -> int:
    """The memory that loading `image`, of format `kind`, takes at its peak, in bytes."""
    opaque, transparent = BYTES_PER_PIXEL.get(kind, (4, 4))
    each = transparent if image.mode in ("RGBA", "LA", "PA") else opaque
    if kind not in BYTES_PER_PIXEL:
        each = ONCE.get(image.mode, each)
    return image.width * image.height * each


def coefficient_bytes(size: tuple[int, int], sampling: Sequence[tuple[int, int]]) -> int:
    """What libjpeg keeps of a progressive JPEG of `size` until its last scan, however small it is decoded: two bytes
    for each sample. `sampling`: the factors of each component, across and down (ITU-T T.81, A.1.1)."""
    largest = max(across for across, _ in sampling) * max(down for _, down in sampling)
    return 2 * size[0] * size[1] * sum(across * down for across, down in sampling) // largest


def check_decode_bytes(size: int, name: str, most: int) -> None:
    """Raises ImageTooLarge for a picture that takes more than `most` bytes to decode."""
    if size > most:
        raise ImageTooLarge(
            f"{name}: decoding it takes {size / 1e6:.0f} MB of memory, over the limit of {most / 1e6:g} MB",
            hint="use a smaller picture, a JPEG of the same size, or set a larger ONELOOK_MAX_DECODE_MB",
        )


class DecodeBudget:
    """Lets pictures be decoded at the same time as long as they take at most `most` together, of bytes or of work.

    A picture that takes more than that alone is decoded when no other is. A small one does not wait for large ones: not
    behind them in the queue, and not at all if it takes less than `most / free`; threads limit how many there are.
    """

    def __init__(self, most: int, *, free: int = 100) -> None:
        self._most = most
        self._free = free
        self._used = 0
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, Future[None]]] = []

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Waits, in the calling thread, until there is room for `size`, and keeps it inside."""
        self._ask(size).result()
        try:
            yield
        finally:
            self.release(size)

    def try_acquire(self, size: int) -> bool:
        """Whether there is room for `size` now, which is then kept until `release(size)`. From any thread."""
        with self._lock:
            fits = self._fits(size)
            self._used += size if fits else 0
        return fits

    async def acquire(self, size: int) -> None:
        """Waits, without a thread, until there is room for `size`, and keeps it until `release(size)`."""
        place = self._ask(size)
        if place.done():
            return
        try:
            await asyncio.wrap_future(place)
        except asyncio.CancelledError:
            if not place.cancelled() and not place.cancel():  # given while the caller was being cancelled
                self.release(size)
            raise

    def release(self, size: int) -> None:
        """Gives back the room of an `acquire`, from any thread."""
        with self._lock:
            self._used -= size
            given = self._give()
        for place in given:
            place.set_result(None)

    def _ask(self, size: int) -> Future[None]:
        place: Future[None] = Future()
        with self._lock:
            self._waiting.append((size, place))
            given = self._give()
        for each in given:
            each.set_result(None)
        return place

    def _give(self) -> list[Future[None]]:
        given, waiting = [], []
        for size, place in self._waiting:
            if place.cancelled():
                continue
            if not self._fits(size):
                waiting.append((size, place))
            elif place.set_running_or_notify_cancel():  # from here on it cannot be cancelled
                self._used += size
                given.append(place)
        self._waiting = waiting
        return given

    def _fits(self, size: int) -> bool:
        return self._used == 0 or self._used + size <= self._most or size * self._free < self._most
