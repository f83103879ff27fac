"""Birds, which stand on y = 0 or spread their wings above it, and fish, which swim 0.5 above it."""

from __future__ import annotations

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.palette import BLACK, WHITE, Colour, darker, hsv, lighter
from tools.demo_model.album.rng import Rng

BEAK = (240, 160, 40)


def bird(canvas: Canvas, rng: Rng) -> None:
    """One round body, a beak, a wing and a tail, on two thin legs."""
    coat, belly = _plumage(rng)
    for x in (-0.04, 0.1):
        canvas.line([(x, -0.25), (x, 0.0)], 0.03, BEAK)
        canvas.line([(x - 0.08, -0.01), (x + 0.06, -0.01)], 0.028, BEAK)
    canvas.polygon([(0.25, -0.5), (0.78, -0.42), (0.74, -0.28), (0.25, -0.3)], darker(coat, 0.35))
    canvas.blob(
        [(-0.36, -0.5), (-0.2, -0.72), (0.15, -0.66), (0.4, -0.42), (0.28, -0.22), (-0.05, -0.16), (-0.3, -0.26)], coat
    )
    canvas.ellipse(-0.14, -0.34, 0.2, 0.17, fill=belly)
    canvas.blob([(-0.06, -0.56), (0.24, -0.52), (0.56, -0.34), (0.24, -0.28), (0.02, -0.34)], darker(coat, 0.22))
    canvas.line([(0.1, -0.42), (0.4, -0.36)], 0.02, darker(coat, 0.5))
    canvas.polygon([(-0.42, -0.84), (-0.72, -0.74), (-0.4, -0.68)], BEAK)
    canvas.ellipse(-0.24, -0.76, 0.22, fill=coat)
    if rng.whether(0.4):
        canvas.polygon([(-0.3, -0.94), (-0.1, -1.14), (-0.06, -0.86)], darker(coat, 0.3))
    canvas.ellipse(-0.3, -0.8, 0.055, fill=WHITE)
    canvas.ellipse(-0.31, -0.8, 0.035, fill=BLACK)


def flying_bird(canvas: Canvas, rng: Rng) -> None:
    coat, belly = _plumage(rng)
    canvas.blob([(0.05, -0.5), (0.3, -0.98), (0.62, -1.1), (0.5, -0.75), (0.3, -0.45)], darker(coat, 0.35))
    canvas.polygon([(0.3, -0.5), (0.85, -0.56), (0.78, -0.42), (0.86, -0.28), (0.3, -0.38)], darker(coat, 0.3))
    canvas.ellipse(0, -0.44, 0.42, 0.17, fill=coat)
    canvas.ellipse(-0.05, -0.37, 0.3, 0.09, fill=belly)
    canvas.polygon([(-0.56, -0.6), (-0.86, -0.48), (-0.54, -0.44)], BEAK)
    canvas.ellipse(-0.42, -0.52, 0.18, fill=coat)
    canvas.blob([(-0.15, -0.5), (-0.12, -0.95), (0.1, -1.2), (0.2, -0.85), (0.22, -0.45)], darker(coat, 0.18))
    for x in (0.0, 0.08):
        canvas.line([(x, -0.6), (x + 0.04, -0.95)], 0.02, darker(coat, 0.5))
    canvas.ellipse(-0.46, -0.56, 0.05, fill=WHITE)
    canvas.ellipse(-0.47, -0.56, 0.03, fill=BLACK)


def _plumage(rng: Rng) -> tuple[Colour, Colour]:
    coat = hsv(rng.between(0, 360), rng.between(0.3, 0.75), rng.between(0.4, 0.9))
    return coat, lighter(coat, 0.55)


def fish(canvas: Canvas, rng: Rng) -> None:
    """A lens of scales with a forked tail and fins; bubbles rise from its mouth."""
    coat = hsv(rng.pick((10, 25, 40, 55, 300, 340, 0, 200)) + rng.between(-8, 8), rng.between(0.55, 0.85), 0.94)
    fin = darker(coat, 0.25)
    tall = rng.between(0.2, 0.32)
    body = canvas.at(0, -0.5)
    body.polygon([(0.3, 0), (0.72, -0.3), (0.6, 0), (0.72, 0.3)], fin)
    body.blob([(-0.15, -tall * 0.8), (0.02, -tall - 0.18), (0.3, -tall * 0.5)], fin)
    body.blob([(-0.02, tall * 0.8), (0.1, tall + 0.13), (0.22, tall * 0.5)], fin)
    body.blob(
        [
            (-0.52, 0), (-0.28, -tall * 0.85), (0.05, -tall), (0.42, -0.06), (0.42, 0.06), (0.05, tall),
            (-0.28, tall * 0.85),
        ],
        coat,
    )  # fmt: skip
    if rng.whether(0.5):
        for x in (-0.14, 0.08):
            body.blob([(x, -tall * 0.9), (x + 0.08, 0), (x, tall * 0.9), (x - 0.08, 0)], lighter(coat, 0.75))
    else:
        for row in (-1, 0, 1):
            for step in range(3):
                x = -0.1 + 0.13 * step + 0.06 * (row % 2)
                body.curve([(x, row * 0.1 - 0.05), (x + 0.05, row * 0.1), (x, row * 0.1 + 0.05)], 0.022, fin)
    body.blob([(-0.08, 0.02), (0.12, 0.08), (0.06, 0.17), (-0.08, 0.1)], fin)
    body.ellipse(-0.35, -0.06, 0.075, fill=WHITE)
    body.ellipse(-0.37, -0.06, 0.042, fill=BLACK)
    body.curve([(-0.5, 0.04), (-0.44, 0.07), (-0.4, 0.05)], 0.02, darker(coat, 0.6))
    for step in range(rng.count(1, 3)):
        x, y = -0.62 - 0.06 * step, -0.12 - 0.17 * step
        body.ellipse(x, y, 0.05, fill=lighter((150, 200, 236), 0.5))
        body.ellipse(x, y, 0.035, fill=(150, 200, 236))
