"""Plates, bowls and cups: on y = 0, a bowl or plate about 1.2 wide, a cup 0.7. Each draws its back,
then calls the food, and then draws its front, so that food is in a bowl or on a plate."""

from __future__ import annotations

from collections.abc import Callable

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.figures.sweets_and_drinks import liquid, straw
from tools.demo_model.album.palette import GLASS, WHITE, Colour, darker, hsv, lighter, mix, veil
from tools.demo_model.album.rng import Rng

Filling = Callable[[Canvas], None]
"""Draws the food in a frame whose origin is where the food touches the tableware."""


def china(rng: Rng) -> Colour:
    return WHITE if rng.whether(0.35) else hsv(rng.between(0, 360), rng.between(0.1, 0.6), rng.between(0.6, 0.95))


def plate(canvas: Canvas, rng: Rng, tilt: float, food: Filling) -> None:
    """`tilt`: minor by major axis of its rim, 0 seen from the side, 1 from above."""
    glaze = china(rng)
    y = -0.62 * tilt * 0.9
    canvas.ellipse(0, y + 0.05, 0.72, 0.72 * tilt, fill=darker(glaze, 0.45))
    canvas.ellipse(0, y, 0.72, 0.72 * tilt, fill=glaze)
    canvas.ellipse(0, y, 0.56, 0.56 * tilt, fill=darker(glaze, 0.14))
    canvas.ellipse(0, y + 0.012, 0.53, 0.53 * tilt, fill=lighter(glaze, 0.35))
    food(canvas.at(0, y + 0.18 * tilt + 0.08, 0.92))


def bowl(canvas: Canvas, rng: Rng, tilt: float, food: Filling) -> None:
    glaze = china(rng)
    rim, half = -0.46, 0.62
    canvas.ellipse(0, 0.0, 0.3, 0.06, fill=darker(glaze, 0.45))
    canvas.ellipse(0, rim, half, half * tilt * 0.6, fill=darker(glaze, 0.4))
    food(canvas.at(0, rim + 0.06 + half * tilt * 0.3, 1.05))
    depth = 0.5
    canvas.polygon(_front(half, half * tilt * 0.6, rim, depth), glaze)
    band = darker(glaze, 0.3) if rng.whether(0.5) else lighter(glaze, 0.5)
    for y, share in ((-0.16, 0.8), (-0.1, 0.7)):
        canvas.curve([(-half * share, y - 0.06), (0, y + 0.1), (half * share, y - 0.06)], 0.022, band)
    canvas.polygon([(-0.26, -0.02), (0.26, -0.02), (0.22, 0.06), (-0.22, 0.06)], darker(glaze, 0.2))


def _front(half: float, squash: float, rim: float, depth: float) -> list[tuple[float, float]]:
    """The wall in front: between the near half of the rim and the belly."""
    steps = [step / 12 for step in range(13)]
    near = [(half * (2 * t - 1), rim + squash * (1 - (2 * t - 1) ** 2) ** 0.5) for t in steps]
    belly = [(half * (1 - 2 * t), rim + (depth + squash * 0.3) * (1 - (1 - 2 * t) ** 2) ** 0.42) for t in steps]
    return near + belly


def mug(canvas: Canvas, rng: Rng, tilt: float, food: Filling) -> None:
    glaze, half, rim = china(rng), 0.34, -0.7
    side = rng.sign()
    canvas.curve(
        [(side * 0.3, -0.56), (side * 0.56, -0.54), (side * 0.56, -0.22), (side * 0.28, -0.16)],
        0.075,
        darker(glaze, 0.15),
    )
    canvas.ellipse(0, rim, half, half * tilt * 0.6, fill=darker(glaze, 0.4))
    food(canvas.at(0, rim + 0.06, 0.68))
    steps = [step / 12 for step in range(13)]
    near = [(half * (2 * t - 1), rim + half * tilt * 0.6 * (1 - (2 * t - 1) ** 2) ** 0.5) for t in steps]
    canvas.polygon([*near, (half, rim), (0.28, -0.02), (0.2, 0.03), (-0.2, 0.03), (-0.28, -0.02), (-half, rim)], glaze)
    mark = darker(glaze, 0.35) if rng.whether(0.5) else mix(glaze, WHITE, 0.6)
    if rng.whether(0.5):
        canvas.ellipse(0, -0.3, 0.1, fill=mark)
    else:
        canvas.rectangle(-0.3, -0.36, 0.3, -0.26, mark)


def coffee(rng: Rng, tilt: float) -> Filling:
    """A drink as it fills a mug or a bowl to the rim, steaming."""
    drink = liquid(rng)
    rising = [rng.between(-0.05, 0.05) for _ in range(3)]

    def pour(canvas: Canvas) -> None:
        canvas.ellipse(0, -0.05, 0.5, 0.5 * tilt * 0.6, fill=drink)
        canvas.ellipse(-0.1, -0.06, 0.26, 0.2 * tilt * 0.6, fill=lighter(drink, 0.2))
        for x, sway in zip((-0.2, 0.0, 0.2), rising, strict=True):
            way = [(x, -0.2), (x + 0.07 + sway, -0.36), (x - 0.05, -0.52), (x + 0.04 + sway, -0.7)]
            canvas.curve(way, 0.045, veil(WHITE, 0.75))

    return pour


def drinking_glass(canvas: Canvas, rng: Rng) -> None:
    """A tall glass of something cold: ice, a straw, perhaps a slice of lemon."""
    drink, top = liquid(rng), -1.0
    canvas.ellipse(0, 0, 0.24, 0.05, fill=darker(GLASS, 0.2))
    canvas.polygon([(-0.33, top), (0.33, top), (0.24, 0), (-0.24, 0)], lighter(GLASS, 0.45))
    canvas.polygon([(-0.3, -0.78), (0.3, -0.78), (0.22, -0.04), (-0.22, -0.04)], drink)
    canvas.ellipse(0, -0.78, 0.3, 0.06, fill=lighter(drink, 0.3))
    straw(canvas.at(0.02, 0, 1.05), rng, -0.82)
    for x, y in ((-0.14, -0.72), (0.1, -0.68)):
        canvas.at(x, y, angle=rng.between(-30, 30)).rectangle(-0.08, -0.08, 0.08, 0.08, lighter(drink, 0.55))
    canvas.line([(-0.25, -0.86), (-0.19, -0.14)], 0.025, WHITE)
    canvas.line([(-0.33, top), (0.33, top)], 0.02, WHITE)
    if rng.whether(0.5):
        canvas.ellipse(-0.32, top, 0.15, fill=(238, 200, 50))
        canvas.ellipse(-0.32, top, 0.115, fill=(255, 240, 150))
