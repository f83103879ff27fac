"""Cakes and drinks: on y = 0, about 1 wide. A drink without a cup is in its bottle, can or carton."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.palette import STEEL, WHITE, Colour, darker, hsv, lighter, vivid
from tools.demo_model.album.rng import Rng

Figure = Callable[[Canvas, Rng], None]
FLAME: Colour = (255, 190, 60)
CREAM: Colour = (255, 246, 232)
CHERRY: Colour = (206, 30, 60)


def icing(rng: Rng) -> Colour:
    return rng.pick(((246, 178, 196), (112, 66, 46), (255, 240, 210), (178, 216, 190), (210, 190, 236)))


def sponge(rng: Rng) -> Colour:
    return rng.pick(((236, 196, 120), (120, 74, 50), (226, 150, 120)))


def cake_slice(canvas: Canvas, rng: Rng) -> None:
    crumb, cover = sponge(rng), icing(rng)
    canvas.polygon([(-0.46, -0.46), (0.46, -0.36), (0.46, 0), (-0.46, 0)], crumb)
    for y in (-0.32, -0.16):
        canvas.polygon([(-0.46, y - 0.03), (0.46, y + 0.01), (0.46, y + 0.05), (-0.46, y + 0.03)], CREAM)
    canvas.polygon([(-0.48, -0.46), (0.24, -0.62), (0.48, -0.36), (0.48, -0.29), (-0.48, -0.38)], cover)
    canvas.polygon([(-0.48, -0.47), (0.24, -0.64), (0.48, -0.38)], lighter(cover, 0.2))
    canvas.ellipse(0.1, -0.55, 0.085, fill=CHERRY)
    canvas.ellipse(0.07, -0.58, 0.025, fill=WHITE)


def layer_cake(canvas: Canvas, rng: Rng) -> None:
    crumb, cover, candle = sponge(rng), icing(rng), vivid(rng)
    canvas.ellipse(0, -0.03, 0.46, 0.1, fill=crumb)
    canvas.rectangle(-0.46, -0.42, 0.46, -0.03, crumb)
    canvas.rectangle(-0.46, -0.24, 0.46, -0.19, CREAM)
    canvas.rectangle(-0.46, -0.44, 0.46, -0.34, cover)
    for step in range(8):
        canvas.ellipse(-0.4 + 0.115 * step, -0.34, 0.06, rng.between(0.06, 0.12), fill=cover)
    canvas.ellipse(0, -0.44, 0.46, 0.12, fill=lighter(cover, 0.25))
    for x in (-0.26, -0.09, 0.09, 0.26):
        canvas.rectangle(x - 0.02, -0.66, x + 0.02, -0.44, candle)
        canvas.blob([(x, -0.8), (x - 0.035, -0.71), (x, -0.67), (x + 0.035, -0.71)], FLAME)


def cupcake(canvas: Canvas, rng: Rng) -> None:
    case, cover = vivid(rng), icing(rng)
    canvas.polygon([(-0.3, -0.34), (0.3, -0.34), (0.22, 0), (-0.22, 0)], case)
    for x in (-0.18, -0.06, 0.06, 0.18):
        canvas.line([(x * 1.3, -0.33), (x, -0.01)], 0.016, darker(case, 0.25))
    for y, half in ((-0.36, 0.34), (-0.48, 0.26), (-0.59, 0.17)):
        canvas.ellipse(0, y, half, 0.1, fill=darker(cover, 0.08))
        canvas.ellipse(0, y - 0.025, half * 0.9, 0.08, fill=cover)
    canvas.ellipse(0, -0.7, 0.08, fill=CHERRY)


def mug_cake(canvas: Canvas, rng: Rng) -> None:
    """A dome of cake with cream and a cherry, as it rises out of a cup or bowl."""
    crumb = sponge(rng)
    canvas.sector(0, 0.06, 0.46, 180, 360, fill=crumb, ry=0.36)
    canvas.blob(
        [
            (-0.4, -0.12), (-0.2, -0.3), (0, -0.36), (0.2, -0.3), (0.4, -0.12), (0.25, -0.1), (0.1, -0.18),
            (-0.1, -0.1), (-0.26, -0.16),
        ],
        icing(rng),
    )  # fmt: skip
    canvas.ellipse(0, -0.36, 0.15, 0.08, fill=CREAM)
    canvas.ellipse(0, -0.42, 0.09, 0.07, fill=CREAM)
    canvas.ellipse(0, -0.5, 0.075, fill=CHERRY)
    canvas.blob([(0.24, -0.62), (0.21, -0.52), (0.24, -0.48), (0.27, -0.52)], FLAME)
    canvas.rectangle(0.222, -0.5, 0.258, -0.26, vivid(rng))


CAKES: Final[dict[str, tuple[Figure, ...]]] = {
    "plate": (cake_slice, layer_cake, cupcake),
    "bowl": (mug_cake, cupcake),
    "cup": (mug_cake,),
    "none": (layer_cake, cupcake, cake_slice),
}


def liquid(rng: Rng) -> Colour:
    """Tea, coffee, juice, berry or milkshake; nothing that would be invisible in white china."""
    return rng.pick(((176, 96, 40), (84, 52, 34), (246, 166, 50), (206, 216, 96), (190, 50, 90), (236, 142, 158)))


def bottle(canvas: Canvas, rng: Rng) -> None:
    drink, cap, label = liquid(rng), vivid(rng), hsv(rng.between(0, 360), 0.5, 0.9)
    glass = lighter((170, 210, 206), 0.3)
    canvas.blob(
        [
            (-0.2, 0), (-0.21, -0.6), (-0.09, -0.86), (-0.08, -1.08), (0.08, -1.08), (0.09, -0.86), (0.21, -0.6),
            (0.2, 0),
        ],
        glass,
    )  # fmt: skip
    canvas.blob([(-0.17, -0.03), (-0.18, -0.6), (-0.06, -0.82), (0.06, -0.82), (0.18, -0.6), (0.17, -0.03)], drink)
    canvas.rectangle(-0.2, -0.5, 0.2, -0.2, WHITE)
    canvas.rectangle(-0.2, -0.46, 0.2, -0.24, label)
    canvas.ellipse(0, -0.35, 0.09, fill=WHITE)
    canvas.rectangle(-0.1, -1.16, 0.1, -1.04, cap)
    canvas.line([(-0.13, -0.1), (-0.13, -0.66)], 0.02, lighter(drink, 0.5))


def can(canvas: Canvas, rng: Rng) -> None:
    paint, other = vivid(rng), vivid(rng)
    canvas.ellipse(0, -0.04, 0.24, 0.07, fill=STEEL)
    canvas.rectangle(-0.24, -0.78, 0.24, -0.05, paint)
    canvas.polygon([(-0.24, -0.3), (0.24, -0.56), (0.24, -0.36), (-0.24, -0.1)], other)
    canvas.ellipse(0, -0.54, 0.1, 0.12, fill=WHITE)
    canvas.rectangle(-0.2, -0.76, -0.15, -0.08, lighter(paint, 0.35))
    canvas.ellipse(0, -0.79, 0.24, 0.07, fill=lighter(STEEL, 0.4))
    canvas.ellipse(0, -0.79, 0.18, 0.045, fill=STEEL)
    canvas.ellipse(0.02, -0.8, 0.06, 0.02, fill=darker(STEEL, 0.5))
    straw(canvas, rng, -0.8)


def carton(canvas: Canvas, rng: Rng) -> None:
    paint, juice = vivid(rng), liquid(rng)
    canvas.rectangle(-0.25, -0.72, 0.17, 0, paint)
    canvas.polygon([(0.17, -0.72), (0.3, -0.78), (0.3, -0.06), (0.17, 0)], darker(paint, 0.25))
    canvas.polygon([(-0.25, -0.72), (0.17, -0.72), (0.3, -0.78), (-0.12, -0.78)], lighter(paint, 0.35))
    canvas.ellipse(-0.04, -0.34, 0.15, fill=WHITE)
    canvas.blob([(-0.04, -0.46), (-0.13, -0.3), (-0.04, -0.22), (0.05, -0.3)], juice)
    straw(canvas, rng, -0.75)


def straw(canvas: Canvas, rng: Rng, y: float) -> None:
    paint = vivid(rng)
    canvas.line([(0.05, y), (0.1, y - 0.3), (0.26, y - 0.38)], 0.045, WHITE)
    canvas.line([(0.06, y - 0.08), (0.07, y - 0.14)], 0.045, paint)
    canvas.line([(0.09, y - 0.22), (0.1, y - 0.28)], 0.045, paint)


BOTTLED: Final[tuple[Figure, ...]] = (bottle, can, carton)
