"""Animals other than cats, dogs, birds and fish: on y = 0, about 1 high."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.palette import BLACK, WHITE, Colour, darker, hsv, lighter, mix
from tools.demo_model.album.rng import Rng

PINK = (238, 170, 176)


def rabbit(canvas: Canvas, rng: Rng) -> None:
    coat: Colour = rng.pick(((236, 232, 226), (176, 150, 124), (130, 126, 130)))
    for side in (-1, 1):
        ear = canvas.at(side * 0.09, -0.62, angle=side * 12)
        ear.ellipse(0, -0.26, 0.075, 0.28, fill=coat)
        ear.ellipse(0, -0.25, 0.035, 0.2, fill=PINK)
    canvas.ellipse(0.27, -0.12, 0.1, fill=lighter(coat, 0.6))
    canvas.ellipse(0, -0.22, 0.28, 0.24, fill=coat)
    for side in (-1, 1):
        canvas.ellipse(side * 0.16, -0.04, 0.13, 0.06, fill=lighter(coat, 0.3))
    canvas.ellipse(0, -0.55, 0.22, 0.2, fill=coat)
    for side in (-1, 1):
        canvas.ellipse(side * 0.1, -0.58, 0.035, 0.045, fill=BLACK)
        canvas.ellipse(side * 0.05, -0.47, 0.06, 0.05, fill=lighter(coat, 0.5))
    canvas.polygon([(-0.035, -0.53), (0.035, -0.53), (0, -0.49)], darker(PINK, 0.2))
    canvas.rectangle(-0.03, -0.44, 0.03, -0.38, WHITE)


def elephant(canvas: Canvas, rng: Rng) -> None:
    coat = mix((136, 142, 152), (168, 150, 140), rng.between(0, 1))
    canvas.curve([(0.5, -0.6), (0.6, -0.4), (0.57, -0.3)], 0.035, darker(coat, 0.3))
    for x in (-0.22, -0.04, 0.24, 0.4):
        canvas.limb((x, -0.4), (x, -0.05), 0.17, 0.15, darker(coat, 0.15) if x in (-0.04, 0.24) else coat)
        canvas.rectangle(x - 0.07, -0.04, x + 0.07, -0.01, lighter(coat, 0.45))
    canvas.ellipse(0.12, -0.56, 0.44, 0.29, fill=coat)
    canvas.curve([(-0.44, -0.6), (-0.58, -0.36), (-0.58, -0.14), (-0.7, -0.1)], 0.12, coat)
    canvas.ellipse(-0.34, -0.7, 0.23, fill=coat)
    canvas.curve([(-0.46, -0.5), (-0.58, -0.42), (-0.7, -0.46)], 0.05, WHITE)
    canvas.blob([(-0.24, -0.88), (0.02, -0.9), (0.08, -0.6), (-0.06, -0.42), (-0.22, -0.56)], darker(coat, 0.2))
    canvas.ellipse(-0.42, -0.75, 0.03, fill=BLACK)


def turtle(canvas: Canvas, rng: Rng) -> None:
    shell = hsv(rng.between(70, 150), 0.55, rng.between(0.4, 0.65))
    skin = hsv(rng.between(60, 110), 0.45, 0.72)
    canvas = canvas.at(0.08, 0, 0.95)
    for x in (-0.32, 0.32):
        canvas.limb((x, -0.2), (x * 1.25, -0.04), 0.19, 0.15, skin)
    canvas.polygon([(0.5, -0.2), (0.7, -0.1), (0.48, -0.1)], skin)
    canvas.limb((-0.4, -0.22), (-0.66, -0.42), 0.17, 0.17, skin)
    canvas.ellipse(-0.7, -0.46, 0.16, 0.13, fill=skin)
    canvas.ellipse(-0.76, -0.5, 0.03, fill=BLACK)
    canvas.sector(0, -0.16, 0.56, 180, 360, fill=shell, ry=0.6)
    canvas.rectangle(-0.58, -0.2, 0.58, -0.13, darker(shell, 0.3))
    for x, y in ((-0.24, -0.36), (0.24, -0.36), (0, -0.55), (0, -0.3)):
        points = [
            (x - 0.1, y), (x - 0.05, y - 0.09), (x + 0.05, y - 0.09), (x + 0.1, y), (x + 0.05, y + 0.08),
            (x - 0.05, y + 0.08),
        ]  # fmt: skip
        canvas.polygon(points, lighter(shell, 0.25))


def snake(canvas: Canvas, rng: Rng) -> None:
    skin = hsv(rng.between(20, 160), 0.6, rng.between(0.5, 0.8))
    way = [
        (0.7, -0.04), (0.46, -0.12), (0.3, -0.34), (0.12, -0.14), (-0.08, -0.1), (-0.2, -0.36), (-0.14, -0.62),
        (-0.34, -0.78),
    ]  # fmt: skip
    canvas.curve(way, 0.17, skin)
    for x, y in way[1:-1]:
        canvas.ellipse(x, y, 0.055, fill=darker(skin, 0.45))
    canvas.line([(-0.5, -0.74), (-0.66, -0.7)], 0.025, (214, 40, 50))
    canvas.line([(-0.66, -0.7), (-0.74, -0.75), (-0.66, -0.7), (-0.74, -0.64)], 0.022, (214, 40, 50))
    canvas.ellipse(-0.38, -0.78, 0.17, 0.12, fill=skin, angle=-12)
    canvas.ellipse(-0.43, -0.83, 0.032, fill=WHITE)
    canvas.ellipse(-0.44, -0.83, 0.02, fill=BLACK)


def pig(canvas: Canvas, rng: Rng) -> None:
    skin = mix(PINK, (214, 140, 128), rng.between(0, 1))
    canvas.curve([(0.44, -0.46), (0.54, -0.54), (0.5, -0.6), (0.6, -0.62)], 0.035, darker(skin, 0.15))
    for x in (-0.26, -0.1, 0.2, 0.34):
        canvas.limb((x, -0.3), (x, -0.05), 0.14, 0.11, darker(skin, 0.12) if x in (-0.1, 0.2) else skin)
        canvas.rectangle(x - 0.055, -0.05, x + 0.055, 0.0, darker(skin, 0.5))
    canvas.ellipse(0.06, -0.44, 0.43, 0.27, fill=skin)
    canvas.ellipse(-0.32, -0.54, 0.26, 0.24, fill=lighter(skin, 0.12))
    for side in (-1, 1):
        canvas.polygon(
            [(-0.32 + side * 0.06, -0.74), (-0.32 + side * 0.27, -0.9), (-0.32 + side * 0.24, -0.62)],
            darker(skin, 0.12),
        )
        canvas.ellipse(-0.34 + side * 0.11, -0.6, 0.03, 0.04, fill=BLACK)
    canvas.ellipse(-0.36, -0.46, 0.13, 0.1, fill=darker(skin, 0.14))
    for side in (-1, 1):
        canvas.ellipse(-0.36 + side * 0.045, -0.46, 0.022, 0.035, fill=darker(skin, 0.6))


def giraffe(canvas: Canvas, rng: Rng) -> None:
    coat, spots = (236, 190, 100), mix((150, 92, 44), (120, 70, 40), rng.between(0, 1))
    for x in (-0.12, -0.02, 0.18, 0.28):
        canvas.limb((x, -0.36), (x, -0.02), 0.07, 0.05, darker(coat, 0.14) if x in (-0.02, 0.18) else coat)
    canvas.limb((-0.1, -0.44), (-0.24, -0.9), 0.17, 0.1, coat)
    canvas.ellipse(0.08, -0.42, 0.28, 0.15, fill=coat)
    for x in (-0.29, -0.2):
        canvas.line([(x, -0.96), (x - 0.01, -1.08)], 0.025, spots)
        canvas.ellipse(x - 0.01, -1.08, 0.025, fill=spots)
    canvas.limb((-0.24, -0.94), (-0.42, -0.88), 0.14, 0.09, coat)
    canvas.ellipse(-0.28, -0.96, 0.02, fill=BLACK)
    for x, y in (
        (-0.06, -0.47),
        (0.08, -0.5),
        (0.2, -0.44),
        (0.05, -0.37),
        (0.25, -0.36),
        (-0.14, -0.58),
        (-0.18, -0.7),
        (-0.21, -0.82),
    ):
        canvas.ellipse(x, y, 0.045, 0.038, fill=spots)


OTHER_ANIMALS: Final[tuple[Callable[[Canvas, Rng], None], ...]] = (rabbit, elephant, turtle, snake, pig, giraffe)
