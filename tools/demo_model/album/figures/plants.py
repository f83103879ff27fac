"""Single plants and flowers, and the trees of the background: on y = 0, about 1 high."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.palette import WOOD, Colour, darker, hsv, lighter, mix
from tools.demo_model.album.rng import Rng

Figure = Callable[[Canvas, Rng], None]
TERRACOTTA: Colour = (196, 104, 66)


def green(rng: Rng) -> Colour:
    return hsv(rng.between(85, 150), rng.between(0.45, 0.75), rng.between(0.4, 0.7))


def petal_colour(rng: Rng) -> Colour:
    return hsv(rng.pick((0, 20, 45, 275, 300, 330, 350, 210)) + rng.between(-10, 10), rng.between(0.45, 0.8), 0.95)


def _trunk(leaf: Colour) -> Colour:
    """Wood in the light that falls on the leaves."""
    return mix(mix(WOOD, leaf, 0.55), darker(leaf, 0.2), 0.3)


def conifer(canvas: Canvas, rng: Rng, tint: Colour | None = None) -> None:
    leaf = tint or hsv(rng.between(110, 160), 0.5, rng.between(0.3, 0.5))
    canvas.rectangle(-0.05, -0.16, 0.05, 0, darker(WOOD, 0.3) if tint is None else _trunk(tint))
    for step, (y, half) in enumerate(((-0.12, 0.32), (-0.38, 0.25), (-0.62, 0.18))):
        canvas.polygon([(-half, y), (half, y), (0, y - 0.4)], darker(leaf, 0.16 - 0.08 * step))


def round_tree(canvas: Canvas, rng: Rng, tint: Colour | None = None) -> None:
    leaf = tint or green(rng)
    canvas.limb((0, 0), (0, -0.5), 0.13, 0.09, WOOD if tint is None else _trunk(tint))
    for x, y, r in ((-0.2, -0.52, 0.2), (0.2, -0.54, 0.2), (0, -0.72, 0.27)):
        canvas.ellipse(x, y, r, fill=darker(leaf, 0.15))
        canvas.ellipse(x - 0.04, y - 0.05, r * 0.75, fill=leaf)


def cactus(canvas: Canvas, rng: Rng, tint: Colour | None = None) -> None:
    """A saguaro: a column with two arms."""
    skin = tint or hsv(rng.between(110, 150), 0.5, rng.between(0.4, 0.55))
    canvas.limb((0, 0), (0, -0.9), 0.2, 0.18, skin)
    for side, low, high in ((-1, -0.38, -0.72), (1, -0.52, -0.82)):
        canvas.line([(0, low), (side * 0.26, low), (side * 0.26, high)], 0.13, skin)
    for x in (-0.04, 0.04):
        canvas.line([(x, -0.05), (x, -0.88)], 0.012, darker(skin, 0.3))


def pot(canvas: Canvas, rng: Rng, half: float = 0.2) -> None:
    """Rim at y = -0.3."""
    clay = TERRACOTTA if rng.whether(0.5) else hsv(rng.between(0, 360), 0.35, rng.between(0.55, 0.9))
    canvas.polygon([(-half, -0.3), (half, -0.3), (half * 0.72, 0), (-half * 0.72, 0)], clay)
    canvas.rectangle(-half * 1.14, -0.34, half * 1.14, -0.26, lighter(clay, 0.12))


def house_plant(canvas: Canvas, rng: Rng) -> None:
    """Long leaves that fan out of a pot."""
    leaf = green(rng)
    blades = rng.count(7, 11)
    spread, broad = rng.between(50, 75), rng.between(0.045, 0.08)
    for blade in range(blades):
        turn = spread * (2 * blade / (blades - 1) - 1) + rng.between(-4, 4)
        long = rng.between(0.5, 0.68)
        frame = canvas.at(0, -0.32, angle=turn)
        shade = mix(darker(leaf, 0.25), lighter(leaf, 0.2), blade % 3 / 2)
        frame.blob([(-0.02, 0), (-broad, -long * 0.55), (0, -long), (broad, -long * 0.55), (0.02, 0)], shade)
        frame.line([(0, -0.04), (0, -long * 0.9)], 0.008, lighter(shade, 0.35))
    pot(canvas, rng)


def monstera(canvas: Canvas, rng: Rng) -> None:
    """Broad leaves on stalks, in a pot."""
    leaf = green(rng)
    for x, y, turn, size in (
        (-0.3, -0.72, -50, 0.3),
        (0.3, -0.7, 50, 0.3),
        (-0.14, -0.92, -14, 0.28),
        (0.2, -0.98, 22, 0.26),
        (0.0, -0.62, 4, 0.27),
    ):
        shade = mix(darker(leaf, 0.25), lighter(leaf, 0.15), rng.between(0, 1))
        canvas.curve([(0, -0.3), (x * 0.5, y * 0.7), (x, y)], 0.022, darker(leaf, 0.3))
        frame = canvas.at(x, y, size, angle=turn)
        frame.blob([(0, 0.3), (-0.5, 0.2), (-0.55, -0.3), (0, -0.85), (0.55, -0.3), (0.5, 0.2)], shade)
        frame.line([(0, 0.25), (0, -0.75)], 0.05, lighter(shade, 0.3))
        for height in (-0.4, -0.12, 0.12):
            for side in (-1, 1):
                frame.line([(0, height + 0.08), (side * 0.36, height - 0.1)], 0.03, lighter(shade, 0.25))
    pot(canvas, rng, 0.22)


def potted_cactus(canvas: Canvas, rng: Rng) -> None:
    skin = hsv(rng.between(100, 150), 0.5, rng.between(0.45, 0.62))
    canvas.ellipse(0, -0.52, 0.2, 0.3, fill=skin)
    for x in (-0.1, 0.0, 0.1):
        canvas.curve([(x * 0.7, -0.8), (x * 1.3, -0.52), (x, -0.32)], 0.012, darker(skin, 0.35))
    for _ in range(12):
        x, y = rng.between(-0.15, 0.15), rng.between(-0.72, -0.36)
        canvas.line([(x - 0.02, y - 0.02), (x + 0.02, y + 0.02)], 0.008, lighter(skin, 0.7))
        canvas.line([(x + 0.02, y - 0.02), (x - 0.02, y + 0.02)], 0.008, lighter(skin, 0.7))
    petals = petal_colour(rng)
    for turn in range(0, 360, 60):
        canvas.ellipse(
            0.05 * math.cos(math.radians(turn)), -0.83 + 0.04 * math.sin(math.radians(turn)), 0.045, fill=petals
        )
    canvas.ellipse(0, -0.83, 0.03, fill=(250, 214, 80))
    pot(canvas, rng, 0.22)


def daisy(canvas: Canvas, rng: Rng) -> None:
    """One open flower on a stem: daisy, sunflower or gerbera, chosen at random."""
    _stem(canvas, rng)
    petals, count = petal_colour(rng) if rng.whether(0.7) else (250, 248, 240), rng.count(8, 16)
    heart: Colour = (110, 72, 40) if rng.whether(0.4) else (246, 200, 60)
    head = canvas.at(0, -0.74, 0.3)
    for petal in range(count):
        head.at(0, 0, angle=360 / count * petal).ellipse(
            0, -0.66, 2.2 / count, 0.38, fill=darker(petals, 0.12 * (petal % 2))
        )
    head.ellipse(0, 0, 0.36, fill=heart)
    head.ellipse(-0.06, -0.06, 0.2, fill=lighter(heart, 0.2))


def tulip(canvas: Canvas, rng: Rng) -> None:
    _stem(canvas, rng)
    petals = petal_colour(rng)
    for side in (-1, 1):
        canvas.blob([(0, -0.52), (side * 0.2, -0.62), (side * 0.2, -0.96), (side * 0.06, -0.84)], darker(petals, 0.14))
    canvas.blob([(0, -0.5), (-0.13, -0.64), (0, -0.98), (0.13, -0.64)], petals)


def rose(canvas: Canvas, rng: Rng) -> None:
    _stem(canvas, rng)
    petals = petal_colour(rng)
    for x, y, r, shade in (
        (-0.13, -0.72, 0.15, 0.25),
        (0.13, -0.72, 0.15, 0.25),
        (0, -0.64, 0.17, 0.2),
        (0, -0.78, 0.17, 0.12),
        (0, -0.74, 0.12, 0.0),
    ):
        canvas.ellipse(x, y, r, fill=darker(petals, shade))
    canvas.curve(
        [(-0.08, -0.72), (0, -0.82), (0.08, -0.74), (0.01, -0.68), (-0.03, -0.74), (0.02, -0.76)],
        0.02,
        darker(petals, 0.4),
    )


def _stem(canvas: Canvas, rng: Rng) -> None:
    leaf = green(rng)
    sway = rng.between(-0.08, 0.08)
    canvas.curve([(sway, 0), (sway * 0.8, -0.3), (0, -0.6)], 0.035, leaf)
    for side, y in ((-1, -0.14), (1, -0.26)):
        canvas.blob(
            [(sway * 0.8, y), (side * 0.2, y - 0.2), (side * 0.34, y - 0.22), (side * 0.2, y - 0.06)],
            darker(leaf, 0.12),
        )


TREES: Final[tuple[Callable[..., None], ...]] = (conifer, round_tree)
POTTED: Final[tuple[Figure, ...]] = (house_plant, monstera, potted_cactus)
FLOWERS: Final[tuple[Figure, ...]] = (daisy, tulip, rose)
