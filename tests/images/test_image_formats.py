"""Files as the model gets them: every format, orientation and kind of pixel."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from onelook.errors import ImageTooLarge, ImageUnreadable
from onelook.images.picture import Picture
from tests.images.image_samples import (
    BLUE,
    GREEN,
    KINDS,
    OTHER_COLOURS,
    RED,
    SRGB,
    YELLOW,
    close,
    colours,
    encode,
    prepare,
    quarters,
    sample,
)


def look(data: bytes, *, long_edge: int = 224, max_pixels: int = 4_000_000) -> tuple[Picture, Image.Image]:
    """The prepared picture, and its pixels as a server decodes them."""
    picture = prepare(data, name="picture", long_edge=long_edge, max_pixels=max_pixels)
    seen = Image.open(BytesIO(picture.data))
    assert seen.size == (picture.width, picture.height)
    assert seen.get_format_mimetype() == picture.media_type
    assert seen.mode in ("L", "RGB")
    return picture, seen


def middle(image: Image.Image) -> tuple[int, ...]:
    pixel = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_is_read(kind: str) -> None:
    picture, seen = look(sample(kind))
    assert (picture.width, picture.height) == (224, 140)
    assert (picture.source_width, picture.source_height) == (300, 200)
    assert not picture.untouched
    for found, expected in zip(colours(seen), (RED, GREEN, BLUE, YELLOW), strict=True):
        assert close(found, expected), f"{found} is not {expected}"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIC"])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, (RED, GREEN, BLUE, YELLOW)),
        (2, (GREEN, RED, YELLOW, BLUE)),
        (3, (YELLOW, BLUE, GREEN, RED)),
        (4, (BLUE, YELLOW, RED, GREEN)),
        (5, (RED, BLUE, GREEN, YELLOW)),
        (6, (BLUE, RED, YELLOW, GREEN)),
        (7, (YELLOW, GREEN, BLUE, RED)),
        (8, (GREEN, YELLOW, RED, BLUE)),
    ],
)
def test_a_picture_is_upright(kind: str, orientation: int, upright: tuple[tuple[int, ...], ...]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture, seen = look(encode(quarters(), kind, exif=exif.tobytes()))
    turned = orientation >= 5
    assert (picture.source_width, picture.source_height) == ((200, 300) if turned else (300, 200))
    assert seen.size == ((140, 224) if turned else (224, 140))
    for found, expected in zip(colours(seen), upright, strict=True):
        assert close(found, expected), f"{found} is not {expected}"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_broken_exif_is_ignored() -> None:
    picture, _ = look(encode(quarters(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage"))
    assert picture.width == 224


def half_transparent(mode: str) -> Image.Image:
    """Left: fully transparent over black; right: opaque black."""
    image = Image.new("RGBA", (280, 280), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 140, 280))
    return image.convert(mode)


def palette_with_transparency() -> bytes:
    image = Image.new("P", (280, 280), 1)
    image.putpalette([255, 0, 0, 0, 0, 0])
    image.paste(0, (0, 0, 140, 280))
    return encode(image, "PNG", transparency=0)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encode(half_transparent("RGBA"), "PNG"), id="PNG RGBA"),
        pytest.param(encode(half_transparent("LA"), "PNG"), id="PNG LA"),
        pytest.param(encode(half_transparent("RGBA"), "WEBP", lossless=True), id="WebP"),
        pytest.param(encode(half_transparent("RGBA"), "TIFF"), id="TIFF"),
        pytest.param(encode(half_transparent("RGBA"), "AVIF"), id="AVIF"),
        pytest.param(encode(half_transparent("RGBA"), "HEIC"), id="HEIC"),
        pytest.param(encode(half_transparent("RGBA"), "GIF"), id="GIF"),
        pytest.param(palette_with_transparency(), id="PNG palette"),
        pytest.param(encode(half_transparent("RGB"), "PNG", transparency=(0, 0, 0)), id="PNG colour key"),
    ],
)
def test_transparency_is_laid_on_white(data: bytes, request: pytest.FixtureRequest) -> None:
    picture, seen = look(data)
    assert not picture.untouched
    left, right = seen.convert("L").getpixel((30, 100)), seen.convert("L").getpixel((190, 100))
    assert isinstance(left, int)
    assert isinstance(right, int)
    assert left > 245
    if "colour key" not in request.node.name:  # there, black is transparent on the right too
        assert right < 10


def deep_grey(kind: str, mode: str, values: tuple[float, float, float]) -> bytes:
    """Three vertical stripes of a mode with more than eight bits."""
    image = Image.new(mode, (300, 200))
    for position, value in enumerate(values):
        image.paste(Image.new(mode, (100, 200), value), (position * 100, 0))
    return encode(image, kind)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(deep_grey("PNG", "I;16", (0, 32768, 65535)), id="16-bit PNG"),
        pytest.param(deep_grey("TIFF", "I;16", (0, 32768, 65535)), id="16-bit TIFF"),
        pytest.param(deep_grey("TIFF", "I", (-1000, 0, 1000)), id="32-bit TIFF"),
        pytest.param(deep_grey("TIFF", "F", (0.0, 0.5, 1.0)), id="float TIFF"),
        pytest.param(deep_grey("TIFF", "L", (0, 128, 255)), id="grey TIFF"),
    ],
)
def test_grey_of_any_depth_keeps_its_range(data: bytes) -> None:
    _, seen = look(data)
    grey = seen.convert("RGB")
    for x, expected in ((30, 0), (112, 128), (195, 255)):
        found = grey.getpixel((x, 70))
        assert isinstance(found, tuple)
        assert close(found, (expected,) * 3, tolerance=4)


def test_a_float_picture_of_nothing_is_refused() -> None:
    data = encode(Image.new("F", (300, 200), float("nan")), "TIFF")
    with pytest.raises(ImageUnreadable, match="not finite numbers"):
        look(data)


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("CMYK", "JPEG", {"quality": 95}),
        ("CMYK", "TIFF", {}),
        ("P", "PNG", {}),
        ("P", "BMP", {}),
        ("YCbCr", "TIFF", {}),
    ],
)
def test_other_kinds_of_colour(mode: str, kind: str, options: dict[str, Any]) -> None:
    image = quarters().quantize(8) if mode == "P" else quarters().convert(mode)
    _, seen = look(encode(image, kind, **options))
    for found, expected in zip(colours(seen), (RED, GREEN, BLUE, YELLOW), strict=True):
        assert close(found, expected), f"{found} is not {expected}"


def test_black_and_white() -> None:
    image = Image.new("1", (300, 200), 1)
    image.paste(0, (0, 0, 150, 200))
    _, seen = look(encode(image, "TIFF", compression="group4"))
    assert close(colours(seen)[0], (0, 0, 0))
    assert close(colours(seen)[1], (255, 255, 255))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_colour_profile_is_applied(kind: str) -> None:
    data = encode(quarters(), kind, icc_profile=OTHER_COLOURS)
    _, seen = look(data)
    assert seen.info.get("icc_profile") is None
    assert close(colours(seen)[0], RED[::-1], tolerance=16)
    assert close(colours(seen)[2], BLUE[::-1], tolerance=16)


@pytest.mark.parametrize(
    "profile", [b"broken", SRGB[:200], SRGB.replace(b"RGB ", b"CMYK"), SRGB.replace(b"RGB ", b"GRAY")]
)
def test_a_broken_profile_is_ignored(profile: bytes) -> None:
    _, seen = look(encode(quarters(), "JPEG", icc_profile=profile))
    assert close(colours(seen)[0], RED)


def noise(width: int = 300, height: int = 200) -> Image.Image:
    return Image.effect_noise((width, height), 80).convert("RGB")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "HEIC"])
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.95])
def test_a_truncated_file_is_refused(kind: str, kept: float) -> None:
    data = encode(noise(), kind)
    with pytest.raises(ImageUnreadable, match="picture: broken or truncated") as caught:
        look(data[: int(len(data) * kept)])
    assert caught.value.hint


@pytest.mark.parametrize(
    ("data", "seems"),
    [
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "SVG"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video"),
        (b"RIFF\0\0\0\0AVI LIST", "RIFF"),
        (b"PK\3\4rest", "ZIP"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"8BPS\0\1", "Photoshop"),
        (b"just words", "text"),
        (b"\x01\x02\x03", "unknown kind"),
        (b"\0", "unknown kind"),
    ],
)
def test_the_message_names_the_format_of_other_files(data: bytes, seems: str) -> None:
    with pytest.raises(ImageUnreadable, match=seems) as caught:
        look(data)
    assert caught.value.hint == "JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP and HEIC are read"


def png_header(width: int, height: int) -> bytes:
    """A PNG with a huge size in its header and a few bytes of data."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(2001, 2000), (12_000, 9_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_a_decompression_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(ImageTooLarge, match=rf"{width} x {height} pixels, over the limit of 4 megapixels"):
        look(png_header(width, height))


def test_a_webp_bomb_is_refused_before_its_canvas_is_made() -> None:
    data = encode(quarters(), "WEBP", icc_profile=SRGB)  # the profile makes it an extended file, with a canvas size
    at = data.index(b"VP8X") + 12
    with pytest.raises(ImageTooLarge, match=r"picture: WebP file: Image size \(268435456 pixels\)"):
        look(data[:at] + b"\xff\x3f\0\xff\x3f\0" + data[at + 6 :])


def test_a_large_picture_passes_where_settings_allow_it() -> None:
    data = encode(Image.new("1", (20_000, 10_000)), "PNG")  # twice what Pillow refuses by itself
    picture, _ = look(data, max_pixels=200_000_000)
    assert (picture.width, picture.height) == (224, 112)


def test_a_strip_is_refused() -> None:
    with pytest.raises(ImageUnreadable, match="1000 x 4 pixels: one side is more than 200 times the other"):
        look(encode(Image.new("RGB", (1000, 4)), "PNG"))


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (28, 28), (57, 1)])
def test_the_smallest_pictures_are_read(size: tuple[int, int]) -> None:
    picture, seen = look(encode(Image.new("RGB", size, RED), "PNG"))
    assert picture.width * picture.height >= 56 * 56
    assert close(middle(seen), RED)


def test_a_small_picture_is_not_enlarged() -> None:
    picture, _ = look(sample("PNG", 640, 480), long_edge=2048)
    assert (picture.width, picture.height) == (644, 476)


@pytest.mark.parametrize("comment", [b"x" * 60_000, b"GPS 51.5, -0.1"])
def test_nothing_but_pixels_is_sent(comment: bytes) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    picture, _ = look(encode(quarters(), "JPEG", comment=comment, exif=exif))
    assert comment not in picture.data
    assert b"taken at home" not in picture.data
