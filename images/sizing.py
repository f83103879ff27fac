"""How large a picture is sent: a size that a Qwen2-VL image processor leaves as it is."""

from __future__ import annotations

from math import ceil, sqrt

PATCH = 28  # a vision token of Qwen2-VL and Qwen2.5-VL covers 28 x 28 pixels: 14-pixel patches, merged 2 x 2
MIN_PATCHES = 4  # their processors enlarge anything under 56 x 56 pixels
MAX_ASPECT_RATIO = 200  # and refuse anything more oblong


def target_size(width: int, height: int, long_edge: int) -> tuple[int, int]:
    """Width and height in pixels, multiples of 28, none over `long_edge`, as near to the aspect ratio as that allows.

    The picture is scaled down to fit and never up, but for rounding to the nearest multiple and for the processor's
    minimum. The result is a fixed point of `smart_resize` (transformers, models/qwen2_vl/image_processing_qwen2_vl.py)
    for every checkpoint whose `max_pixels` is at least `long_edge` squared, so the server does not resample again.

    Raises:
        ValueError: one side is more than 200 times the other, which that processor refuses.
    """
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        raise ValueError(f"{width} x {height} pixels: one side is more than {MAX_ASPECT_RATIO} times the other")
    limit = long_edge // PATCH
    scale = min(1.0, limit * PATCH / max(width, height))
    columns, rows = (max(1, round(side * scale / PATCH)) for side in (width, height))
    if columns * rows < MIN_PATCHES:
        columns, rows = (ceil(sqrt(MIN_PATCHES * ours / other)) for ours, other in ((width, height), (height, width)))
    return min(columns, limit) * PATCH, min(rows, limit) * PATCH
