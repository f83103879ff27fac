"""Is a picture read as it was sent, or resampled before the model sees it?"""

from __future__ import annotations

from math import isqrt

from onelook.engines.base import Finding
from onelook.settings.hints import set_to


def check_picture_size(image_tokens: int | None, side: int, grid: int) -> Finding | None:
    """`image_tokens`: reported for a square picture of `side` pixels, a multiple of `grid`; None: not reported.

    A token covers `grid` x `grid` pixels; the Pixtral family adds one at the end of each row.
    """
    if image_tokens is None:
        return None
    rows = side // grid
    asked = f"asked about {side} x {side} pixels: {image_tokens} image tokens"
    if image_tokens in (rows * rows, rows * (rows + 1)):
        return Finding("picture size", ok=True, detail=f"{asked}, as sent", needed=False)
    known = f"{max(224, isqrt(image_tokens) * grid)}"
    pixels = f"{side * side}"
    return Finding(
        "picture size",
        ok=False,
        detail=f"{asked}, expected {rows * rows}: pictures are resampled before the model sees them, which costs"
        " detail and time",
        needed=False,
        hint=f"send the size that the model reads, {set_to(ONELOOK_RUN__LONG_EDGE=known)}, or let it read more: vLLM"
        f""" --mm-processor-kwargs '{{"max_pixels": {pixels}}}', embedded ONELOOK_MAX_PIXELS={pixels}""",
    )
