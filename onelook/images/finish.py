"""From decoded pixels to the bytes that are sent: size, padding, orientation, colour, encoding."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from onelook.images.colour import to_srgb
from onelook.images.padding import padded
from onelook.images.resize import lanczos
from onelook.images.sizing import Layout


def finish(pixels: Image.Image, wanted: Layout, turn: Image.Transpose | None, profile: bytes | None) -> Image.Image:
    """`pixels` (L, RGB or CMYK) in the size that is wanted, upright, as L or RGB in sRGB.

    Resize first: turning and colour then cost a fraction.
    """
    if pixels.size != wanted.drawn:
        pixels = lanczos(pixels, wanted.drawn)
    if pixels.size != wanted.sent:
        pixels = padded(pixels, wanted.sent)
    if turn is not None:
        pixels = pixels.transpose(turn)
    return to_srgb(pixels, profile)


def encode(pixels: Image.Image, *, lossless: bool) -> bytes:
    """JPEG; what came without loss (drawings, screenshots, scans) keeps its colour edges at quality 95, 4:4:4.

    Measured at 756 x 560: PNG takes 13 ms (text) to 35 ms (photograph) and 250 to 840 kB, JPEG 95 under 3 ms and 200 to
    350 kB at 46 dB on text, JPEG 90 with 4:2:0 38 dB there.
    """
    encoded = BytesIO()
    quality, subsampling = (95, "4:4:4") if lossless else (90, "4:2:0")
    # comment: Pillow would otherwise carry the file's own over
    pixels.save(encoded, "JPEG", quality=quality, subsampling=subsampling, comment=b"")
    return encoded.getvalue()
