"""Buildings: on y = 0, about 1 high, seen from the front."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.palette import BLACK, GLASS, STEEL, WHITE, WOOD, Colour, darker, hsv, lighter, mix
from tools.demo_model.album.rng import Rng

Figure = Callable[[Canvas, Rng], None]
LAMPLIGHT: Colour = (255, 220, 130)


def _stone(rng: Rng) -> Colour:
    return hsv(
        rng.pick((10, 25, 38, 48, 200, 350)) + rng.between(-8, 8),
        rng.between(0.1, 0.5),
        rng.between(0.6, 0.92),
    )


def _pane(rng: Rng) -> Colour:
    return LAMPLIGHT if rng.whether(0.3) else mix(GLASS, (70, 100, 130), rng.between(0, 1))


def _window(canvas: Canvas, x: float, y: float, half: float, high: float, pane: Colour) -> None:
    canvas.rectangle(x - half - 0.012, y - 0.012, x + half + 0.012, y + high + 0.012, WHITE)
    canvas.rectangle(x - half, y, x + half, y + high, pane)
    canvas.line([(x, y), (x, y + high)], 0.012, WHITE)
    canvas.line([(x - half, y + high / 2), (x + half, y + high / 2)], 0.012, WHITE)


def house(canvas: Canvas, rng: Rng) -> None:
    wall, roof = _stone(rng), hsv(rng.between(-10, 30), rng.between(0.4, 0.7), rng.between(0.35, 0.65))
    half = rng.between(0.42, 0.6)
    if rng.whether(0.7):
        x = rng.sign() * half * 0.55
        canvas.rectangle(x - 0.06, -0.98, x + 0.06, -0.6, darker(roof, 0.35))
    canvas.rectangle(-half, -0.58, half, 0, wall)
    canvas.polygon([(-half - 0.1, -0.56), (half + 0.1, -0.56), (half * 0.2, -1.0), (-half * 0.2, -1.0)], roof)
    for share in (0.25, 0.5, 0.75):
        x, y = (half + 0.1) * (1 - share) + half * 0.2 * share, -0.56 - 0.44 * share
        canvas.line([(-x, y), (x, y)], 0.01, darker(roof, 0.25))
    door, pane = rng.pick((WOOD, (150, 40, 44), (40, 80, 130), (60, 110, 70))), _pane(rng)
    canvas.rectangle(-0.1, -0.32, 0.1, 0, door)
    canvas.ellipse(0.06, -0.15, 0.016, fill=LAMPLIGHT)
    for side in (-1, 1):
        _window(canvas, side * half * 0.62, -0.44, 0.09, 0.2, pane)
    canvas.rectangle(-0.15, -0.02, 0.15, 0.02, darker(wall, 0.4))


def tower_block(canvas: Canvas, rng: Rng) -> None:
    wall, half = _stone(rng), rng.between(0.2, 0.36)
    canvas.rectangle(-half, -1.0, half, 0, wall)
    canvas.rectangle(half * 0.7, -1.0, half, 0, darker(wall, 0.2))
    canvas.rectangle(-half - 0.02, -1.03, half + 0.02, -0.98, darker(wall, 0.35))
    columns, rows = rng.count(3, 5), rng.count(6, 9)
    wide, high = 2 * half / columns, 0.86 / rows
    for row in range(rows):
        for column in range(columns):
            x, y = -half + wide * (column + 0.5), -0.95 + high * row
            canvas.rectangle(x - wide * 0.3, y, x + wide * 0.3, y + high * 0.62, _pane(rng))
    canvas.rectangle(-0.06, -0.09, 0.06, 0, darker(wall, 0.6))


def skyscraper(canvas: Canvas, rng: Rng) -> None:
    skin, half = (
        hsv(rng.between(190, 230), rng.between(0.2, 0.5), rng.between(0.45, 0.8)),
        rng.between(0.16, 0.26),
    )
    top = rng.pick((-1.0, -0.9))
    canvas.polygon([(-half, 0), (-half, top), (half, top - rng.between(-0.1, 0.1)), (half, 0)], skin)
    for step in range(1, 14):
        y = -0.88 * step / 14
        canvas.line([(-half, y), (half, y)], 0.014, lighter(skin, 0.35))
    for step in range(1, 4):
        x = -half + 2 * half * step / 4
        canvas.line([(x, 0), (x, -0.88)], 0.012, darker(skin, 0.3))
    canvas.line([(0, top), (0, top - 0.14)], 0.015, STEEL)


def church(canvas: Canvas, rng: Rng) -> None:
    wall, roof = _stone(rng), hsv(rng.between(190, 380), 0.35, 0.42)
    canvas.rectangle(-0.15, -0.42, 0.55, 0, wall)
    canvas.polygon([(-0.15, -0.4), (0.6, -0.4), (0.48, -0.62), (-0.15, -0.62)], roof)
    canvas.rectangle(-0.4, -0.66, -0.1, 0, lighter(wall, 0.15))
    canvas.polygon([(-0.45, -0.65), (-0.05, -0.65), (-0.25, -1.0)], roof)
    canvas.line([(-0.25, -0.98), (-0.25, -1.12)], 0.02, BLACK)
    canvas.line([(-0.3, -1.07), (-0.2, -1.07)], 0.02, BLACK)
    canvas.ellipse(-0.25, -0.52, 0.07, fill=WHITE)
    canvas.line([(-0.25, -0.57), (-0.25, -0.52), (-0.21, -0.5)], 0.014, BLACK)
    for x in (0.05, 0.24, 0.43):
        canvas.rectangle(x - 0.045, -0.28, x + 0.045, -0.1, _pane(rng))
        canvas.ellipse(x, -0.28, 0.045, fill=GLASS)
    canvas.rectangle(-0.32, -0.2, -0.18, 0, WOOD)
    canvas.ellipse(-0.25, -0.2, 0.07, fill=WOOD)


def castle(canvas: Canvas, rng: Rng) -> None:
    wall = mix(STEEL, (190, 170, 140), rng.between(0, 1))
    canvas.rectangle(-0.4, -0.5, 0.4, 0, wall)
    for x in (-0.36, -0.2, -0.04, 0.12, 0.28):
        canvas.rectangle(x, -0.58, x + 0.09, -0.49, wall)
    flag = hsv(rng.between(0, 360), 0.7, 0.8)
    for side in (-1, 1):
        x = side * 0.46
        canvas.rectangle(x - 0.13, -0.74, x + 0.13, 0, darker(wall, 0.12))
        canvas.polygon([(x - 0.17, -0.73), (x + 0.17, -0.73), (x, -0.98)], darker(flag, 0.3))
        canvas.line([(x, -0.96), (x, -1.1)], 0.014, BLACK)
        canvas.polygon([(x, -1.1), (x + 0.12, -1.06), (x, -1.02)], flag)
        canvas.rectangle(x - 0.03, -0.58, x + 0.03, -0.44, BLACK)
    canvas.rectangle(-0.11, -0.2, 0.11, 0, darker(WOOD, 0.4))
    canvas.ellipse(0, -0.2, 0.11, 0.1, fill=darker(WOOD, 0.4))
    for y in (-0.14, -0.3, -0.42):
        for x in (-0.28, 0.2):
            canvas.rectangle(x, y, x + 0.08, y + 0.03, darker(wall, 0.15))


def pagoda(canvas: Canvas, rng: Rng) -> None:
    roof, wall = (
        hsv(rng.between(170, 360), 0.45, 0.42),
        rng.pick(((184, 50, 44), (206, 160, 100), (230, 220, 200))),
    )
    for floor in range(4):
        y, half = -0.22 * floor, 0.36 - 0.07 * floor
        canvas.rectangle(-half, y - 0.18, half, y, wall)
        for x in (-0.5, 0.0, 0.5):
            canvas.rectangle(half * x - 0.035, y - 0.12, half * x + 0.035, y - 0.02, _pane(rng))
        eaves = half + 0.13
        canvas.polygon(
            [
                (-eaves - 0.03, y - 0.21), (-eaves, y - 0.15), (eaves, y - 0.15), (eaves + 0.03, y - 0.21),
                (half * 0.8, y - 0.24), (-half * 0.8, y - 0.24),
            ],
            roof,
        )  # fmt: skip
    canvas.line([(0, -0.88), (0, -1.06)], 0.03, (214, 176, 70))


def bridge(canvas: Canvas, rng: Rng) -> None:
    """Spans 2.5 wide; its piers go down to y = 0.15, into the water."""
    paint = rng.pick(((190, 70, 52), STEEL, (96, 116, 140), (170, 150, 124)))
    if rng.whether(0.5):
        for side in (-1, 1):
            x = side * 0.62
            canvas.curve([(x, -0.95), (x + side * 0.3, -0.5), (x + side * 0.6, -0.28)], 0.022, darker(paint, 0.2))
        canvas.curve(
            [(-0.62, -0.95), (-0.3, -0.48), (0, -0.34), (0.3, -0.48), (0.62, -0.95)], 0.022, darker(paint, 0.2)
        )
        for step in range(-5, 6):
            x = step * 0.1
            canvas.line([(x, -0.34 - 0.61 * (x / 0.62) ** 2), (x, -0.25)], 0.01, darker(paint, 0.1))
        for side in (-1, 1):
            canvas.rectangle(side * 0.62 - 0.045, -1.0, side * 0.62 + 0.045, 0.15, paint)
            canvas.rectangle(side * 0.62 - 0.1, 0.06, side * 0.62 + 0.1, 0.15, darker(paint, 0.3))
        canvas.rectangle(-1.25, -0.3, 1.25, -0.22, darker(paint, 0.35))
    else:
        canvas.rectangle(-1.2, -0.5, 1.2, 0.12, paint)
        for x in (-0.8, 0.0, 0.8):
            arch = [
                (x + 0.33 * math.cos(t), 0.13 - 0.46 * math.sin(t)) for t in [math.pi * step / 16 for step in range(17)]
            ]
            canvas.polygon(arch, darker(paint, 0.62))
        canvas.rectangle(-1.2, -0.58, 1.2, -0.53, lighter(paint, 0.25))
        for step in range(-11, 12):
            canvas.rectangle(step * 0.1 - 0.01, -0.55, step * 0.1 + 0.01, -0.48, lighter(paint, 0.25))
        canvas.rectangle(-1.25, -0.5, 1.25, -0.44, darker(paint, 0.35))


HOUSES: Final[tuple[Figure, ...]] = (house, tower_block, church, castle, pagoda)
TOWERS: Final[tuple[Figure, ...]] = (tower_block, skyscraper)
