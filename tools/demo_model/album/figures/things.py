"""Things that belong to none of the other categories: on y = 0, about 1 high."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.palette import BLACK, GLASS, STEEL, WHITE, WOOD, Colour, darker, lighter, vivid
from tools.demo_model.album.rng import Rng

Figure = Callable[[Canvas, Rng], None]


def car(canvas: Canvas, rng: Rng) -> None:
    paint = vivid(rng)
    canvas.blob([(-0.44, -0.42), (-0.26, -0.74), (0.26, -0.74), (0.48, -0.42)], paint)
    canvas.polygon([(-0.34, -0.44), (-0.22, -0.66), (-0.02, -0.66), (-0.02, -0.44)], GLASS)
    canvas.polygon([(0.03, -0.66), (0.22, -0.66), (0.37, -0.44), (0.03, -0.44)], GLASS)
    canvas.blob(
        [(-0.72, -0.2), (-0.7, -0.42), (0, -0.46), (0.7, -0.42), (0.74, -0.2), (0.7, -0.14), (-0.7, -0.14)], paint
    )
    canvas.line([(-0.68, -0.28), (0.7, -0.28)], 0.02, darker(paint, 0.3))
    canvas.ellipse(0.68, -0.33, 0.05, fill=(255, 240, 170))
    for x in (-0.42, 0.42):
        canvas.ellipse(x, -0.15, 0.16, fill=BLACK)
        canvas.ellipse(x, -0.15, 0.08, fill=STEEL)


def bicycle(canvas: Canvas, rng: Rng) -> None:
    paint = vivid(rng)
    for x in (-0.42, 0.42):
        canvas.ellipse(x, -0.3, 0.3, fill=BLACK)
        canvas.ellipse(x, -0.3, 0.25, fill=(214, 218, 222))
        for spoke in range(4):
            dx, dy = 0.25 * math.cos(spoke * math.pi / 4), 0.25 * math.sin(spoke * math.pi / 4)
            canvas.line([(x - dx, -0.3 - dy), (x + dx, -0.3 + dy)], 0.008, STEEL)
    canvas.line([(-0.42, -0.3), (-0.16, -0.72), (0.28, -0.72), (-0.02, -0.3), (-0.42, -0.3)], 0.045, paint)
    canvas.line([(-0.02, -0.3), (-0.18, -0.8)], 0.045, paint)
    canvas.line([(0.42, -0.3), (0.26, -0.88), (0.4, -0.92)], 0.045, paint)
    canvas.ellipse(-0.19, -0.83, 0.14, 0.04, fill=BLACK)
    canvas.ellipse(-0.02, -0.3, 0.07, fill=STEEL)


def ball(canvas: Canvas, rng: Rng) -> None:
    paint, other = vivid(rng), vivid(rng)
    canvas.ellipse(0, -0.45, 0.45, fill=paint)
    kind = rng.pick(("beach", "basket", "football"))
    if kind == "beach":
        for start in (0, 120, 240):
            canvas.sector(0, -0.45, 0.45, start, start + 60, fill=WHITE)
        canvas.ellipse(0, -0.45, 0.08, fill=other)
    elif kind == "basket":
        canvas.ellipse(0, -0.45, 0.45, fill=(226, 126, 52))
        for points in ([(-0.45, -0.45), (0.45, -0.45)], [(0, -0.9), (0, 0)]):
            canvas.line(points, 0.025, BLACK)
        for side in (-1, 1):
            canvas.curve([(side * 0.32, -0.76), (side * 0.16, -0.45), (side * 0.32, -0.14)], 0.025, BLACK)
    else:
        canvas.ellipse(0, -0.45, 0.45, fill=WHITE)
        for turn in range(0, 360, 72):
            x, y = 0.36 * math.sin(math.radians(turn)), -0.45 - 0.36 * math.cos(math.radians(turn))
            canvas.line([(0, -0.45), (x, y)], 0.02, BLACK)
            canvas.ellipse(x, y, 0.085, fill=BLACK)
        canvas.polygon(
            [(0.13 * math.sin(math.radians(t)), -0.45 - 0.13 * math.cos(math.radians(t))) for t in range(0, 360, 72)],
            BLACK,
        )


def clock(canvas: Canvas, rng: Rng) -> None:
    rim = vivid(rng)
    canvas.ellipse(0, -0.5, 0.48, fill=rim)
    canvas.ellipse(0, -0.5, 0.4, fill=WHITE)
    for hour in range(12):
        sin, cos = math.sin(hour * math.pi / 6), math.cos(hour * math.pi / 6)
        canvas.line([(0.32 * sin, -0.5 - 0.32 * cos), (0.37 * sin, -0.5 - 0.37 * cos)], 0.022, BLACK)
    for long, wide in ((0.2, 0.04), (0.3, 0.026)):
        turn = rng.between(0, math.tau)
        canvas.line([(0, -0.5), (long * math.sin(turn), -0.5 - long * math.cos(turn))], wide, BLACK)
    canvas.ellipse(0, -0.5, 0.03, fill=rim)


def chair(canvas: Canvas, rng: Rng) -> None:
    paint: Colour = vivid(rng) if rng.whether(0.5) else WOOD
    for x, y in ((-0.3, 0.0), (0.24, 0.0), (-0.16, -0.08), (0.36, -0.08)):
        canvas.line([(x, y), (x, -0.45)], 0.055, darker(paint, 0.3))
    canvas.polygon([(-0.36, -0.42), (0.28, -0.42), (0.42, -0.54), (-0.2, -0.54)], paint)
    for x in (-0.2, 0.02, 0.22, 0.4):
        canvas.line([(x, -0.5), (x, -0.98)], 0.05, paint)
    canvas.line([(-0.2, -0.95), (0.4, -0.95)], 0.09, lighter(paint, 0.1))


def umbrella(canvas: Canvas, rng: Rng) -> None:
    paint, other = vivid(rng), vivid(rng)
    canvas.line([(0, -1.02), (0, -0.1)], 0.032, BLACK)
    canvas.curve([(0, -0.12), (0.02, -0.02), (0.1, -0.02), (0.12, -0.1)], 0.035, WOOD)
    canvas.sector(0, -0.5, 0.6, 180, 360, fill=paint, ry=0.48)
    canvas.blob([(-0.22, -0.5), (-0.16, -0.8), (0, -0.98), (0.16, -0.8), (0.22, -0.5)], other)
    for x in (-0.4, 0.0, 0.4):
        canvas.ellipse(x, -0.5, 0.2, 0.05, fill=darker(paint, 0.35))


def guitar(canvas: Canvas, rng: Rng) -> None:
    body = rng.pick(((196, 120, 56), (150, 60, 40), (60, 60, 70), (226, 190, 120)))
    canvas.rectangle(-0.035, -0.92, 0.035, -0.4, darker(WOOD, 0.4))
    canvas.rectangle(-0.065, -1.05, 0.065, -0.9, darker(body, 0.4))
    canvas.ellipse(0, -0.22, 0.27, 0.22, fill=body)
    canvas.ellipse(0, -0.46, 0.2, 0.17, fill=body)
    canvas.ellipse(0, -0.4, 0.085, fill=BLACK)
    canvas.rectangle(-0.1, -0.16, 0.1, -0.12, BLACK)
    for x in (-0.02, 0.0, 0.02):
        canvas.line([(x, -0.14), (x, -1.0)], 0.007, WHITE)


def balloon(canvas: Canvas, rng: Rng) -> None:
    """A hot-air balloon with its basket."""
    paint, other = vivid(rng), vivid(rng)
    outline = [
        (0, -1.05), (-0.34, -0.92), (-0.42, -0.65), (-0.26, -0.4), (-0.1, -0.25), (0.1, -0.25), (0.26, -0.4),
        (0.42, -0.65), (0.34, -0.92),
    ]  # fmt: skip
    canvas.blob(outline, paint)
    canvas.blob([(x * 0.42, y) for x, y in outline], other)
    for side in (-1, 1):
        canvas.line([(side * 0.09, -0.26), (side * 0.07, -0.12)], 0.012, BLACK)
    canvas.rectangle(-0.09, -0.14, 0.09, 0, WOOD)


def lamp(canvas: Canvas, rng: Rng) -> None:
    shade = lighter(vivid(rng), 0.3)
    canvas.ellipse(0, -0.03, 0.2, 0.04, fill=darker(WOOD, 0.4))
    canvas.line([(0, -0.04), (0, -0.62)], 0.04, darker(WOOD, 0.4))
    canvas.polygon([(-0.18, -1.0), (0.18, -1.0), (0.32, -0.58), (-0.32, -0.58)], shade)
    canvas.ellipse(0, -0.58, 0.32, 0.03, fill=(255, 244, 196))


def shoe(canvas: Canvas, rng: Rng) -> None:
    paint, other = vivid(rng), vivid(rng)
    canvas.blob(
        [
            (-0.55, -0.62), (-0.3, -0.6), (-0.06, -0.4), (0.4, -0.3), (0.64, -0.14), (0.6, -0.05), (-0.56, -0.05),
            (-0.6, -0.3),
        ],
        paint,
    )  # fmt: skip
    canvas.rectangle(-0.6, -0.1, 0.64, 0, WHITE)
    canvas.polygon([(-0.3, -0.18), (-0.16, -0.42), (0.02, -0.3), (-0.12, -0.12)], other)
    for x, y in ((-0.12, -0.5), (0.0, -0.42), (0.12, -0.37)):
        canvas.line([(x - 0.08, y + 0.08), (x + 0.04, y - 0.02)], 0.028, WHITE)
    canvas.ellipse(-0.42, -0.61, 0.15, 0.04, fill=darker(paint, 0.5))


THINGS: Final[tuple[Figure, ...]] = (car, bicycle, ball, clock, chair, umbrella, guitar, balloon, lamp, shoe)
