"""Lanczos resampling: with the processor's vector instructions where cykooz.resizer has a wheel, otherwise Pillow's."""

from __future__ import annotations

from PIL import Image

try:
    from cykooz_resizer import FilterType, ResizeAlg, ResizeOptions, Resizer
except ImportError:  # it has no wheel for Linux on ARM
    Resizer = None

REDUCING_GAP = 2.0  # coarse reduction stops at twice the size that is wanted; Lanczos does the rest


def lanczos(pixels: Image.Image, size: tuple[int, int]) -> Image.Image:
    """`pixels` (L, RGB or CMYK) at `size` (width, height).

    The two differ by 1 or 2 of 255, and by more only in noise (docs/preparation.md). cykooz.resizer takes a sixth of
    the time, and lets other threads run.
    """
    if Resizer is None:
        return pixels.resize(size, Image.Resampling.LANCZOS, reducing_gap=REDUCING_GAP)
    resized = Image.new(pixels.mode, size)
    # a resizer of its own for each call: two threads cannot use one
    Resizer().resize_pil(pixels, resized, ResizeOptions(resize_alg=ResizeAlg.convolution(FilterType.lanczos3)))
    return resized
