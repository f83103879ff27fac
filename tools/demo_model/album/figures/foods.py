"""Fruit, noodles and the foods of the kind "another food": on y = 0, about 1 wide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.palette import BLACK, LEAF, WHITE, WOOD, Colour, darker, hsv, lighter, mix
from tools.demo_model.album.rng import Rng

Figure = Callable[[Canvas, Rng], None]
BREAD: Colour = (222, 160, 84)
CHEESE: Colour = (250, 200, 70)


def apple(canvas: Canvas, rng: Rng) -> None:
    skin: Colour = rng.pick(((206, 48, 50), (130, 180, 62), (226, 178, 60)))
    canvas.blob(
        [(0, -0.36), (-0.2, -0.42), (-0.27, -0.2), (-0.14, 0), (0, -0.02), (0.14, 0), (0.27, -0.2), (0.2, -0.42)], skin
    )
    canvas.ellipse(-0.12, -0.28, 0.05, 0.08, fill=lighter(skin, 0.4))
    canvas.line([(0, -0.36), (0.03, -0.48)], 0.025, WOOD)
    canvas.blob([(0.03, -0.44), (0.12, -0.52), (0.2, -0.48), (0.12, -0.42)], LEAF)


def orange(canvas: Canvas, rng: Rng) -> None:
    if rng.whether(0.5):
        canvas.ellipse(0, -0.22, 0.23, fill=(240, 146, 40))
        canvas.ellipse(-0.08, -0.3, 0.05, fill=(250, 190, 110))
        canvas.ellipse(0.02, -0.42, 0.045, 0.02, fill=LEAF)
    else:
        canvas.ellipse(0, -0.22, 0.23, fill=(240, 146, 40))
        canvas.ellipse(0, -0.22, 0.2, fill=(255, 232, 190))
        for start in range(0, 360, 60):
            canvas.sector(0, -0.22, 0.18, start + 5, start + 55, fill=(246, 166, 60))


def banana(canvas: Canvas, rng: Rng) -> None:
    skin = mix((246, 214, 70), (200, 200, 80), rng.between(0, 0.6))
    canvas.blob(
        [(-0.4, -0.36), (-0.3, -0.1), (0, -0.0), (0.3, -0.1), (0.42, -0.34), (0.24, -0.2), (0, -0.15), (-0.24, -0.22)],
        skin,
    )
    canvas.curve([(-0.36, -0.28), (-0.2, -0.12), (0, -0.08), (0.22, -0.13), (0.38, -0.3)], 0.02, darker(skin, 0.22))
    canvas.limb((-0.39, -0.34), (-0.42, -0.42), 0.05, 0.04, darker(WOOD, 0.3))


def grapes(canvas: Canvas, rng: Rng) -> None:
    skin: Colour = rng.pick(((110, 60, 140), (150, 190, 80), (140, 40, 70)))
    for row, count in enumerate((1, 2, 3, 4)):
        for step in range(count):
            x, y = 0.13 * (step - (count - 1) / 2), -0.07 - 0.11 * row
            canvas.ellipse(x, y, 0.078, fill=darker(skin, 0.25))
            canvas.ellipse(x - 0.01, y - 0.01, 0.062, fill=skin)
            canvas.ellipse(x - 0.03, y - 0.03, 0.018, fill=lighter(skin, 0.6))
    canvas.line([(0, -0.46), (0.03, -0.58)], 0.025, WOOD)


def strawberry(canvas: Canvas, rng: Rng) -> None:
    canvas.blob([(0, 0), (-0.2, -0.22), (-0.16, -0.38), (0, -0.4), (0.16, -0.38), (0.2, -0.22)], (220, 44, 56))
    for x, y in ((-0.08, -0.28), (0.08, -0.28), (0, -0.18), (-0.06, -0.12), (0.1, -0.18), (-0.12, -0.2)):
        canvas.ellipse(x, y, 0.014, 0.02, fill=(250, 220, 130))
    canvas.polygon(
        [(-0.18, -0.42), (-0.05, -0.36), (0, -0.3), (0.05, -0.36), (0.18, -0.42), (0.03, -0.43), (0, -0.5)], LEAF
    )


def watermelon(canvas: Canvas, rng: Rng) -> None:
    for radius, colour in ((0.46, (50, 130, 60)), (0.41, (236, 246, 210)), (0.37, (230, 66, 74))):
        canvas.sector(0, -0.46, radius, 0, 180, fill=colour)
    for x, y in ((-0.2, -0.36), (0, -0.3), (0.2, -0.36), (-0.1, -0.22), (0.1, -0.22)):
        canvas.ellipse(x, y, 0.02, 0.03, fill=BLACK)


FRUITS: Final[tuple[Figure, ...]] = (apple, orange, banana, grapes, strawberry, watermelon)


def fruit(canvas: Canvas, rng: Rng) -> None:
    """One large fruit or a heap of up to five."""
    count = rng.pick((1, 3, 4, 5))
    places = {1: [(0.0, 0.0, 1.5)], 3: [(-0.3, 0, 0.9), (0.3, 0, 0.9), (0, 0.05, 0.95)]}.get(
        count, [(-0.2, -0.3, 0.75), (0.2, -0.3, 0.75), (-0.36, 0, 0.85), (0.36, 0, 0.85), (0, 0.04, 0.85)][5 - count :]
    )
    for x, y, scale in places:
        rng.pick(FRUITS)(canvas.at(x, y, scale, angle=rng.between(-8, 8)), rng)


def noodles(canvas: Canvas, rng: Rng) -> None:
    """A heap of wavy strands with a topping, often with some strands lifted by chopsticks."""
    dough = hsv(rng.between(36, 50), rng.between(0.3, 0.6), rng.between(0.88, 0.98))
    canvas.sector(0, 0.0, 0.46, 180, 360, fill=darker(dough, 0.3), ry=0.38)
    canvas.ellipse(0, 0.0, 0.46, 0.1, fill=darker(dough, 0.3))
    for step in range(13):
        y = 0.06 - 0.031 * step
        half = 0.46 * max(0.3, 1 - ((0.06 - y) / 0.44) ** 2) ** 0.5
        sway, shade = rng.between(-0.03, 0.03), mix(dough, darker(dough, 0.2), rng.between(0, 1))
        way = [
            (half * x, y + sway + (0.028 if i % 2 else -0.028))
            for i, x in enumerate((-1, -0.66, -0.33, 0, 0.33, 0.66, 1))
        ]
        canvas.curve(way, 0.032, shade)
    for _ in range(4):
        x, y, r = rng.between(-0.25, 0.25), rng.between(-0.24, -0.08), rng.between(0.06, 0.1)
        canvas.curve(
            [(x + r * 1.4, y), (x, y - r), (x - r * 1.4, y), (x, y + r), (x + r, y)], 0.028, lighter(dough, 0.2)
        )
    _topping(canvas, rng)
    if rng.whether(0.6):
        x = rng.sign() * 0.18
        for step in range(5):
            canvas.curve(
                [(x - 0.08 + 0.04 * step, -0.2), (x - 0.06 + 0.035 * step, -0.5), (x - 0.07 + 0.035 * step, -0.72)],
                0.026,
                mix(dough, darker(dough, 0.25), step % 2),
            )
        for gap in (0.0, 0.07):
            canvas.limb((x - 0.16, -0.68 + gap), (x + 0.55, -0.98 + gap * 2.2), 0.024, 0.04, darker(WOOD, 0.35))


def _topping(canvas: Canvas, rng: Rng) -> None:
    kind = rng.pick(("egg", "greens", "sauce"))
    x = rng.between(-0.15, 0.15)
    if kind == "egg":
        canvas.ellipse(x, -0.3, 0.14, 0.1, fill=WHITE)
        canvas.ellipse(x, -0.3, 0.075, 0.055, fill=(248, 172, 50))
    elif kind == "sauce":
        canvas.blob([(x - 0.2, -0.28), (x, -0.4), (x + 0.2, -0.3), (x + 0.08, -0.2), (x - 0.1, -0.2)], (184, 58, 38))
        canvas.ellipse(x, -0.34, 0.05, 0.035, fill=(110, 50, 30))
    for _ in range(5):
        dx, dy = rng.between(-0.3, 0.3), rng.between(-0.32, -0.1)
        canvas.ellipse(dx, dy, 0.035, 0.02, fill=LEAF, angle=rng.between(0, 180))


def burger(canvas: Canvas, rng: Rng) -> None:
    canvas.blob([(-0.42, -0.12), (0.42, -0.12), (0.36, 0), (-0.36, 0)], BREAD)
    canvas.rectangle(-0.44, -0.22, 0.44, -0.12, (104, 58, 38))
    canvas.polygon([(-0.46, -0.25), (0.46, -0.25), (0.3, -0.14), (0.16, -0.21), (-0.1, -0.14), (-0.3, -0.21)], CHEESE)
    canvas.curve(
        [(-0.46, -0.26), (-0.3, -0.22), (-0.15, -0.27), (0, -0.22), (0.15, -0.27), (0.3, -0.22), (0.46, -0.26)],
        0.06,
        (120, 186, 70),
    )
    canvas.sector(0, -0.27, 0.46, 180, 360, fill=BREAD, ry=0.36)
    for x, y in ((-0.22, -0.42), (-0.06, -0.52), (0.1, -0.44), (0.24, -0.4), (0.05, -0.36), (-0.14, -0.36)):
        canvas.ellipse(x, y, 0.026, 0.018, fill=(255, 240, 200))


def pizza(canvas: Canvas, rng: Rng) -> None:
    canvas.polygon([(-0.4, -0.62), (0.4, -0.62), (0.0, 0.02)], CHEESE)
    canvas.line([(-0.4, -0.64), (0.4, -0.64)], 0.13, BREAD)
    for x, y in ((-0.16, -0.46), (0.15, -0.48), (0.0, -0.3), (0.02, -0.12)):
        canvas.ellipse(x, y, 0.08, fill=(196, 52, 42))
    for x, y in ((0.05, -0.42), (-0.1, -0.3), (0.1, -0.26)):
        canvas.ellipse(x, y, 0.04, 0.018, fill=LEAF, angle=rng.between(0, 180))


def sushi(canvas: Canvas, rng: Rng) -> None:
    for x in (-0.3, 0.3):
        canvas.blob([(x - 0.26, 0), (x - 0.24, -0.22), (x + 0.24, -0.22), (x + 0.26, 0)], WHITE)
        fish = rng.pick(((246, 130, 90), (214, 60, 70), (250, 200, 80)))
        canvas.blob([(x - 0.3, -0.16), (x - 0.2, -0.36), (x + 0.2, -0.36), (x + 0.3, -0.16), (x, -0.2)], fish)
        for dx in (-0.12, 0.04):
            canvas.line([(x + dx, -0.34), (x + dx + 0.07, -0.22)], 0.022, lighter(fish, 0.5))
        canvas.rectangle(x - 0.055, -0.37, x + 0.055, 0.0, (28, 44, 36))


def fried_egg(canvas: Canvas, rng: Rng) -> None:
    canvas.blob(
        [(-0.4, -0.05), (-0.3, -0.24), (0, -0.3), (0.34, -0.2), (0.4, -0.02), (0.1, 0.08), (-0.24, 0.06)], WHITE
    )
    canvas.ellipse(0.02, -0.12, 0.15, 0.12, fill=(250, 180, 40))
    canvas.ellipse(-0.02, -0.15, 0.05, 0.03, fill=(255, 226, 140))
    for y in (-0.36, -0.46):
        canvas.curve([(-0.36, y), (-0.12, y - 0.05), (0.12, y + 0.02), (0.38, y - 0.04)], 0.08, (176, 62, 50))
        canvas.curve([(-0.36, y), (-0.12, y - 0.05), (0.12, y + 0.02), (0.38, y - 0.04)], 0.02, (246, 210, 180))


def loaf(canvas: Canvas, rng: Rng) -> None:
    crust = mix(BREAD, (170, 104, 52), rng.between(0, 1))
    canvas.blob([(-0.52, -0.04), (-0.5, -0.3), (-0.2, -0.44), (0.2, -0.44), (0.5, -0.3), (0.52, -0.04)], crust)
    for x in (-0.28, -0.04, 0.2):
        canvas.curve([(x - 0.06, -0.38), (x + 0.02, -0.28), (x + 0.12, -0.22)], 0.045, lighter(crust, 0.5))


def rice(canvas: Canvas, rng: Rng) -> None:
    canvas.sector(0, 0.04, 0.45, 180, 360, fill=(250, 248, 240), ry=0.4)
    for _ in range(26):
        x, y = rng.between(-0.34, 0.34), rng.between(-0.22, 0)
        canvas.ellipse(x, y, 0.03, 0.014, fill=(214, 210, 200), angle=rng.between(0, 180))
    canvas.ellipse(0, -0.3, 0.08, 0.06, fill=(196, 50, 60))
    for x in (-0.2, 0.2):
        canvas.rectangle(x - 0.05, -0.26, x + 0.05, -0.14, (30, 60, 44))


def fries(canvas: Canvas, rng: Rng) -> None:
    for step in range(9):
        x = -0.36 + 0.09 * step
        canvas.limb(
            (x * 0.6, 0.1),
            (x + rng.between(-0.04, 0.04), rng.between(-0.52, -0.3)),
            0.075,
            0.075,
            mix(CHEESE, (224, 160, 60), step % 3 / 2),
        )


def popcorn(canvas: Canvas, rng: Rng) -> None:
    for _ in range(20):
        x = rng.between(-0.38, 0.38)
        y = -0.02 - rng.between(0, 0.34) * (1 - (x / 0.45) ** 2)
        canvas.ellipse(x, y, 0.085, fill=(238, 214, 150))
        canvas.ellipse(x - 0.015, y - 0.02, 0.065, fill=(255, 246, 220))


OTHER_FOODS: Final[dict[str, tuple[Figure, ...]]] = {
    "plate": (burger, pizza, sushi, fried_egg, loaf),
    "bowl": (rice, fries, popcorn),
    "cup": (fries, popcorn),
    "none": (burger, pizza, sushi, loaf),
}
