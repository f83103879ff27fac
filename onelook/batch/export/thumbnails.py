"""Small pictures for a page, several at a time; a picture that is gone or cannot be read has none."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final

from pybase64 import b64encode_as_string

from onelook.errors import ImageError
from onelook.images.decode_memory import check_decode_bytes
from onelook.images.limits import Limits
from onelook.images.original import Original
from onelook.images.source import Loaded, describe, is_url, read_local
from onelook.images.threads import cores
from onelook.settings.resolution import at_most

QUALITY: Final = 60
"""At 160 pixels about 3 kB for a photograph; JPEG needs half as much again for the same look."""


def thumbnails(
    places: Iterable[str], limits: Limits, long_edge: int, in_block: int, on_done: Callable[[], None]
) -> Iterator[list[str | None]]:
    """A WebP in base64 for each place, in blocks of `in_block`; None where the picture cannot be shown, and for a URL,
    which is not downloaded again. Pillow decodes and encodes without Python's lock, so threads use every core."""

    def one(place: str) -> str | None:
        data = thumbnail(place, limits, long_edge)
        on_done()
        return None if data is None else b64encode_as_string(data)

    left = iter(places)
    pool = ThreadPoolExecutor(cores(), thread_name_prefix="onelook-thumbnail")
    try:
        while block := list(islice(left, in_block)):
            yield list(pool.map(one, block))
    finally:
        pool.shutdown(cancel_futures=True)


def thumbnail(place: str, limits: Limits, long_edge: int) -> bytes | None:
    """The picture as a WebP of at most `long_edge` pixels."""
    if is_url(place):
        return None
    try:
        return encoded(read_local(place, limits), describe(place), limits, long_edge)
    except ImageError:
        return None


def encoded(source: Loaded, name: str, limits: Limits, long_edge: int) -> bytes:
    """`source` as a WebP of at most `long_edge` pixels, decoded within `limits`.

    Raises:
        ImageError: it is no picture, or over a limit.
    """
    bounds = at_most(long_edge)
    original = Original(source, name=name, max_pixels=limits.max_pixels, up_to=[bounds], grid=1)
    check_decode_bytes(original.decode_bytes, name, limits.max_decode_bytes)
    with limits.decode_budget.room(original.decode_bytes):
        pixels = original.picture(bounds).pixels()
    written = io.BytesIO()
    pixels.save(written, "WEBP", quality=QUALITY)
    return written.getvalue()
