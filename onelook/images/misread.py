"""Valid files whose pixels the decoders get wrong without a word. They are refused: a wrong answer would be worse."""

from __future__ import annotations

from typing import Any

from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

BITS, PHOTOMETRIC, COLOUR_MAP, PLANAR = 258, 262, 320, 284  # TIFF 6.0
WHITE_IS_ZERO, PALETTE = 0, 3
SEPARATE_PLANES = 2


def why_misread(kind: str, data: bytes, image: ImageFile) -> str | None:
    """What is not read right in this picture, whose header is read; None if nothing is known."""
    match kind:
        case "TIFF" if isinstance(image, TiffImageFile):
            return _in_tiff(image.tag_v2)
        case "PNG" if data[24:25] == b"\x10" and "transparency" in image.info:  # IHDR: the bit depth
            return "transparency by colour with 16 bits a channel"
        case "GIF" if image.tile and image.tile[0][1] != (0, 0, *image.size):
            return "a first frame that does not cover the picture"
        case "AVIF" if b"clap" in data[:4096]:
            return "a cropped picture (clean aperture)"
    return None


def _in_tiff(tags: Any) -> str | None:
    deep = max(tags.get(BITS, (1,))) > 8
    if deep and tags.get(PLANAR) == SEPARATE_PLANES and len(tags[BITS]) > 1:
        return "channels in separate planes with more than 8 bits"
    if deep and tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        return "inverted grey with more than 8 bits"
    if tags.get(PHOTOMETRIC) == PALETTE and 0 < max(tags.get(COLOUR_MAP, (0,))) < 256:
        return "a colour map of 8-bit numbers"
    return None
