"""What is valid but not supported is named, and never reported as damage."""

from __future__ import annotations

import struct
import sys
from io import BytesIO

import pytest
from PIL import AvifImagePlugin, Image

from onelook.errors import ImageUnreadable
from tests.images.image_samples import encode, prepare, sample
from tests.images.tiff_writer import Kind, write_tiff


def refusal(data: bytes) -> ImageUnreadable:
    with pytest.raises(ImageUnreadable) as caught:
        prepare(data, name="a", long_edge=224, max_pixels=4_000_000)
    assert "broken" not in caught.value.message
    assert caught.value.hint
    return caught.value


def test_a_12_bit_jpeg() -> None:
    data = bytearray(sample("JPEG"))
    data[data.index(b"\xff\xc0") + 4] = 12
    assert refusal(bytes(data)).message == "a: a JPEG file with 12 bits a channel, which is not supported"


@pytest.mark.parametrize("photometric", [2, 32803])
def test_a_dng_is_no_tiff_of_its_preview(photometric: int) -> None:
    plain = write_tiff(Kind(photometric, 8, 1, 1, "<", 1))
    data = plain.replace(b"\x53\x01\x03\0", b"\x12\xc6\x03\0", 1)  # SampleFormat, the last tag, becomes DNGVersion
    assert data != plain
    assert "the raw data of a camera (DNG), which is not supported" in refusal(data).message


def test_a_heic_of_an_unknown_compression() -> None:
    assert "a compression that the installed decoder" in refusal(sample("HEIC").replace(b"hvc1", b"vvc1")).message


def test_a_missing_package_for_heic_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sample("HEIC")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    refused = refusal(data)
    assert "pillow-heif is missing" in refused.message
    assert refused.hint is not None
    assert "pip install" in refused.hint


def test_a_pillow_without_avif_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sample("AVIF")
    monkeypatch.setattr(AvifImagePlugin, "SUPPORTED", False)
    assert "Pillow is built without them" in refusal(data).message


def cropped_avif() -> bytes:
    """The four quarters, of which a clean aperture (ISO/IEC 14496-12, 12.1.4) shows the middle 100 x 100 pixels."""
    data = bytearray(sample("AVIF"))
    crop = struct.pack(">I4s8i", 40, b"clap", 100, 1, 100, 1, 0, 1, 0, 1)
    pixels = data.index(b"mdat") + 4
    place = data.index(struct.pack(">I", pixels))  # in iloc
    data[place : place + 4] = struct.pack(">I", pixels + len(crop) + 1)
    start, uses = data.index(b"ipco") - 4, data.index(b"ipma") - 4
    size, count = struct.unpack_from(">I", data, start)[0], uses + 18  # ipma: head, flags, one item, its id, count
    properties = _properties(data, start)
    end = uses + struct.unpack_from(">I", data, uses)[0]
    data[count] += 1
    data[end:end] = bytes([0x80 | properties + 1])  # essential
    data[start + size : start + size] = crop
    for name, more in ((b"meta", 41), (b"iprp", 41), (b"ipco", 40), (b"ipma", 1)):
        at = data.index(name) - 4
        data[at : at + 4] = struct.pack(">I", struct.unpack_from(">I", data, at)[0] + more)
    return bytes(data)


def _properties(data: bytearray, start: int) -> int:
    """How many boxes are in the one at `start`."""
    end, at, found = start + struct.unpack_from(">I", data, start)[0], start + 8, 0
    while at < end:
        at, found = at + struct.unpack_from(">I", data, at)[0], found + 1
    return found


def test_a_cropped_avif_is_refused_because_pillow_shows_all_of_it() -> None:
    data = cropped_avif()
    with AvifImagePlugin.AvifImageFile(BytesIO(data)) as image:
        image.load()
        assert image.size == (300, 200)
    assert "a cropped picture (clean aperture), which is not supported" in refusal(data).message


def test_pillows_own_limit_gives_way_to_a_larger_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)  # an error from twice as many on
    picture = prepare(encode(Image.new("L", (300, 200)), "TIFF"), name="a", long_edge=224, max_pixels=100_000)
    assert picture.width == 224


def test_libtiff_writes_nothing_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    data = write_tiff(Kind(2, 8, 1, 1, "<", 8))
    with pytest.raises(ImageUnreadable, match="its decoder fails"):
        prepare(data.replace(b"\x78\x9c", b"\0\0", 1), name="a", long_edge=224, max_pixels=4_000_000)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("marker", "coding"),
    [(0xC3, "lossless"), (0xC5, "hierarchical"), (0xCE, "hierarchical"), (0xCB, "lossless arithmetic")],
)
def test_a_jpeg_whose_coding_is_not_read(marker: int, coding: str) -> None:
    data = bytearray(sample("JPEG"))
    data[data.index(b"\xff\xc0") + 1] = marker
    assert refusal(bytes(data)).message == f"a: a JPEG file with {coding} coding, which is not supported"


def test_a_jpeg_in_arithmetic_coding_is_read() -> None:
    data = bytearray(sample("JPEG"))
    data[data.index(b"\xff\xc0") + 1] = 0xC9
    assert prepare(bytes(data), name="a", long_edge=224, max_pixels=4_000_000).width == 224
