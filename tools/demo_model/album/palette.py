"""Colours: 8-bit RGB, and RGBA where a fourth number says how much of the layer below is covered."""

from __future__ import annotations

import colorsys

from tools.demo_model.album.rng import Rng

Colour = tuple[int, ...]

BLACK: Colour = (24, 24, 28)
WHITE: Colour = (252, 252, 250)
INK: Colour = (38, 40, 52)
WOOD: Colour = (150, 104, 66)
LEAF: Colour = (62, 140, 70)
GRASS: Colour = (122, 176, 84)
SAND: Colour = (232, 206, 150)
STEEL: Colour = (150, 158, 168)
GLASS: Colour = (178, 214, 230)

SKINS: tuple[Colour, ...] = (
    (255, 224, 196), (244, 204, 168), (226, 176, 136), (198, 142, 100), (160, 106, 72), (118, 76, 52), (90, 58, 42),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (30, 26, 28), (62, 42, 32), (104, 66, 40), (150, 92, 46), (206, 164, 92), (172, 70, 40), (150, 150, 154),
)  # fmt: skip


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """From hue in degrees, saturation and value in 0 to 1."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 360 / 360, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of the other in the one."""
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))


def lighter(colour: Colour, share: float = 0.25) -> Colour:
    return mix(colour, (255, 255, 255), share)


def darker(colour: Colour, share: float = 0.25) -> Colour:
    return mix(colour, (0, 0, 0), share)


def veil(colour: Colour, cover: float) -> Colour:
    """The colour as a glaze that covers `cover` (0 to 1) of the layer below."""
    return (*colour, round(cover * 255))


def luminance(colour: Colour) -> float:
    """0 to 255, Rec. 601 weights."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def vivid(rng: Rng) -> Colour:
    return hsv(rng.between(0, 360), rng.between(0.5, 0.8), rng.between(0.6, 0.92))


def pastel(rng: Rng) -> Colour:
    return hsv(rng.between(0, 360), rng.between(0.08, 0.32), rng.between(0.82, 0.98))


def muted(rng: Rng) -> Colour:
    return hsv(rng.between(0, 360), rng.between(0.15, 0.45), rng.between(0.4, 0.75))


def apart(rng: Rng, *others: Colour) -> Colour:
    """A vivid or muted colour that stands out from all the others (the best of four draws)."""
    draws = [vivid(rng) if rng.whether(0.6) else muted(rng) for _ in range(4)]
    return max(draws, key=lambda draw: min(distance(draw, other) for other in others))


def distance(one: Colour, other: Colour) -> float:
    """Sum of channel differences, 0 to 765; lightness counts twice, because the eye sees it best."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) + abs(luminance(one) - luminance(other))
