"""Pictures in memory: the same as the same picture from a file."""

from __future__ import annotations

import io
import socket
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from onelook.engines.size_grid import DEFAULT_GRID
from onelook.errors import ImageError, ImageNotFound, ImageTooLarge, ImageUnreadable
from onelook.images.memory import InMemory
from onelook.images.original import Original
from onelook.images.picture import Picture
from onelook.images.source import describe, read
from onelook.settings.resolution import at_most
from tests.images.image_samples import LIMITS, OTHER_COLOURS, close, colours, encode, quarters, sample

BOUNDS = at_most(224)


async def load(reference: object) -> Picture:
    data = await read(reference, LIMITS)
    name = describe(reference)
    original = Original(data, name=name, max_pixels=LIMITS.max_pixels, up_to=[BOUNDS], grid=DEFAULT_GRID)
    return original.picture(BOUNDS)


def pixels(picture: Picture) -> npt.NDArray[np.int16]:
    return np.asarray(picture.pixels().convert("RGB")).astype(np.int16)


def array(image: Image.Image) -> npt.NDArray[np.uint8]:
    return np.asarray(image).astype(np.uint8)


class OnlyRead:
    """A stream: it cannot be rewound, and gives less than it is asked for."""

    def __init__(self, data: bytes) -> None:
        self.file = io.BytesIO(data)

    def read(self, size: int = -1, /) -> bytes:
        return self.file.read(min(size, 1000))


def written(path: Path) -> Path:
    path.write_bytes(sample("PNG"))
    return path


def buffer_at_its_end() -> io.BytesIO:
    buffer = io.BytesIO()
    quarters().save(buffer, "PNG")
    return buffer


WAYS: dict[str, Callable[[Path], Any]] = {
    "path": lambda folder: written(folder / "看 一 眼.png"),
    "text": lambda folder: str(written(folder / "a.png")),
    "bytes": lambda _: sample("PNG"),
    "bytearray": lambda _: bytearray(sample("PNG")),
    "memoryview": lambda _: memoryview(sample("PNG")),
    "file": lambda folder: written(folder / "b.png").open("rb"),
    "buffer at its end": lambda _: buffer_at_its_end(),
    "stream": lambda _: OnlyRead(sample("PNG")),
    "PIL image": lambda _: quarters(),
    "PIL image of a file": lambda folder: Image.open(written(folder / "c.png")),
    "PIL image with a palette": lambda _: quarters().quantize(8),
    "array": lambda _: array(quarters()),
    "array that is a view": lambda _: array(quarters(600, 400))[::2, ::2],
    "array stored by columns": lambda _: np.asfortranarray(array(quarters())),
}


@pytest.mark.parametrize("way", WAYS)
async def test_one_picture_in_every_way(way: str, tmp_path: Path) -> None:
    for on_its_way in (False, True):
        reference = WAYS[way](tmp_path)
        picture = await load(InMemory(reference) if on_its_way else reference)
        assert (picture.width, picture.height) == (224, 140)
        assert (picture.source_width, picture.source_height) == (300, 200)
        assert np.abs(pixels(picture) - pixels(await load(sample("PNG")))).max() <= 2
        if hasattr(reference, "close"):
            reference.close()


MODES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "L": lambda image: image.convert("L"),
    "LA": lambda image: image.convert("LA"),
    "P": lambda image: image.quantize(16),
    "1": lambda image: image.convert("1"),
    "RGBA": lambda image: with_alpha(image),
    "I;16": lambda image: Image.fromarray(array(image.convert("L")).astype(np.uint16) * 200),
    "I": lambda image: Image.fromarray(array(image.convert("L")).astype(np.int32) * 1000),
    "F": lambda image: Image.fromarray(array(image.convert("L")).astype(np.float32) / 255),
    "CMYK": lambda image: image.convert("CMYK"),
}


def with_alpha(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


@pytest.mark.parametrize("mode", MODES)
async def test_every_mode_looks_as_it_does_from_a_file(mode: str) -> None:
    image = MODES[mode](quarters())
    assert image.mode == mode
    from_file = await load(encode(image, "TIFF"))
    assert np.abs(pixels(await load(image)) - pixels(from_file)).max() <= 1


@pytest.mark.parametrize("turn", range(1, 9))
async def test_orientation_is_that_of_the_file(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    data = encode(quarters(), "PNG", exif=exif)
    from_file, from_memory = await load(data), await load(Image.open(io.BytesIO(data)))
    assert (from_memory.width, from_memory.height) == (from_file.width, from_file.height)
    assert (from_memory.source_width, from_memory.source_height) == (from_file.source_width, from_file.source_height)
    assert np.array_equal(pixels(from_memory), pixels(from_file))


async def test_a_colour_profile_is_that_of_the_file() -> None:
    data = encode(quarters(), "PNG", icc_profile=OTHER_COLOURS)
    from_memory = await load(Image.open(io.BytesIO(data)))
    assert np.array_equal(pixels(from_memory), pixels(await load(data)))
    assert not np.array_equal(pixels(from_memory), pixels(await load(quarters())))


async def test_pixels_that_have_lost_detail_are_not_kept_as_if_they_had_not() -> None:
    photograph = Image.effect_noise((224, 140), 60).convert("RGB")
    lossless, lossy = [
        len((await load(Image.open(io.BytesIO(encode(photograph, kind))))).data) for kind in ("PNG", "JPEG")
    ]
    assert lossless > 1.2 * lossy


async def test_the_callers_image_stays_as_it_is() -> None:
    image = Image.open(io.BytesIO(encode(quarters(3000, 1000), "JPEG")))
    picture = await load(image)
    assert image.size == (3000, 1000)
    assert (picture.source_width, picture.source_height) == (3000, 1000)
    assert all(close(found, expected) for found, expected in zip(colours(image), colours(quarters()), strict=True))


async def test_the_frame_that_the_image_shows_is_looked_at() -> None:
    image = Image.open(io.BytesIO(sample("animated GIF")))
    image.seek(1)
    assert pixels(await load(image)).max() == 0


async def test_a_picture_within_an_archive_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a.png", sample("PNG"))
    with zipfile.ZipFile(tmp_path / "all.zip") as archive, archive.open("a.png") as file:
        assert (await load(file)).width == 224


def closed_image() -> Image.Image:
    image = Image.open(io.BytesIO(sample("JPEG")))
    image.close()
    return image


def closed_file() -> io.BytesIO:
    file = io.BytesIO(sample("JPEG"))
    file.close()
    return file


def released() -> memoryview:
    view = memoryview(sample("JPEG"))
    view.release()
    return view


class AsyncFile:
    async def read(self, size: int = -1) -> bytes:
        return b""


class Hostile:
    @property
    def read(self) -> None:
        raise RuntimeError("no")

    @property
    def __array_interface__(self) -> None:
        raise RuntimeError("no")

    def __fspath__(self) -> str:
        raise RuntimeError("no")


class FailingFile:
    def read(self, size: int) -> bytes:
        raise LookupError("nothing in the bucket")


def named(value: object) -> str:
    """An id that is the same in every process, as pytest-xdist needs it: no address, no pixels."""
    return value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)


@pytest.mark.parametrize(
    ("thing", "error", "says"),
    [
        (None, ImageUnreadable, "None: not a picture"),
        (7, ImageUnreadable, "int object: not a picture"),
        ({"image": "a.jpg"}, ImageUnreadable, "dict object: not a picture"),
        ([["a.jpg"]], ImageUnreadable, "list object: not a picture"),
        (object(), ImageUnreadable, "object object: not a picture"),
        (Hostile(), ImageUnreadable, "Hostile object: not a picture"),
        (b"", ImageUnreadable, "the given bytes: zero bytes"),
        (bytearray(3_000_000), ImageTooLarge, "the given bytes: 3.0 MB, over the limit of 2 MB"),
        (released(), ImageUnreadable, "released memoryview"),
        (Path("no/such.jpg"), ImageNotFound, "no/such.jpg: no such file"),
        (Path("http://host/a.jpg"), ImageNotFound, "http:/host/a.jpg: no such file"),
        (io.BytesIO(), ImageUnreadable, "file object: zero bytes"),
        (io.BytesIO(bytes(3_000_000)), ImageTooLarge, "file object is larger than 2 MB"),
        (OnlyRead(bytes(3_000_000)), ImageTooLarge, "file object is larger than 2 MB"),
        (io.StringIO("a picture"), ImageUnreadable, "file object: opened as text"),
        (closed_file(), ImageUnreadable, "file object: cannot be read: I/O operation on closed file"),
        (AsyncFile(), ImageUnreadable, "file object: an asynchronous file"),
        (FailingFile(), ImageUnreadable, "file object: cannot be read: nothing in the bucket"),
        (closed_image(), ImageUnreadable, "PIL image 300×200 RGB: the pixels cannot be read"),
        (Image.new("RGB", (0, 5)), ImageUnreadable, "PIL image 0×5 RGB: no pixels in it"),
        (Image.new("RGB", (3000, 2000)), ImageTooLarge, "3000 x 2000 pixels, over the limit of 4 megapixels"),
        (Image.new("RGB", (3000, 2)), ImageUnreadable, "one side is more than 200 times the other"),
        (
            Image.new("F", (30, 20), float("nan")),
            ImageUnreadable,
            "F: the pixels cannot be read: pixels that are not finite",
        ),
        (np.zeros((2000, 3000, 3), np.uint8), ImageTooLarge, "3000 x 2000 pixels, over the limit of 4 megapixels"),
        (np.zeros((20, 30, 3), np.float32), ImageUnreadable, "image array 20×30×3 of float32: expected height x width"),
        (np.zeros((20, 30, 3), np.uint16), ImageUnreadable, "of uint16"),
        (np.zeros((20, 30), bool), ImageUnreadable, "of bool"),
        (np.zeros((3, 20, 30), np.uint8), ImageUnreadable, "image array 3×20×30 of uint8: expected"),
        (np.zeros((4, 20, 30, 3), np.uint8), ImageUnreadable, "image array 4×20×30×3 of uint8: expected"),
        (np.zeros(20, np.uint8), ImageUnreadable, "image array 20 of uint8: expected"),
        (np.zeros((0, 30, 3), np.uint8), ImageUnreadable, "image array 0×30×3 of uint8: expected"),
        (np.uint8(3), ImageUnreadable, "image array  of uint8: expected"),
    ],
    ids=named,
)
async def test_what_cannot_be_looked_at(thing: object, error: type[ImageError], says: str) -> None:
    with pytest.raises(error) as raised:
        await load(thing)
    assert says in raised.value.message
    assert raised.value.hint


async def test_a_folder_and_a_socket_are_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(ImageUnreadable, match="is a folder"):
        await load(tmp_path)
    with socket.socket() as channel, pytest.raises(ImageUnreadable, match="socket object: not a picture"):
        await load(channel)


async def test_names_are_those_of_files_where_there_are_any(tmp_path: Path) -> None:
    path = written(tmp_path / "cat.png")
    with path.open("rb") as file, Image.open(path) as image, tempfile.TemporaryFile() as unnamed:
        assert [describe(each) for each in (path, file, image, unnamed)] == [*[str(path)] * 3, "file object"]
    assert describe(np.zeros((480, 640, 3), np.uint8)) == "image array 480×640×3"
    assert describe(quarters()) == "PIL image 300×200 RGB"
    assert describe(InMemory(quarters())) == "PIL image 300×200 RGB"


def test_a_picture_on_its_way_shows_its_name_only() -> None:
    for reference in (sample("PNG"), bytearray(sample("PNG")), np.full((90, 90), 77, np.uint8)):
        shown = repr(InMemory(reference))
        assert len(shown) < 40
        assert "77" not in shown
