"""Cats and dogs: on y = 0, about 1 high, from the front or in profile."""

from __future__ import annotations

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.palette import BLACK, WHITE, Colour, darker, lighter, luminance
from tools.demo_model.album.rng import Rng

NOSE = (206, 110, 120)
TONGUE = (232, 96, 112)
CAT_COATS: tuple[Colour, ...] = ((226, 150, 74), (120, 120, 128), (48, 46, 50), (236, 226, 212), (160, 122, 88))
DOG_COATS: tuple[Colour, ...] = ((176, 118, 64), (222, 182, 126), (92, 62, 44), (240, 236, 226), (70, 66, 66))


def cat(canvas: Canvas, rng: Rng) -> None:
    """Pointed ears, whiskers, a long tail held high."""
    coat = rng.pick(CAT_COATS)
    stripes = rng.whether(0.5)
    dark = darker(coat, 0.3) if coat != CAT_COATS[2] else lighter(coat, 0.2)
    if rng.whether(0.5):
        canvas.curve([(0.26, -0.08), (0.52, -0.12), (0.56, -0.4), (0.44, -0.6), (0.52, -0.72)], 0.09, dark)
        canvas.blob([(-0.28, -0.02), (-0.3, -0.25), (-0.16, -0.55), (0.16, -0.55), (0.3, -0.25), (0.28, -0.02)], coat)
        canvas.ellipse(0, -0.22, 0.13, 0.2, fill=lighter(coat, 0.4))
        for side in (-1, 1):
            canvas.limb((side * 0.1, -0.3), (side * 0.1, -0.04), 0.1, 0.1, lighter(coat, 0.12))
            canvas.ellipse(side * 0.12, -0.04, 0.09, 0.05, fill=lighter(coat, 0.25))
        _cat_head(canvas.at(0, -0.66, 0.3), coat, dark, stripes)
    else:
        canvas.curve([(0.4, -0.42), (0.6, -0.5), (0.62, -0.75), (0.52, -0.95)], 0.08, dark)
        for x in (-0.3, -0.14, 0.24, 0.38):
            canvas.limb((x, -0.3), (x, -0.03), 0.11, 0.08, dark if x in (-0.14, 0.24) else coat)
        canvas.ellipse(0.05, -0.4, 0.44, 0.19, fill=coat)
        if stripes:
            for x in (-0.08, 0.06, 0.2, 0.34):
                canvas.curve([(x, -0.57), (x + 0.03, -0.46), (x, -0.36)], 0.04, dark)
        _cat_head(canvas.at(-0.4, -0.62, 0.27), coat, dark, stripes)


def _cat_head(head: Canvas, coat: Colour, dark: Colour, stripes: bool) -> None:
    for side in (-1, 1):
        head.polygon([(side * 0.95, -0.25), (side * 0.86, -1.3), (side * 0.18, -0.7)], coat)
        head.polygon([(side * 0.8, -0.45), (side * 0.78, -1.05), (side * 0.38, -0.68)], NOSE)
    head.ellipse(0, 0, 1.0, 0.82, fill=coat)
    if stripes:
        for x in (-0.3, 0, 0.3):
            head.line([(x, -0.78), (x * 0.8, -0.45)], 0.12, dark)
    for side in (-1, 1):
        head.ellipse(side * 0.4, -0.08, 0.22, 0.24, fill=(188, 214, 92))
        head.ellipse(side * 0.4, -0.08, 0.08, 0.22, fill=BLACK)
        head.ellipse(side * 0.2, 0.38, 0.26, 0.2, fill=lighter(coat, 0.45))
        for y, end in ((0.32, 0.2), (0.4, 0.46)):
            head.line([(side * 0.4, y), (side * 1.3, end)], 0.045, WHITE if luminance(coat) < 190 else BLACK)
    head.polygon([(-0.13, 0.18), (0.13, 0.18), (0, 0.34)], NOSE)
    head.curve([(-0.2, 0.46), (-0.1, 0.52), (0, 0.36), (0.1, 0.52), (0.2, 0.46)], 0.06, darker(coat, 0.6))


def dog(canvas: Canvas, rng: Rng) -> None:
    """Hanging ears, a long muzzle with a black nose and the tongue out, a collar, a short wagging tail."""
    coat = rng.pick(DOG_COATS)
    ears = darker(coat, 0.4) if rng.whether(0.7) else lighter(coat, 0.25)
    collar = (204, 52, 56) if rng.whether(0.5) else (44, 96, 190)
    if rng.whether(0.5):
        canvas.curve([(0.24, -0.14), (0.42, -0.2), (0.5, -0.36)], 0.1, coat)
        canvas.blob([(-0.27, -0.02), (-0.28, -0.25), (-0.17, -0.58), (0.17, -0.58), (0.28, -0.25), (0.27, -0.02)], coat)
        canvas.ellipse(0, -0.26, 0.12, 0.22, fill=lighter(coat, 0.4))
        for side in (-1, 1):
            canvas.limb((side * 0.12, -0.32), (side * 0.12, -0.05), 0.13, 0.12, lighter(coat, 0.1))
            canvas.ellipse(side * 0.14, -0.04, 0.11, 0.05, fill=lighter(coat, 0.3))
        canvas.rectangle(-0.17, -0.5, 0.17, -0.44, collar)
        _dog_head(canvas.at(0, -0.68, 0.29), coat, ears)
    else:
        canvas = canvas.at(0.13, 0)
        canvas.curve([(0.42, -0.48), (0.56, -0.62), (0.58, -0.76)], 0.1, coat)
        for x in (-0.32, -0.16, 0.26, 0.4):
            canvas.limb((x, -0.34), (x, -0.03), 0.14, 0.1, darker(coat, 0.18) if x in (-0.16, 0.26) else coat)
        canvas.blob([(-0.42, -0.55), (0.1, -0.56), (0.46, -0.52), (0.48, -0.3), (0.1, -0.26), (-0.38, -0.24)], coat)
        canvas.limb((-0.34, -0.46), (-0.46, -0.64), 0.26, 0.22, coat)
        canvas.limb((-0.33, -0.58), (-0.5, -0.5), 0.06, 0.06, collar)
        head = canvas.at(-0.5, -0.74, 0.25)
        head.ellipse(0, 0, 0.72, 0.66, fill=coat)
        head.limb((-0.3, 0.14), (-1.1, 0.26), 0.72, 0.44, lighter(coat, 0.12))
        head.ellipse(-1.3, 0.12, 0.18, 0.15, fill=BLACK)
        head.curve([(-1.25, 0.44), (-0.9, 0.5), (-0.55, 0.42)], 0.06, darker(coat, 0.6))
        head.ellipse(-1.0, 0.66, 0.16, 0.26, fill=TONGUE)
        head.ellipse(-0.3, -0.16, 0.12, 0.13, fill=BLACK)
        head.blob([(0.16, -0.6), (0.6, -0.45), (0.72, 0.3), (0.5, 0.85), (0.2, 0.6), (0.14, 0.0)], ears)


def _dog_head(head: Canvas, coat: Colour, ears: Colour) -> None:
    head.blob(
        [(-0.72, -0.62), (0, -0.95), (0.72, -0.62), (0.76, 0.1), (0.5, 0.66), (0, 0.9), (-0.5, 0.66), (-0.76, 0.1)],
        coat,
    )
    for side in (-1, 1):
        head.blob(
            [
                (side * 0.5, -0.82), (side * 0.95, -0.7), (side * 1.15, 0.15), (side * 0.98, 0.62),
                (side * 0.74, 0.3), (side * 0.66, -0.3),
            ],
            ears,
        )  # fmt: skip
        head.ellipse(side * 0.32, -0.2, 0.14, 0.16, fill=BLACK)
        head.ellipse(side * 0.28, -0.26, 0.045, fill=WHITE)
    head.ellipse(0, 0.36, 0.46, 0.42, fill=lighter(coat, 0.4))
    head.ellipse(0, 0.14, 0.24, 0.17, fill=BLACK)
    head.blob([(-0.16, 0.56), (0.16, 0.56), (0.18, 0.95), (0, 1.1), (-0.18, 0.95)], TONGUE)
    head.curve([(-0.34, 0.48), (-0.16, 0.58), (0, 0.44), (0.16, 0.58), (0.34, 0.48)], 0.07, darker(coat, 0.65))
