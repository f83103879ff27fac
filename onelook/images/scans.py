"""The coding of a JPEG, and its scans: each is a pass over the whole picture, and a file of 50 kB can hold 500."""

from __future__ import annotations

import re

from onelook.errors import ImageTooLarge

START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
SCAN = bytes([0xFF, START_OF_SCAN])
"""Counting these bytes takes 5 ms in a file of 4.6 MB, and walking from marker to marker 38 ms."""

MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")  # inside a scan, FF 00 is a byte of data and FF D0 to D7 a restart

NOT_A_FRAME = (0xC4, 0xC8, 0xCC)  # Huffman tables, reserved, arithmetic conditioning

MOST_SCANS = 100
"""Encoders write 10 (libjpeg-turbo's standard script) to some 20; libjpeg-turbo's own fuzzers stop at 500."""

SCANS_OF_LARGEST = 10
"""A picture of the most pixels may have so many, a smaller one more: a scan takes about 7 ns a pixel."""


def check_scans(data: bytes, pixels: int, *, name: str, max_pixels: int) -> int:
    """How many scans a JPEG of `pixels` has at most: metadata can hold a scan's marker too.

    Raises:
        ImageTooLarge: it takes too long to decode because of its number of scans.
    """
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


def count_scans(data: bytes) -> int:
    """The number of scans of a JPEG, up to its end or to where it is broken."""
    scans, place = 0, 2
    while (found := MARKER.search(data, place)) is not None:
        marker, place = data[found.end() - 1], found.end()
        if marker == END_OF_IMAGE:
            break
        scans += marker == START_OF_SCAN
        place += int.from_bytes(data[place : place + 2], "big")  # a segment's length counts its own two bytes
    return scans


def frame_marker(data: bytes) -> int | None:
    """The last byte of a JPEG's start-of-frame marker, C0 to CF, which says how it is coded (ITU-T T.81, table B.1)."""
    place = 2
    while (found := MARKER.search(data, place)) is not None:
        marker, place = data[found.end() - 1], found.end()
        if 0xC0 <= marker <= 0xCF and marker not in NOT_A_FRAME:
            return marker
        if marker in (START_OF_SCAN, END_OF_IMAGE):
            break
        place += int.from_bytes(data[place : place + 2], "big")
    return None
