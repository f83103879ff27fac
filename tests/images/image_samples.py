"""Real files of every format that is read, and of some that are not, made on the spot."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image, ImageCms, ImageDraw
from pillow_heif import from_pillow

from onelook.engines.size_grid import DEFAULT_GRID
from onelook.images.limits import Limits
from onelook.images.original import Original
from onelook.images.picture import Picture
from onelook.images.scans import SCAN, count_scans
from onelook.images.source import describe, read
from onelook.settings.resolution import at_most

LIMITS = Limits(
    max_bytes=2_000_000, max_pixels=4_000_000, allow_urls=True, allow_private_urls=True, download_timeout_s=60.0
)


def prepare(data: bytes | Image.Image, *, name: str, long_edge: int, max_pixels: int) -> Picture:
    """The picture at one size."""
    bounds = at_most(long_edge)
    return Original(data, name=name, max_pixels=max_pixels, up_to=[bounds], grid=DEFAULT_GRID).picture(bounds)


async def load_picture(reference: str | bytes, *, long_edge: int, limits: Limits) -> Picture:
    """The picture behind a reference, at one size."""
    data = await read(reference, limits)
    return prepare(data, name=describe(reference), long_edge=long_edge, max_pixels=limits.max_pixels)


RED, GREEN, BLUE, YELLOW = (200, 30, 30), (30, 160, 30), (30, 30, 200), (220, 200, 30)


def quarters(width: int = 300, height: int = 200) -> Image.Image:
    """Top left red, top right green, bottom left blue, bottom right yellow."""
    image = Image.new("RGB", (width, height), RED)
    draw = ImageDraw.Draw(image)
    draw.rectangle((width // 2, 0, width, height // 2 - 1), fill=GREEN)
    draw.rectangle((0, height // 2, width // 2 - 1, height), fill=BLUE)
    draw.rectangle((width // 2, height // 2, width, height), fill=YELLOW)
    return image


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    if kind == "HEIC":
        from_pillow(image).save(file, format="HEIF", **options)
    else:
        image.save(file, kind, **options)
    return file.getvalue()


def sample(kind: str, width: int = 300, height: int = 200) -> bytes:
    """The four quarters as a file of `kind`: a still format, or one of the animated ones with two frames."""
    image = quarters(width, height)
    match kind:
        case "animated GIF" | "animated WEBP" | "animated PNG":
            other = Image.new("RGB", image.size, "black")
            return encode(image, kind.removeprefix("animated "), save_all=True, append_images=[other], duration=100)
        case "MPO":
            return encode(image, "MPO", save_all=True, append_images=[image.rotate(180)])
        case "TIFF-JPEG":
            return encode(image, "TIFF", compression="jpeg")
        case "TIFF-LZW":
            return encode(image, "TIFF", compression="tiff_lzw")
        case _:
            return encode(image, kind)


KINDS = (
    "JPEG",
    "MPO",
    "PNG",
    "WEBP",
    "AVIF",
    "GIF",
    "TIFF",
    "TIFF-JPEG",
    "TIFF-LZW",
    "BMP",
    "HEIC",
    "animated GIF",
    "animated WEBP",
    "animated PNG",
)


def colours(image: Image.Image) -> list[tuple[int, ...]]:
    """RGB in the middle of the quarters: top left, top right, bottom left, bottom right."""
    rgb = image.convert("RGB")
    width, height = rgb.size
    found = []
    for y in (height // 4, height * 3 // 4):
        for x in (width // 4, width * 3 // 4):
            pixel = rgb.getpixel((x, y))
            assert isinstance(pixel, tuple)
            found.append(pixel)
    return found


def close(found: tuple[int, ...], expected: tuple[int, ...], tolerance: int = 12) -> bool:
    return len(found) == len(expected) and all(abs(a - b) <= tolerance for a, b in zip(found, expected, strict=True))


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _with_red_and_blue_exchanged(profile: bytes) -> bytes:
    """A profile of a device whose first channel glows blue and whose third glows red."""
    exchanged = profile.replace(b"rXYZ", b"temp", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"temp", b"bXYZ", 1)
    assert exchanged != profile
    return exchanged


OTHER_COLOURS = _with_red_and_blue_exchanged(SRGB)


def jpeg_of_scans(scans: int, size: tuple[int, int]) -> bytes:
    """A grey progressive JPEG of so many scans: its last one, again and again."""
    held = BytesIO()
    Image.new("L", size, 90).save(held, "JPEG", progressive=True)
    data = held.getvalue()
    last = data[data.rindex(SCAN) : -2]
    return data[:-2] + last * (scans - count_scans(data)) + data[-2:]
