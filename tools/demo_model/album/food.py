"""Food and drink on a table: the kind, and what it is served in."""

from __future__ import annotations

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.figures.foods import OTHER_FOODS, Figure, fruit, noodles
from tools.demo_model.album.figures.plants import FLOWERS, POTTED
from tools.demo_model.album.figures.sweets_and_drinks import BOTTLED, CAKES
from tools.demo_model.album.figures.tableware import Filling, bowl, coffee, drinking_glass, mug, plate
from tools.demo_model.album.palette import STEEL, WHITE, Colour, apart, darker, lighter, veil
from tools.demo_model.album.rng import Rng
from tools.demo_model.album.room import studio, table
from tools.demo_model.album.truth import Brief

# Width and height of each serving in its own frame, food included.
SIZE = {"plate": (1.6, 1.15), "bowl": (1.4, 1.3), "cup": (1.2, 1.4), "none": (1.25, 1.0)}


def paint(canvas: Canvas, rng: Rng, brief: Brief) -> str:
    kind, served_in = brief.details["kind"][0], brief.details["served_in"][0]
    edge = canvas.height * rng.between(0.3, 0.55)
    top = table(canvas, rng, edge) if rng.whether(0.8) else studio(canvas, rng)
    _beside(canvas, rng, edge)

    wide, high = SIZE[served_in]
    if kind == "drink" and served_in != "bowl":
        wide, high = 1.0, 1.4
    scale = min(canvas.width / wide, canvas.height * 0.92 / high) * rng.between(0.72, 0.98)
    slack = max(0.0, canvas.width - wide * scale) / 2
    x = canvas.width / 2 + rng.between(-slack, slack) * 0.7
    y = canvas.height * rng.between(0.86, 0.94)
    spot = canvas.at(x, y, scale)
    if rng.whether(0.35):
        spot.polygon([(-0.75, 0.08), (0.75, 0.08), (0.62, -0.2), (-0.62, -0.2)], apart(rng, top))
    spot.ellipse(0.04, 0.0, 0.5, 0.07, fill=veil((30, 24, 20), 0.28))
    spot.shows("kind", (-wide / 2, -high, wide / 2, 0))
    spot.shows("served_in", (-wide / 2, -high * 0.75, wide / 2, 0.05))
    name = _serve(spot, rng, kind, served_in)
    if served_in in ("plate", "bowl") and rng.whether(0.5):
        _cutlery(canvas.at(x + rng.sign() * 0.74 * scale, y, scale), rng)
    return f"{name}, {served_in}"


def _serve(spot: Canvas, rng: Rng, kind: str, served_in: str) -> str:
    tilt = rng.between(0.3, 0.55)
    if kind == "drink":
        return _drink(spot, rng, served_in, tilt)
    figure: Figure = {"fruit": fruit, "noodles": noodles}.get(kind) or rng.pick(
        (CAKES if kind == "cake" else OTHER_FOODS)[served_in]
    )

    def food(frame: Canvas) -> None:
        figure(frame, rng)

    _container(spot, rng, served_in, tilt, food)
    return figure.__name__


def _container(spot: Canvas, rng: Rng, served_in: str, tilt: float, food: Filling) -> None:
    match served_in:
        case "plate":
            plate(spot, rng, tilt, food)
        case "bowl":
            bowl(spot, rng, tilt, food)
        case "cup":
            mug(spot, rng, tilt, food)
        case _:
            food(spot)


def _drink(spot: Canvas, rng: Rng, served_in: str, tilt: float) -> str:
    if served_in == "none":
        figure = rng.pick(BOTTLED)
        figure(spot, rng)
        return figure.__name__
    if served_in == "cup" and rng.whether(0.5):
        drinking_glass(spot, rng)
        return "drinking_glass"
    _container(spot, rng, served_in, tilt, coffee(rng, tilt))
    return "hot drink"


def _cutlery(canvas: Canvas, rng: Rng) -> None:
    kind, steel = rng.pick(("fork", "spoon", "knife")), lighter(STEEL, 0.3)
    canvas.limb((0, 0), (0, -0.4), 0.05, 0.035, darker(STEEL, 0.1))
    if kind == "fork":
        for x in (-0.04, 0.0, 0.04):
            canvas.line([(x, -0.42), (x, -0.58)], 0.02, steel)
        canvas.line([(-0.05, -0.42), (0.05, -0.42)], 0.035, steel)
    elif kind == "spoon":
        canvas.ellipse(0, -0.48, 0.06, 0.09, fill=steel)
    else:
        canvas.blob([(-0.03, -0.38), (-0.03, -0.62), (0.03, -0.56), (0.03, -0.38)], steel)


def _beside(canvas: Canvas, rng: Rng, edge: float) -> None:
    """What else is on the table, small and far away: a plant, flowers in a vase, or a written page."""
    if rng.whether(0.45):
        return
    x, y = rng.pick((0.13, canvas.width - 0.13)), edge + 0.06
    kind = rng.pick(("plant", "vase", "page"))
    if kind == "plant":
        rng.pick(POTTED)(canvas.at(x, y, 0.26), rng)
    elif kind == "vase":
        vase: Colour = apart(rng, WHITE)
        for turn in (-18, 0, 18):
            rng.pick(FLOWERS)(canvas.at(x, y - 0.09, 0.2, angle=turn), rng)
        canvas.blob(
            [
                (x - 0.03, y - 0.14), (x - 0.06, y - 0.05), (x - 0.03, y), (x + 0.03, y), (x + 0.06, y - 0.05),
                (x + 0.03, y - 0.14),
            ],
            vase,
        )  # fmt: skip
    else:
        page = canvas.at(x, y, angle=rng.between(-20, 20))
        page.rectangle(-0.09, -0.02, 0.09, 0.16, WHITE)
        for row in range(6):
            page.line([(-0.07, 0.01 + 0.024 * row), (0.07 - 0.03 * (row % 3), 0.01 + 0.024 * row)], 0.006, STEEL)
