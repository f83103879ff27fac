"""The size of a picture as sent: one that a Qwen2-VL image processor does not change."""

from __future__ import annotations

from math import ceil, sqrt

from onelook.settings.resolution import Bounds

PATCH = 28  # a vision token of Qwen2-VL and Qwen2.5-VL covers 28 x 28 pixels: 14-pixel patches, merged 2 x 2
MIN_PATCHES = 4  # their processors enlarge anything under 56 x 56 pixels
MAX_ASPECT_RATIO = 200  # and refuse a larger ratio


def target_size(width: int, height: int, bounds: Bounds) -> tuple[int, int]:
    """Width and height in pixels: multiples of 28 within `bounds`, with the nearest possible aspect ratio.

    `bounds.most` is never exceeded; `bounds.least` can be missed by rounding only. The result is a fixed point of
    `smart_resize` (transformers, models/qwen2_vl/image_processing_qwen2_vl.py) for every checkpoint whose `max_pixels`
    is at least `bounds.most` squared, so the server does not resample again.

    Raises:
        ValueError: one side is more than 200 times the other, which that processor refuses.
    """
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        raise ValueError(f"{width} x {height} pixels: one side is more than {MAX_ASPECT_RATIO} times the other")
    if bounds.by == "long_edge":
        columns, rows = _by_long_edge(width, height, bounds.least, bounds.most)
    else:
        columns, rows = _by_square(width, height, bounds.least, bounds.most)
    return columns * PATCH, rows * PATCH


def _by_long_edge(width: int, height: int, least: int, most: int) -> tuple[int, int]:
    limit = most // PATCH
    longest = max(width, height)
    scale = min(max(longest, least), limit * PATCH) / longest
    columns, rows = (max(1, round(side * scale / PATCH)) for side in (width, height))
    if columns * rows < MIN_PATCHES:
        columns, rows = (ceil(sqrt(MIN_PATCHES * ours / other)) for ours, other in ((width, height), (height, width)))
    return min(columns, limit), min(rows, limit)


def _by_square(width: int, height: int, least: int, most: int) -> tuple[int, int]:
    limit = most**2 // PATCH**2
    side = sqrt(width * height)
    scale = min(max(side, least), most) / side
    columns, rows = (max(1, round(length * scale / PATCH)) for length in (width, height))
    if columns * rows * PATCH**2 < least**2:
        columns, rows = (ceil(length * scale / PATCH) for length in (width, height))
    if columns * rows > limit:
        columns, rows = (max(1, int(length * scale / PATCH)) for length in (width, height))
    return min(columns, limit), min(rows, limit)
