"""Valid files whose pixels the decoders get wrong without a word. They are refused: a wrong answer would be worse."""

from __future__ import annotations

from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from onelook.images import tiff_pixels
from onelook.images.scans import frame_marker
from onelook.images.unsupported import JPEG_CODINGS, NotSupported


def check_seen_right(kind: str, data: bytes, image: ImageFile) -> None:
    """Raises NotSupported for a picture, whose header is read, if its pixels would be wrong."""
    what = None
    match kind:
        case "TIFF" if isinstance(image, TiffImageFile):
            what = tiff_pixels.why_misread(image.tag_v2, big_endian=data[:2] == b"MM")
        case "JPEG":  # its decoder would call it broken
            what = JPEG_CODINGS.get(frame_marker(data) or 0)
        case "PNG" if data[24:25] == b"\x10" and "transparency" in image.info:  # IHDR: the bit depth
            what = "transparency by colour with 16 bits a channel"
        case "GIF" if image.tile and image.tile[0][1] != (0, 0, *image.size):
            what = "a first frame that does not cover the picture"
        case "AVIF" if b"clap" in data[:4096]:
            what = "a cropped picture (clean aperture)"
    if what is not None:
        raise NotSupported(what)
