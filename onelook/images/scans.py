"""The coding of a JPEG, and its scans: each is a pass over the whole picture, and a file of 50 kB can hold 500."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from onelook.errors import ImageTooLarge

START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
SCAN = bytes([0xFF, START_OF_SCAN])
"""Counting these bytes takes 5 ms in a file of 4.6 MB, and walking from marker to marker 38 ms."""

# Inside a scan, FF 00 is a byte of data and FF D0 to D7 a restart; FF 01 stands alone too, anywhere.
MARKER = re.compile(rb"\xff+[^\x00\x01\xff\xd0-\xd7]")

SEQUENTIAL = (0xC0, 0xC1)  # frames with Huffman coding: baseline and extended
NOT_A_FRAME = (0xC4, 0xC8, 0xCC)  # Huffman tables, reserved, arithmetic conditioning

MOST_SEGMENTS = 1000
"""Of a header that is read here; metadata takes some 300 at most, 64 kB each."""

MOST_SCANS = 100
"""Encoders write 10 (libjpeg-turbo's standard script) to some 20; libjpeg-turbo's own fuzzers stop at 500."""

SCANS_OF_LARGEST = 10
"""A picture of the most pixels may have so many, a smaller one more: a scan takes about 7 ns a pixel."""


def check_scans(data: bytes, pixels: int, *, name: str, max_pixels: int) -> int:
    """How many scans a JPEG of `pixels` has at most. They are counted where the header does not tell: metadata can hold
    a scan's marker too.

    Raises:
        ImageTooLarge: it takes too long to decode because of its number of scans.
    """
    if has_one_scan(data):
        return 1
    most = min(MOST_SCANS, SCANS_OF_LARGEST * max_pixels // max(1, pixels))
    marked = data.count(SCAN)
    if marked <= most:
        return marked
    scans = count_scans(data)
    if scans > most:
        raise ImageTooLarge(
            f"{name}: a JPEG of {scans} scans, over the limit of {most} for its size: each takes the time of a whole"
            " picture",
            hint="save it again, not progressive or with an encoder's usual scans",
        )
    return marked


def has_one_scan(data: bytes) -> bool:
    """Whether the header of a JPEG says that it has one scan, as most have: a sequential frame, all of whose components
    are in the first scan. libjpeg then reads no other (`initial_setup` in its jdinput.c), whatever follows.

    Counting the scans of such a file, and reading it up to each, takes as long as a tenth of its decoding.
    """
    components = 0
    for marker, place in islice(_segments(data), MOST_SEGMENTS):
        if marker == START_OF_SCAN:
            return 0 < components <= int.from_bytes(data[place + 2 : place + 3], "big")
        if _is_frame(marker):
            if components or marker not in SEQUENTIAL:
                return False
            components = int.from_bytes(data[place + 7 : place + 8], "big")
    return False


def count_scans(data: bytes) -> int:
    """The number of scans of a JPEG, up to its end or to where it is broken."""
    return sum(marker == START_OF_SCAN for marker, _ in _segments(data))


def frame_marker(data: bytes) -> int | None:
    """The last byte of a JPEG's start-of-frame marker, C0 to CF, which says how it is coded (ITU-T T.81, table B.1)."""
    for marker, _ in _segments(data):
        if _is_frame(marker):
            return marker
        if marker == START_OF_SCAN:
            break
    return None


def _is_frame(marker: int) -> bool:
    return 0xC0 <= marker <= 0xCF and marker not in NOT_A_FRAME


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The last byte of each marker, and where its segment begins, up to the end of the image or of `data`."""
    place = 2
    while (found := MARKER.search(data, place)) is not None:
        marker, place = data[found.end() - 1], found.end()
        if marker == END_OF_IMAGE:
            break
        yield marker, place
        place += int.from_bytes(data[place : place + 2], "big")  # a segment's length counts its own two bytes
