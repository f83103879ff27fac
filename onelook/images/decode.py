"""From a file's bytes to its pixels. Pillow's many exceptions for broken files become one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image
from PIL.ExifTags import Base as ExifTag
from PIL.Image import Transpose
from PIL.ImageFile import ImageFile

from onelook.errors import ImageTooLarge, ImageUnreadable, OnelookError
from onelook.images.decode_limit import CheckedFile
from onelook.images.formats import OPENERS, READABLE, identify
from onelook.images.misread import check_seen_right
from onelook.images.scans import check_scans
from onelook.images.unsupported import NO_CODEC, in_plain_words, refused
from onelook.settings.hints import set_to

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
            hint=f"use a smaller picture, or send fewer at once, {set_to(ONELOOK_CONCURRENCY=2)}",
        ) from None
    except Exception as error:
        raise _unreadable(name, kind, error) from error


def _unreadable(name: str, kind: str, error: Exception) -> ImageUnreadable:
    if isinstance(error, ImportError):
        return ImageUnreadable(
            f"{name}: {kind} files are not read here: the package pillow-heif is missing or does not load",
            hint="pip install --force-reinstall pillow-heif, or save the picture as JPEG",
        )
    if NO_CODEC in str(error):
        return ImageUnreadable(
            f"{name}: {kind} files are not read here: the installed Pillow is built without them",
            hint="pip install --force-reinstall pillow, or save the picture as JPEG",
        )
    if (what := refused(error)) is not None:
        return ImageUnreadable(
            f"{name}: a {kind} file with {what}, which is not supported", hint="save it as an ordinary PNG or JPEG"
        )
    return ImageUnreadable(
        f"{name}: broken or truncated {kind} file: {in_plain_words(error)}",
        hint="check whether a picture viewer opens it; export it again",
    )


def open_image(data: bytes, *, name: str, max_pixels: int) -> tuple[str, ImageFile, int]:
    """The format (a key of `OPENERS`), the picture with its header read and its pixels still encoded, and the most
    scans that it can have if it is a JPEG.

    The format is detected from the bytes and opened with its own plugin: `Image.open` has one pixel limit for the whole
    process, with a warning.

    Raises:
        ImageUnreadable: a format that is not read, or a broken header.
        ImageTooLarge: more than `max_pixels`.
    """
    kind = identify(data)
    if kind not in OPENERS:
        raise ImageUnreadable(f"{name}: not a picture that can be read: it looks like {kind}", hint=READABLE)
    allow_pixels(max_pixels)
    with decoding(name, kind):
        image = OPENERS[kind](CheckedFile(data))
    check_pixels(image.width, image.height, name=name, max_pixels=max_pixels)
    scans = check_scans(data, image.width * image.height, name=name, max_pixels=max_pixels) if kind == "JPEG" else 0
    with decoding(name, kind):
        check_seen_right(kind, data, image)
    return kind, image, scans


def check_pixels(width: int, height: int, *, name: str, max_pixels: int) -> None:
    """Raises ImageTooLarge for more than `max_pixels`."""
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"{name}: {width} x {height} pixels, over the limit of {max_pixels / 1e6:g} megapixels",
            hint="use a smaller picture, or set a larger ONELOOK_MAX_IMAGE_MEGAPIXELS",
        )


def allow_pixels(max_pixels: int) -> None:
    """Raise Pillow's own limit, which is one for the whole process, to one that the user set higher."""
    if Image.MAX_IMAGE_PIXELS is not None and max_pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = max_pixels


def turn_needed(image: Image.Image) -> Transpose | None:
    """The transposition that makes a loaded picture upright, from its EXIF or XMP; None if not needed or unreadable."""
    try:
        return UPRIGHT.get(image.getexif().get(ExifTag.Orientation, 1))
    except Exception:  # noqa: BLE001 - a foreign file's tags: without them the picture is upright
        return None
