"""Both ways to resize: they give the same picture."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageFilter

from onelook.images import resize
from tests.images.image_samples import encode, prepare

SIDES = st.integers(1, 300)


def texture(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Without the overshoot of noise, which each way clips in its own order of rows and columns."""
    return Image.effect_noise((width, height), 60).filter(ImageFilter.GaussianBlur(1.5)).convert("RGB").convert(mode)


def greatest_difference(one: Image.Image, other: Image.Image) -> int:
    return max(ImageChops.difference(one, other).tobytes())


@given(
    width=SIDES,
    height=SIDES,
    shrunk=st.tuples(st.floats(0.1, 1), st.floats(0.1, 1)),
    mode=st.sampled_from(["L", "RGB", "CMYK"]),
)
def test_a_picture_shrinks_as_with_pillow(width: int, height: int, shrunk: tuple[float, float], mode: str) -> None:
    pixels = texture(width, height, mode)
    size = max(1, round(width * shrunk[0])), max(1, round(height * shrunk[1]))
    resized = resize.lanczos(pixels, size)
    assert (resized.size, resized.mode) == (size, mode)
    assert greatest_difference(resized, pixels.resize(size, Image.Resampling.LANCZOS)) <= 2


@given(width=SIDES, height=SIDES, grown=st.tuples(st.floats(1, 4), st.floats(1, 4)))
def test_a_small_picture_grows_as_with_pillow(width: int, height: int, grown: tuple[float, float]) -> None:
    pixels = texture(width, height)
    size = round(width * grown[0]), round(height * grown[1])
    assert greatest_difference(resize.lanczos(pixels, size), pixels.resize(size, Image.Resampling.LANCZOS)) <= 3


def test_pictures_are_resized_in_several_threads_at_once() -> None:
    pixels = [texture(900 + number, 700) for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: resize.lanczos(each, (448, 336)).tobytes(), pixels))
    assert together == [resize.lanczos(each, (448, 336)).tobytes() for each in pixels]


def test_a_picture_of_many_megabytes_keeps_its_rows() -> None:
    """Pillow stores it in several blocks."""
    pixels = Image.linear_gradient("L").resize((6000, 5000)).convert("RGB")
    assert greatest_difference(resize.lanczos(pixels, (600, 500)), pixels.reduce(10)) <= 2


def test_pillow_resizes_where_the_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(texture(1000, 700), "PNG")
    fast = prepare(data, name="texture", long_edge=448, max_pixels=1_000_000)
    monkeypatch.setattr(resize, "Resizer", None)
    slow = prepare(data, name="texture", long_edge=448, max_pixels=1_000_000)
    assert (fast.width, fast.height) == (slow.width, slow.height)
    assert greatest_difference(*(Image.open(BytesIO(each.data)) for each in (fast, slow))) <= 12  # JPEG adds to it
