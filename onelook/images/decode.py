"""From a file's bytes to its pixels. Pillow's many exceptions for broken files become one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image
from PIL.ExifTags import Base as ExifTag
from PIL.Image import Transpose
from PIL.ImageFile import ImageFile

from onelook.errors import ImageTooLarge, ImageUnreadable, OnelookError
from onelook.images.formats import OPENERS, READABLE, identify
from onelook.images.misread import why_misread
from onelook.images.scans import check_scans

UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
TURNED = {Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90}


@contextmanager
def decoding(name: str, kind: str) -> Iterator[None]:
    """Turns whatever is raised while a foreign file is decoded into that picture's error.

    Decoders raise anything for a broken file (AssertionError, ZeroDivisionError and OverflowError were all seen), so
    nothing is told apart here. Use it around work on the file's own content only.
    """
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        # Pillow's own, process-wide limit: in a WebP's or TIFF's header, or for a GIF frame larger than its screen.
        raise ImageTooLarge(f"{name}: {kind} file: {error}", hint="use a smaller picture") from None
    except OnelookError:
        raise
    except MemoryError:
        raise ImageTooLarge(
            f"{name}: not enough memory to decode this {kind} file",
            hint="use a smaller picture, or lower ONELOOK_MAX_IMAGE_MEGAPIXELS and ONELOOK_CONCURRENCY",
        ) from None
    except Exception as error:
        raise ImageUnreadable(
            f"{name}: broken or truncated {kind} file: {_reason(error)}",
            hint="check whether a picture viewer opens it; export it again",
        ) from error


def _reason(error: Exception) -> str:
    """What a decoder says is wrong with the file; Python's words for a decoder that failed itself say nothing of it."""
    said = isinstance(error, OSError | SyntaxError | ValueError | RuntimeError) and not isinstance(error, UnicodeError)
    return (said and str(error)) or "its decoder fails on the values in it"


def open_image(data: bytes, *, name: str, max_pixels: int) -> tuple[str, ImageFile]:
    """The format (a key of `OPENERS`) and the picture with its header read and its pixels still encoded.

    The format is detected from the bytes and opened with its own plugin: `Image.open` has one pixel limit for the whole
    process, with a warning.

    Raises:
        ImageUnreadable: a format that is not read, or a broken header.
        ImageTooLarge: more than `max_pixels`.
    """
    kind = identify(data)
    if kind not in OPENERS:
        raise ImageUnreadable(f"{name}: not a picture that can be read: it looks like {kind}", hint=READABLE)
    with decoding(name, kind):
        image = OPENERS[kind](BytesIO(data))
    check_pixels(image.width, image.height, name=name, max_pixels=max_pixels)
    if kind == "JPEG":
        check_scans(data, image.width * image.height, name=name, max_pixels=max_pixels)
    with decoding(name, kind):
        misread = why_misread(kind, data, image)
    if misread is not None:
        raise ImageUnreadable(
            f"{name}: a {kind} file with {misread}, which is not supported", hint="save it as an ordinary PNG or JPEG"
        )
    return kind, image


def check_pixels(width: int, height: int, *, name: str, max_pixels: int) -> None:
    """Raises ImageTooLarge for more than `max_pixels`."""
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"{name}: {width} x {height} pixels, over the limit of {max_pixels / 1e6:g} megapixels",
            hint="use a smaller picture, or set a larger ONELOOK_MAX_IMAGE_MEGAPIXELS",
        )


def turn_needed(image: Image.Image) -> Transpose | None:
    """The transposition that makes a loaded picture upright, from its EXIF or XMP; None if not needed or unreadable."""
    try:
        return UPRIGHT.get(image.getexif().get(ExifTag.Orientation, 1))
    except Exception:  # noqa: BLE001 - a foreign file's tags: without them the picture is upright
        return None
