"""A head from the front: centre at (0, 0), 2 high from chin to crown. Brows and mouth show the mood."""

from __future__ import annotations

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.figures.look import Look
from tools.demo_model.album.palette import BLACK, GLASS, WHITE, darker, lighter, mix

LIPS = (196, 58, 74)
BLUSH = (240, 130, 120)
TEAR = (96, 170, 236)


def hair_behind(canvas: Canvas, look: Look) -> None:
    """The hair behind the head and on the shoulders: drawn before the body."""
    hair = darker(look.hair, 0.12)
    match look.hair_style:
        case "long":
            canvas.blob(
                [(-0.95, -0.4), (0, -1.18), (0.95, -0.4), (1.08, 1.6), (0.5, 1.9), (-0.5, 1.9), (-1.08, 1.6)], hair
            )
        case "wavy":
            for side in (-1, 1):
                for step in range(5):
                    canvas.ellipse(side * (0.86 + 0.12 * (step % 2)), -0.35 + 0.46 * step, 0.42, 0.4, fill=hair)
            canvas.ellipse(0, -0.3, 1.0, 0.9, fill=hair)
        case "bob":
            canvas.blob([(-1.0, -0.2), (0, -1.2), (1.0, -0.2), (1.2, 0.9), (0.6, 1.1), (-0.6, 1.1), (-1.2, 0.9)], hair)
        case "braids":
            for side in (-1, 1):
                for step in range(5):
                    canvas.ellipse(side * (0.95 + 0.04 * step), 0.3 + 0.36 * step, 0.24, 0.24, fill=hair)
                canvas.ellipse(side * 1.1, 1.95, 0.14, 0.22, fill=look.accent)
        case "hood":
            canvas.blob(
                [(-1.12, 0), (-0.8, -0.95), (0, -1.36), (0.8, -0.95), (1.12, 0), (0.95, 1.2), (-0.95, 1.2)], look.top
            )
        case "helmet":
            canvas.ellipse(0, -0.1, 1.3, 1.36, fill=lighter(look.accent, 0.1))


def face(canvas: Canvas, look: Look) -> None:
    shade = darker(look.skin, 0.14)
    for side in (-1, 1):
        canvas.ellipse(side * 0.8, 0.1, 0.15, 0.22, fill=shade)
    canvas.ellipse(0, 0, 0.8, 1.0, fill=look.skin)
    if look.beard:
        _beard(canvas, look)
    _hair_before(canvas, look)
    _eyes(canvas, look)
    canvas.curve([(-0.02, 0.0), (0.1, 0.24), (-0.06, 0.28)], 0.06, darker(look.skin, 0.3))
    _mouth(canvas, look)
    if look.gender == "female":
        for side in (-1, 1):
            canvas.ellipse(side * 0.84, 0.44, 0.12, 0.14, fill=look.accent)


def _hair_before(canvas: Canvas, look: Look) -> None:
    hair = look.hair
    match look.hair_style:
        case "short":
            canvas.polygon(
                [(-0.86, 0.05), (-0.84, -0.5), (-0.5, -1.02), (0.1, -1.14), (0.62, -0.96), (0.86, -0.45), (0.86, 0.05),
                 (0.72, -0.3), (0.4, -0.52), (-0.4, -0.52), (-0.72, -0.3)], hair,
            )  # fmt: skip
        case "spiky":
            tops = [(-0.95, -0.7), (-0.6, -1.25), (-0.2, -1.35), (0.25, -1.38), (0.65, -1.25), (0.95, -0.7)]
            points = [(-0.84, 0.0)]
            for (x, y), middle in zip(tops, (-0.72, -0.4, 0.0, 0.42, 0.72, 0.8), strict=True):
                points += [(x, y), (middle, -0.82)]
            canvas.polygon([*points, (0.84, 0.0), (0.6, -0.5), (-0.6, -0.5)], hair)
        case "parted":
            canvas.blob(
                [
                    (-0.88, 0.0), (-0.9, -0.6), (-0.3, -1.15), (0.5, -1.1), (0.9, -0.5), (0.86, 0.0), (0.6, -0.42),
                    (-0.3, -0.75),
                ],
                hair,
            )  # fmt: skip
        case "bald":
            canvas.ellipse(-0.3, -0.66, 0.2, 0.1, fill=lighter(look.skin, 0.35), angle=-25)
        case "long" | "wavy" | "braids":
            canvas.blob(
                [
                    (-0.9, 0.25), (-0.84, -0.6), (0, -1.15), (0.84, -0.6), (0.9, 0.25), (0.66, -0.25), (0.1, -0.62),
                    (-0.6, -0.3),
                ],
                hair,
            )  # fmt: skip
        case "bob":
            canvas.blob(
                [
                    (-0.92, 0.7), (-0.86, -0.6), (0, -1.16), (0.86, -0.6), (0.92, 0.7), (0.7, -0.34), (0, -0.42),
                    (-0.7, -0.34),
                ],
                hair,
            )  # fmt: skip
        case "hood":
            rim = darker(look.top, 0.25)
            canvas.polygon(
                [(-1.0, 0.4), (-1.0, -0.5), (-0.6, -1.1), (0, -1.26), (0.6, -1.1), (1.0, -0.5), (1.0, 0.4), (0.8, 0.95),
                 (0.66, 0.75), (0.78, 0.2), (0.7, -0.35), (0.4, -0.66), (0, -0.74), (-0.4, -0.66), (-0.7, -0.35),
                 (-0.78, 0.2), (-0.66, 0.75), (-0.8, 0.95)], rim,
            )  # fmt: skip
        case "knit cap":
            canvas.blob(
                [(-0.95, -0.2), (-0.86, -0.85), (0, -1.3), (0.86, -0.85), (0.95, -0.2), (0.5, -0.34), (-0.5, -0.34)],
                look.accent,
            )
            canvas.polygon([(-1.0, -0.52), (1.0, -0.52), (0.98, -0.14), (-0.98, -0.14)], darker(look.accent, 0.25))
            for side in (-1, 1):
                canvas.ellipse(side * 0.84, 0.16, 0.22, 0.42, fill=darker(look.accent, 0.15))
            canvas.ellipse(0, -1.36, 0.26, fill=lighter(look.accent, 0.4))
        case "helmet":
            shell = lighter(look.accent, 0.1)
            canvas.polygon(
                [(-1.12, 0.9), (-1.14, -0.5), (-0.6, -1.2), (0.6, -1.2), (1.14, -0.5), (1.12, 0.9), (0.74, 0.8),
                 (0.8, -0.3), (0.5, -0.62), (-0.5, -0.62), (-0.8, -0.3), (-0.74, 0.8)], shell,
            )  # fmt: skip
            canvas.polygon([(-0.16, -1.42), (0.16, -1.42), (0.14, -0.64), (-0.14, -0.64)], WHITE)
            canvas.polygon([(-0.95, -0.66), (0.95, -0.66), (0.84, -0.44), (-0.84, -0.44)], mix(GLASS, BLACK, 0.55))


def _beard(canvas: Canvas, look: Look) -> None:
    match look.beard:
        case "full":
            canvas.blob(
                [
                    (-0.82, 0.05), (-0.62, 0.36), (0, 0.3), (0.62, 0.36), (0.82, 0.05), (0.72, 0.85), (0, 1.28),
                    (-0.72, 0.85),
                ],
                look.hair,
            )  # fmt: skip
        case "goatee":
            canvas.blob([(-0.42, 0.36), (0.42, 0.36), (0.44, 0.8), (0, 1.3), (-0.44, 0.8)], look.hair)


def _eyes(canvas: Canvas, look: Look) -> None:
    brow = darker(look.hair, 0.3) if look.gender != "unclear" else darker(look.skin, 0.6)
    thick = 0.13 if look.gender == "male" else 0.09
    for side in (-1, 1):
        x = side * 0.34
        if look.mood == "happy":
            canvas.curve([(x - 0.17, 0.0), (x, -0.13), (x + 0.17, 0.0)], 0.1, BLACK)
        else:
            canvas.ellipse(x, -0.05, 0.17, 0.13 if look.mood == "sad" else 0.15, fill=WHITE)
            canvas.ellipse(x, -0.03 if look.mood == "calm" else 0.0, 0.1, fill=BLACK)
        if look.gender == "female":
            canvas.line([(x - side * 0.1, -0.17), (x + side * 0.1, -0.17), (x + side * 0.25, -0.1)], 0.05, BLACK)
        inner, outer = {"happy": (-0.34, -0.34), "calm": (-0.35, -0.35), "sad": (-0.46, -0.24)}[look.mood]
        arch = -0.1 if look.mood == "happy" else 0.0
        canvas.curve([(x - side * 0.2, inner), (x, (inner + outer) / 2 + arch), (x + side * 0.2, outer)], thick, brow)
        if look.tears:
            canvas.blob([(x, 0.12), (x + 0.11, 0.36), (x, 0.48), (x - 0.11, 0.36)], TEAR)
        if look.glasses:
            ring = [(x - 0.25, -0.2), (x + 0.25, -0.2), (x + 0.25, 0.14), (x - 0.25, 0.14), (x - 0.25, -0.2)]
            canvas.line(ring, 0.05, BLACK)
            canvas.line([(0, -0.08), (side * 0.1, -0.08)], 0.05, BLACK)


def _mouth(canvas: Canvas, look: Look) -> None:
    lips = LIPS if look.gender == "female" else darker(look.skin, 0.62)
    if look.beard:
        canvas.ellipse(0, 0.56, 0.4, 0.2, fill=look.skin)
    match look.mood:
        case "happy":
            for side in (-1, 1):
                canvas.ellipse(side * 0.5, 0.3, 0.14, 0.1, fill=mix(look.skin, BLUSH, 0.6))
            canvas.sector(0, 0.44, 0.42, 0, 180, fill=lips, ry=0.4)
            canvas.polygon([(-0.34, 0.46), (0.34, 0.46), (0.26, 0.58), (-0.26, 0.58)], WHITE)
        case "calm":
            canvas.line([(-0.22, 0.56), (0.22, 0.56)], 0.1 if look.gender == "female" else 0.09, lips)
        case "sad":
            canvas.curve([(-0.3, 0.7), (-0.15, 0.54), (0, 0.5), (0.15, 0.54), (0.3, 0.7)], 0.11, lips)
    if look.beard == "moustache":
        canvas.blob(
            [(-0.46, 0.44), (-0.2, 0.3), (0, 0.34), (0.2, 0.3), (0.46, 0.44), (0.2, 0.44), (0, 0.42), (-0.2, 0.44)],
            look.hair,
        )
    elif look.beard:
        canvas.blob([(-0.4, 0.42), (0, 0.3), (0.4, 0.42), (0, 0.42)], look.hair)
