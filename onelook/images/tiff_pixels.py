"""TIFF (6.0): pixels that Pillow refuses, or gets wrong without a word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL.TiffImagePlugin import COMPRESSION_INFO, TiffImageFile

from onelook.images.unsupported import NotSupported

BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANAR, COLOUR_MAP, FORMAT = 258, 259, 262, 277, 284, 320, 339
DNG_VERSION = 50706
WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE, YCBCR, LAB = 0, 1, 3, 6, 8
ORDINARY = (WHITE_IS_ZERO, BLACK_IS_ZERO, 2, PALETTE, 5, YCBCR)  # 2: RGB, 5: CMYK
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
UNCOMPRESSED, SEPARATE_PLANES = 1, 2
NUMBERS = {UNSIGNED: "unsigned", SIGNED: "signed", FLOAT: "float"}

DNG = "the raw data of a camera (DNG)"

Tags = Mapping[int, Any]


class TiffFile(TiffImageFile):
    """Raises NotSupported where Pillow says "unknown pixel mode", as of a broken file."""

    def _setup(self) -> None:
        try:
            super()._setup()
        except (KeyError, SyntaxError) as error:
            if (what := why_refused(self.tag_v2, error)) is None:
                raise
            raise NotSupported(what) from error


def why_refused(tags: Tags, error: Exception) -> str | None:
    """What Pillow does not read in a file that it refuses with `error`; None if the file seems broken."""
    if DNG_VERSION in tags:
        return DNG
    compression, bits = tags.get(COMPRESSION, UNCOMPRESSED), tags.get(BITS)
    if compression not in COMPRESSION_INFO:
        return f"compression {compression}"
    if bits is None or PHOTOMETRIC not in tags or str(error) != "unknown pixel mode":
        return None
    ordinary = set(bits) == {8} and _format(tags) == UNSIGNED and tags[PHOTOMETRIC] in ORDINARY
    if ordinary or not all(1 <= each <= 64 for each in bits):  # so another tag is lost or wrong
        return None
    channels = tags.get(SAMPLES, len(bits))
    return (
        f"{channels} channel{'s' if channels > 1 else ''} of {'/'.join(map(str, dict.fromkeys(bits)))}-bit"
        f" {NUMBERS.get(_format(tags), 'untyped')} numbers (PhotometricInterpretation {tags[PHOTOMETRIC]})"
    )


def why_misread(tags: Tags, *, big_endian: bool) -> str | None:
    """What Pillow gets wrong in a file that it opens; None if nothing is known.

    tests/images/test_image_tiff_pixels.py compares all combinations with what was written.
    """
    if DNG_VERSION in tags:
        return DNG
    bits = tags.get(BITS, (1,))
    deep, numbers, kind = max(bits), _format(tags), tags.get(PHOTOMETRIC, WHITE_IS_ZERO)
    compressed = tags.get(COMPRESSION, UNCOMPRESSED) != UNCOMPRESSED
    if tags.get(PLANAR) == SEPARATE_PLANES and (reason := _in_planes(deep, len(bits), kind, compressed=compressed)):
        return reason
    if deep > 8 and kind == WHITE_IS_ZERO:
        return "inverted grey with more than 8 bits"
    if kind == PALETTE and 0 < max(tags.get(COLOUR_MAP, (0,))) < 256:
        return "a colour map of 8-bit numbers"
    if numbers == SIGNED and deep <= 8:
        return "signed 8-bit numbers"
    if deep == 12:
        return "12 bits a channel"
    if deep == 32 and numbers == UNSIGNED:
        return "unsigned 32-bit numbers"
    if big_endian and compressed and (deep == 32 or (deep == 16 and numbers == SIGNED)):
        return "compressed big-endian numbers that are signed, float or of 32 bits"
    return None


def _in_planes(bits: int, channels: int, kind: int, *, compressed: bool) -> str | None:
    if channels > 1:
        if bits > 8:
            return "channels in separate planes with more than 8 bits"
        if kind == LAB or (kind == YCBCR and not compressed):
            return "brightness and colour in separate planes"
        return None
    if bits > 8 or (not compressed and (bits < 8 or kind not in (BLACK_IS_ZERO, PALETTE))):
        return "its only channel marked as a separate plane"
    return None


def _format(tags: Tags) -> int:
    numbers = tags.get(FORMAT, (UNSIGNED,))
    return numbers[0] if len(set(numbers)) == 1 else 0
