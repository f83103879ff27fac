"""The size of a picture as sent: one that the model's processor does not change, with the shapes in it kept."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import ceil, floor, sqrt

from onelook.settings.resolution import Bounds

MAX_ASPECT_RATIO = 200  # processors of Qwen-VL models refuse a larger ratio
MAX_STRETCH = 0.01  # change of the aspect ratio that is cheaper than padding, and not seen
KEPT = 0.9  # of the scale: what may be given up for a size with fewer tokens

# Processors enlarge anything smaller: Qwen2-VL's and Qwen2.5-VL's under 56 x 56 pixels, Qwen3-VL's under 256 x 256.
LEAST_PIXELS = {28: 56**2, 32: 256**2}


@dataclass(frozen=True, slots=True)
class Layout:
    """Width and height in pixels of what is sent, and of the part in its middle that shows the picture.

    What is not drawn on is padding.
    """

    sent: tuple[int, int]
    drawn: tuple[int, int]


def layout(width: int, height: int, bounds: Bounds, grid: int) -> Layout:
    """How a picture of `width` x `height` pixels is sent within `bounds` to a model with this size grid.

    The sides are multiples of `grid`. `bounds.most` is never exceeded; `bounds.least` can be missed by rounding only.
    The result is a fixed point of `smart_resize` (transformers, models/qwen2_vl/image_processing_qwen2_vl.py) for every
    checkpoint whose `max_pixels` is at least `bounds.most` squared, so the server does not resample again. The aspect
    ratio of what is drawn differs by 1 % at most: where the nearest size would stretch more, the rest is padding.

    Raises:
        ValueError: one side is more than 200 times the other.
    """
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        raise ValueError(f"{width} x {height} pixels: one side is more than {MAX_ASPECT_RATIO} times the other")
    if width < height:
        turned = layout(height, width, bounds, grid)
        return Layout(turned.sent[::-1], turned.drawn[::-1])
    side = sqrt(width * height)
    if bounds.by == "long_edge":
        most_long = bounds.most // grid
        most_cells = most_long**2
        scale = min(max(width, bounds.least), most_long * grid) / width
        least_pixels = LEAST_PIXELS.get(grid, 0)
        least_long = min(bounds.least, bounds.most) // grid * grid
    else:
        most_cells = bounds.most**2 // grid**2
        most_long = most_cells
        scale = min(max(side, bounds.least), bounds.most) / side
        least_pixels = max(bounds.least**2, LEAST_PIXELS.get(grid, 0))
        least_long = 0
    if _up(width * scale, grid) * _up(height * scale, grid) * grid**2 < least_pixels:
        scale = max(scale, min(sqrt(least_pixels) / side, most_long * grid / width))
    choices = [
        _layout(width, height, _within(columns, rows, most_long, most_cells), grid, least_pixels)
        for columns, rows in product(*(_around(length * scale, grid) for length in (width, height)))
    ]

    def preference(choice: Layout) -> tuple[bool, bool, bool, float, int, float]:
        area = choice.sent[0] * choice.sent[1]
        kept = min(1.0, *(have / (length * scale) for have, length in zip(choice.drawn, (width, height), strict=True)))
        padding = 1 - choice.drawn[0] * choice.drawn[1] / area
        refused = choice.sent[0] > MAX_ASPECT_RATIO * choice.sent[1]
        return refused, area < least_pixels or choice.sent[0] < least_long, kept < KEPT, round(padding, 2), area, -kept

    return min(choices, key=preference)


def _layout(width: int, height: int, cells: tuple[int, int], grid: int, least_pixels: int) -> Layout:
    """The largest in a canvas of so many cells, without rows or columns that would be all padding."""
    sent = cells[0] * grid, cells[1] * grid
    drawn = _drawn(width, height, *sent)
    trimmed = _up(drawn[0], grid) * grid, _up(drawn[1], grid) * grid
    return Layout(trimmed if trimmed[0] * trimmed[1] >= least_pixels else sent, drawn)


def _within(columns: int, rows: int, most_long: int, most_cells: int) -> tuple[int, int]:
    """At most so many cells along a side and in all; a longer side gives way."""
    columns, rows = min(columns, most_long), min(rows, most_long)
    if columns < rows:
        return columns, min(rows, most_cells // columns)
    return min(columns, most_cells // rows), rows


def _up(length: float, grid: int) -> int:
    return max(1, ceil(length / grid - 1e-9))


def _around(length: float, grid: int) -> set[int]:
    """The number of cells below and above `length` pixels."""
    return {max(1, floor(length / grid + 1e-9)), _up(length, grid)}


def _drawn(width: int, height: int, sent_width: int, sent_height: int) -> tuple[int, int]:
    """The largest size within `sent_width` x `sent_height` with the aspect ratio of `width` x `height`, within 1 %."""
    if _stretch(width, height, sent_width, sent_height) <= MAX_STRETCH:
        return sent_width, sent_height
    scale = min(sent_width / width, sent_height / height)
    long, short = round(width * scale), max(1, round(height * scale))
    if _stretch(width, height, long, short) > MAX_STRETCH:  # whole pixels do not fit the ratio of a thin strip
        sizes = [(round(side * width / height), side) for side in range(max(1, floor(height * scale)), 0, -1)]
        return min(sizes, key=lambda size: max(MAX_STRETCH, _stretch(width, height, *size)))
    return long, short


def _stretch(width: int, height: int, new_width: int, new_height: int) -> float:
    """By how much the aspect ratio changes: 0 not at all, 0.01 by 1 %."""
    ratio = (new_width * height) / (new_height * width)
    return max(ratio, 1 / ratio) - 1
