from math import ceil, floor, sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from onelook.images.sizing import Layout, layout
from onelook.settings.resolution import Bounds, at_most

SIDES = st.integers(1, 20_000)
LONG_EDGES = st.integers(224, 2048)
GRIDS = st.sampled_from([14, 16, 28, 32])


def what_the_model_makes_of(width: int, height: int, *, max_pixels: int) -> tuple[int, int]:
    """Qwen2-VL's rule: multiples of 28, area between 56 x 56 and max_pixels."""
    columns, rows = round(width / 28), round(height / 28)
    if columns * rows * 784 > max_pixels:
        shrink = sqrt(width * height / max_pixels)
        columns, rows = max(1, floor(width / shrink / 28)), max(1, floor(height / shrink / 28))
    elif columns * rows * 784 < 56 * 56:
        grow = sqrt(56 * 56 / (width * height))
        columns, rows = ceil(width * grow / 28), ceil(height * grow / 28)
    return columns * 28, rows * 28


@given(SIDES, SIDES, LONG_EDGES)
def test_the_model_does_not_resize_again(width: int, height: int, long_edge: int) -> None:
    assume(max(width, height) <= 200 * min(width, height))
    sent = layout(width, height, at_most(long_edge), 28).sent
    assert what_the_model_makes_of(*sent, max_pixels=long_edge**2) == sent


@given(SIDES, SIDES, LONG_EDGES, GRIDS)
def test_the_long_edge_is_kept_and_the_shapes_too(width: int, height: int, long_edge: int, grid: int) -> None:
    assume(max(width, height) <= 200 * min(width, height))
    found = layout(width, height, at_most(long_edge), grid)
    assert max(found.sent) <= long_edge
    assert all(side % grid == 0 for side in found.sent)
    assert all(drawn <= sent for drawn, sent in zip(found.drawn, found.sent, strict=True))
    stretch = (found.drawn[0] * height) / (found.drawn[1] * width)
    assert 1 / 1.0101 <= stretch <= 1.0101
    if min(found.drawn) > 2 * grid:  # no thin strip
        scale = min(1.0, long_edge // grid * grid / max(width, height))
        assert found.drawn[0] >= 0.88 * width * scale


@given(SIDES, SIDES, LONG_EDGES)
def test_a_turned_picture_gets_the_turned_size(width: int, height: int, long_edge: int) -> None:
    assume(max(width, height) <= 200 * min(width, height))
    bounds = at_most(long_edge)
    assert layout(width, height, bounds, 28).sent == layout(height, width, bounds, 28).sent[::-1]


@pytest.mark.parametrize(
    ("source", "long_edge", "sent"),
    [
        ((4000, 3000), 768, (756, 560)),
        ((3024, 4032), 768, (560, 756)),
        ((640, 480), 768, (644, 476)),  # not enlarged: the nearest multiples of 28
        ((1, 1), 768, (56, 56)),
        ((100, 10), 768, (112, 28)),
        ((2000, 10), 224, (224, 28)),
        ((5000, 5000), 2048, (2044, 2044)),
    ],
)
def test_sizes(source: tuple[int, int], long_edge: int, sent: tuple[int, int]) -> None:
    assert layout(*source, at_most(long_edge), 28).sent == sent


def test_a_strip_is_refused() -> None:
    with pytest.raises(ValueError, match="201 x 1 pixels: one side is more than 200 times the other"):
        layout(201, 1, at_most(768), 28)


SQUARES = st.tuples(st.integers(56, 2048), st.integers(224, 2048)).filter(lambda ends: ends[0] <= ends[1])


@given(SIDES, SIDES, SQUARES)
def test_by_the_square_the_model_does_not_resize_again(width: int, height: int, ends: tuple[int, int]) -> None:
    assume(max(width, height) <= 200 * min(width, height))
    sent = layout(width, height, Bounds("square", *ends), 28).sent
    assert what_the_model_makes_of(*sent, max_pixels=ends[1] ** 2) == sent
    assert sent[0] * sent[1] <= ends[1] ** 2


@given(st.integers(200, 4000), st.integers(200, 4000), SQUARES)
def test_by_the_square_the_aspect_ratio_is_kept(width: int, height: int, ends: tuple[int, int]) -> None:
    drawn_width, drawn_height = layout(width, height, Bounds("square", *ends), 28).drawn
    assert 1 / 1.0101 <= (drawn_width * height) / (drawn_height * width) <= 1.0101


def test_full_hd_goes_to_a_grid_of_32_without_being_resampled_or_stretched() -> None:
    assert layout(1920, 1080, at_most(768), 32) == Layout(sent=(768, 416), drawn=(740, 416))


@pytest.mark.parametrize(
    ("source", "bounds", "sent"),
    [
        ((4000, 3000), Bounds("long_edge", 448, 768), (756, 560)),
        ((600, 450), Bounds("long_edge", 448, 768), (588, 448)),
        ((200, 150), Bounds("long_edge", 448, 768), (448, 336)),
        ((4000, 3000), Bounds("square", 512, 1024), (1148, 868)),
        ((2480, 3508), Bounds("square", 512, 1024), (840, 1204)),
        ((800, 600), Bounds("square", 512, 1024), (784, 588)),
        ((300, 200), Bounds("square", 512, 1024), (644, 420)),
        ((4000, 3000), Bounds("square", 768, 1536), (1764, 1316)),
    ],
)
def test_sizes_between_bounds(source: tuple[int, int], bounds: Bounds, sent: tuple[int, int]) -> None:
    assert layout(*source, bounds, 28).sent == sent
