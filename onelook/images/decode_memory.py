"""How much memory decoding takes, and the process's budget for it: pictures beyond it wait for their turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator
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


def check_decode_bytes(size: int, name: str, most: int) -> None:
    """Raises ImageTooLarge for a picture that takes more than `most` bytes to decode."""
    if size > most:
        raise ImageTooLarge(
            f"{name}: decoding it takes {size / 1e6:.0f} MB of memory, over the limit of {most / 1e6:g} MB",
            hint="use a smaller picture, a JPEG of the same size, or set a larger ONELOOK_MAX_DECODE_MB",
        )


class DecodeBudget:
    """Lets pictures be decoded at the same time as long as they take at most `most` bytes together.

    A picture that takes more than that alone is decoded when no other is.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0
        self._freed = threading.Condition()

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Waits, in the calling thread, until there is room for `size` bytes, and keeps it inside."""
        with self._freed:
            self._freed.wait_for(lambda: self._used == 0 or self._used + size <= self._most)
            self._used += size
        try:
            yield
        finally:
            with self._freed:
                self._used -= size
                self._freed.notify_all()
