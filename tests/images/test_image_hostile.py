"""Files that were made to break decoders: each is that picture's error, or the right picture."""

from __future__ import annotations

import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks.hostile import PYTHON_ERROR, try_mutations, with_checksums
from onelook.errors import ImageError, ImageTooLarge, ImageUnreadable
from onelook.images.decode import decoding
from onelook.images.decode_memory import DecodeBudget, check_decode_bytes
from onelook.images.original import Original
from onelook.images.scans import SCAN, count_scans, has_one_scan
from onelook.images.shrink import shrink
from onelook.images.thumbnail import thumbnail
from onelook.settings.resolution import at_most
from tests.images.image_samples import LIMITS

CASES = Path(__file__).parent / "cases"
UNREADABLE = (
    "avif-timescale-0.avif",
    "bigtiff-strip-beyond-2-63.tif",
    "palette-without-plte.png",
    "png-damaged-112x112.png",
    "png-damaged-130x100.png",
    "tiff-palette-of-signed-numbers.tif",
)
BOUNDS = at_most(768)


def opened(name: str, data: bytes | None = None, max_pixels: int = 100_000_000) -> Original:
    content = (CASES / name).read_bytes() if data is None else data
    return Original(content, name=name, max_pixels=max_pixels, up_to=[BOUNDS], grid=28)


@pytest.mark.parametrize("name", UNREADABLE)
def test_whatever_a_decoder_raises_is_the_pictures_error(name: str) -> None:
    with pytest.raises(ImageUnreadable, match=name):
        opened(name).picture(BOUNDS)


@pytest.mark.parametrize("name", UNREADABLE)
def test_no_message_shows_pythons_own_words(name: str) -> None:
    with pytest.raises(ImageUnreadable) as refused:
        opened(name).picture(BOUNDS)
    assert not PYTHON_ERROR.search(refused.value.message)


@pytest.mark.parametrize("name", ["png-damaged-112x112.png", "png-damaged-130x100.png"])
def test_a_damaged_png_stays_refused_however_it_is_asked(name: str) -> None:
    """Pillow takes a second `load` after one that failed for done."""
    with pytest.raises(ImageUnreadable):
        opened(name).size(BOUNDS)
    original = opened(name)
    for _ in range(3):
        with pytest.raises(ImageUnreadable):
            original.picture(BOUNDS)
    with pytest.raises(ImageUnreadable):
        _ = original.content


@pytest.mark.parametrize("name", ["tiff-icc-profile-as-number.tif", "tiff-icc-profile-as-text.tif"])
def test_something_else_in_the_place_of_a_profile_is_no_profile(name: str) -> None:
    assert opened(name).picture(BOUNDS).width == 112


@pytest.mark.parametrize("raised", [AssertionError(), KeyError("x"), RecursionError(), OverflowError("too large")])
def test_every_kind_of_exception_is_translated(raised: Exception) -> None:
    with pytest.raises(ImageUnreadable, match=r"a\.tif: broken or truncated TIFF file: \S"), decoding("a.tif", "TIFF"):
        raise raised


def test_too_little_memory_is_the_pictures_error() -> None:
    with pytest.raises(ImageTooLarge, match="not enough memory"), decoding("a.tif", "TIFF"):
        raise MemoryError


def test_the_callers_own_interruption_is_not_translated() -> None:
    with pytest.raises(KeyboardInterrupt), decoding("a.tif", "TIFF"):
        raise KeyboardInterrupt


def test_a_jpeg_of_hundreds_of_scans_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(ImageTooLarge, match="501 scans, over the limit of 59 for its size"):
        opened("jpeg-500-scans.jpg")


@pytest.mark.parametrize("progressive", [False, True])
def test_scans_of_usual_jpegs(progressive: bool) -> None:
    held = BytesIO()
    Image.effect_noise((300, 200), 80).convert("RGB").save(held, "JPEG", progressive=progressive, quality=95)
    # Pillow's are libjpeg-turbo's own scripts: 1, or the standard 10
    assert count_scans(held.getvalue()) == (10 if progressive else 1)
    assert has_one_scan(held.getvalue()) is not progressive
    assert opened("noise.jpg", held.getvalue()).picture(BOUNDS).source_width == 300


def test_a_scan_of_one_component_has_others_behind_it() -> None:
    held = BytesIO()
    Image.effect_noise((300, 200), 80).convert("RGB").save(held, "JPEG")
    data = held.getvalue()
    components = data.index(SCAN) + len(SCAN) + 2  # behind the length of the segment
    assert data[components] == 3
    assert not has_one_scan(data[:components] + b"\x01" + data[components + 1 :])
    assert not has_one_scan(data[: data.index(SCAN)])


def test_the_markers_in_metadata_are_no_scans() -> None:
    held = BytesIO()
    Image.new("RGB", (300, 200), "teal").save(held, "JPEG", comment=200 * SCAN)
    assert opened("a.jpg", held.getvalue()).scan_pixels == 300 * 200


def test_a_marker_without_a_segment_hides_no_scans() -> None:
    """Read as a segment, what follows FF 01 would be skipped."""
    data = (CASES / "jpeg-500-scans.jpg").read_bytes()
    hiding = data[:2] + b"\xff\x01" + data[2:]
    assert count_scans(hiding) == count_scans(data) == 501
    first = data.index(SCAN)
    decoy = b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00" + SCAN + b"\x00\x08\x01\x01\x00\x00\x3f\x00"
    assert has_one_scan(data[:2] + decoy)
    assert not has_one_scan(data[:2] + b"\xff\x01" + data[2:first] + decoy)


def test_a_jpeg_that_was_passed_through_is_found_broken_when_it_is_decoded() -> None:
    picture = opened("jpeg-damaged-280x196.jpg").picture(BOUNDS)
    assert picture.untouched
    with pytest.raises(ImageUnreadable, match=r"jpeg-damaged-280x196\.jpg: broken or truncated JPEG"):
        picture.pixels()


def test_a_thumbnail_of_a_broken_file_is_none() -> None:
    for name in UNREADABLE:
        assert thumbnail(str(CASES / name), LIMITS) is None


def test_the_memory_of_decoding_is_known_before() -> None:
    original = opened("webp-100-megapixels-in-40-bytes.webp")
    assert original.decode_bytes == 16 * 16383 * 6103
    with pytest.raises(ImageTooLarge, match=r"a\.webp: decoding it takes 1600 MB .* over the limit of 600 MB"):
        check_decode_bytes(original.decode_bytes, "a.webp", 600_000_000)


def test_a_large_jpeg_needs_the_memory_of_its_reduced_size() -> None:
    held = BytesIO()
    Image.new("RGB", (8000, 6000), "teal").save(held, "JPEG")
    assert opened("large.jpg", held.getvalue()).decode_bytes == 4 * 1000 * 750


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "I;16"])
def test_shrinking_in_strips_gives_the_picture_that_shrinking_whole_gives(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grey = Image.linear_gradient("L").resize((300, 211))
    image = grey.convert("I").point(lambda value: value * 257).convert("I;16") if mode == "I;16" else grey.convert(mode)
    whole = shrink(image, 4)
    monkeypatch.setattr("onelook.images.shrink.STRIP_PIXELS", 1)
    assert whole.size == (75, 53)
    assert shrink(image, 4).tobytes() == whole.tobytes()


def test_transparent_pixels_do_not_bleed_when_a_picture_shrinks() -> None:
    image = Image.new("RGBA", (400, 400), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 201, 400))
    assert shrink(image, 4).getpixel((50, 50)) == (0, 0, 255, 64)


def test_pictures_beyond_the_budget_wait_and_one_larger_than_it_runs_alone() -> None:
    budget = DecodeBudget(100)
    with budget.room(1000):
        pass
    entered: list[str] = []
    with budget.room(60), budget.room(40):
        waiting = threading.Thread(target=lambda: _enter(budget, entered))
        waiting.start()
        assert entered == []
    waiting.join()
    assert entered == ["entered"]


def _enter(budget: DecodeBudget, entered: list[str]) -> None:
    with budget.room(1):
        entered.append("entered")


PEAK = """
import re, sys
from pathlib import Path
from onelook.images.original import Original
from onelook.settings.resolution import at_most
original = Original(sys.stdin.buffer.read(), name="x", max_pixels=100_000_000, up_to=[at_most(768)], grid=28)
assert original.decode_bytes <= 600_000_000
original.picture(at_most(768))
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("kind", "mode", "megapixels"),
    [("PNG", "RGBA", 100), ("PNG", "P", 100), ("WEBP", "RGBA", 35), ("TIFF", "RGB", 100)],
)
def test_the_largest_legal_picture_takes_less_than_700_mb(kind: str, mode: str, megapixels: int) -> None:
    held = BytesIO()
    options: dict[str, dict[str, Any]] = {
        "TIFF": {"compression": "tiff_lzw"},
        "WEBP": {"lossless": True, "method": 0},
    }
    Image.new(mode, (10_000, megapixels * 100)).save(held, kind, **options.get(kind, {}))
    command = [sys.executable, "-c", PEAK]
    ran = subprocess.run(command, input=held.getvalue(), capture_output=True, check=True)
    assert int(ran.stdout) < 700_000_000


def test_an_image_error_passes_through_unchanged() -> None:
    error = ImageTooLarge("x", hint="y")
    with pytest.raises(ImageError) as caught, decoding("a.tif", "TIFF"):
        raise error
    assert caught.value is error


def test_mutations_of_these_files_are_pictures_or_picture_errors() -> None:
    crashes, _ = try_mutations(sorted(CASES.iterdir()), 500, seed=1, seconds=float("inf"))
    assert crashes == []


def test_a_changed_png_gets_checksums_that_let_it_be_decoded() -> None:
    held = BytesIO()
    Image.new("L", (30, 20)).save(held, "PNG")
    data = bytearray(held.getvalue())
    assert with_checksums(bytearray(data)) == data
    width = data.index(b"IHDR") + 4
    data[width + 3] = 29
    with pytest.raises(ImageUnreadable):
        opened("a.png", bytes(data))
    assert opened("a.png", with_checksums(data)).size(BOUNDS)[0] > 0
