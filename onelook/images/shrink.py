"""Makes a large picture smaller before its colours are converted, strip by strip: conversion copies every pixel."""

from __future__ import annotations

from PIL import Image

from onelook.images.colour import SIXTEEN_BIT, opaque
from onelook.images.decode_limit import check_limit

STRIP_PIXELS = 1_000_000

# What to convert each mode to before pixels can be averaged: premultiplied where there is transparency, so that
# transparent pixels do not bleed; never a palette's numbers.
AVERAGED = {"1": "L", "L": "L", "RGB": "RGB", "CMYK": "CMYK", "LA": "La", "RGBA": "RGBa", "La": "La", "RGBa": "RGBa"}
VISIBLE = {"La": "LA", "RGBa": "RGBA"}


def shrink(image: Image.Image, factor: int) -> Image.Image:
    """`image` with each side divided by `factor`, rounded up: L, RGB, CMYK, LA or RGBA.

    Integers of 32 bits and floats stay as they are: their black and white depend on all pixels.
    """
    if factor < 2 or image.mode in ("I", "F"):
        return image
    strips = _strips(image, factor)
    smaller = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    top = 0
    for strip in strips:
        smaller.paste(strip, (0, top))
        top += strip.height
    smaller.info = {name: value for name, value in image.info.items() if name != "transparency"}
    return smaller


def _strips(image: Image.Image, factor: int) -> list[Image.Image]:
    rows = max(1, STRIP_PIXELS // image.width // factor) * factor
    strips = []
    for top in range(0, image.height, rows):
        check_limit()
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        strips.append(_averaged(strip, factor))
    return strips


def _averaged(strip: Image.Image, factor: int) -> Image.Image:
    if strip.mode in SIXTEEN_BIT:
        strip = opaque(strip)
    if strip.has_transparency_data and strip.mode not in ("LA", "La", "RGBA", "RGBa"):
        strip = strip.convert("RGBA")
    mode = AVERAGED.get(strip.mode, "RGB")
    strip = strip if strip.mode == mode else strip.convert(mode)
    strip = strip.reduce(factor)
    return strip.convert(VISIBLE[mode]) if mode in VISIBLE else strip
