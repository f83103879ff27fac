"""Is a picture read as it was sent, or resampled before the model sees it?"""

from __future__ import annotations

from math import isqrt

from onelook.engines.base import Finding
from onelook.engines.size_grid import image_tokens, seen_as_sent
from onelook.settings.hints import set_to


def check_picture_size(reported: int | None, side: int, grid: int) -> Finding | None:
    """`reported`: the image tokens for a square picture of `side` pixels, a multiple of `grid`; None: not reported.

    What is expected: `onelook.engines.size_grid.image_tokens`.
    """
    if reported is None:
        return None
    expected, sizes = image_tokens(side, side, grid), [(side, side)]
    asked = f"asked about {side} x {side} pixels: {reported} image tokens"
    if seen_as_sent(sizes, grid, reported):
        return Finding("picture size", ok=True, detail=f"{asked}, as sent", needed=False)
    known = f"{max(224, isqrt(reported) * grid)}"
    pixels = f"{side * side}"
    return Finding(
        "picture size",
        ok=False,
        detail=f"{asked}, expected {expected}: pictures are resampled before the model sees them, which costs"
        " detail and time",
        needed=False,
        hint=f"send the size that the model reads, {set_to(ONELOOK_RUN__LONG_EDGE=known)}, or let it read more: vLLM"
        f""" --mm-processor-kwargs '{{"max_pixels": {pixels}}}', embedded ONELOOK_MAX_PIXELS={pixels}""",
    )
