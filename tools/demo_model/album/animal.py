"""Animals: one or several of a species, where such an animal lives."""

from __future__ import annotations

from collections.abc import Callable

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.figures.birds_and_fish import bird, fish, flying_bird
from tools.demo_model.album.figures.other_animals import OTHER_ANIMALS, elephant, giraffe, pig
from tools.demo_model.album.figures.person import passer_by
from tools.demo_model.album.figures.pets import cat, dog
from tools.demo_model.album.figures.plants import FLOWERS
from tools.demo_model.album.open_air import outdoor, underwater
from tools.demo_model.album.palette import GLASS, WHITE, WOOD, darker, lighter, mix, veil
from tools.demo_model.album.rng import Rng
from tools.demo_model.album.room import indoor, table
from tools.demo_model.album.truth import Brief

Figure = Callable[[Canvas, Rng], None]


def paint(canvas: Canvas, rng: Rng, brief: Brief) -> str:
    species = brief.details["species"][0]
    count = 1 if brief.details["count"] == ("one",) else rng.count(2, 4)
    match species:
        case "fish":
            return _fish(canvas, rng, count)
        case "bird":
            return _birds(canvas, rng, count)
        case _:
            figure = {"cat": cat, "dog": dog}.get(species) or rng.pick(OTHER_ANIMALS)
            _on_the_ground(canvas, rng, figure, count)
            return f"{figure.__name__}, {count}"


def _on_the_ground(canvas: Canvas, rng: Rng, figure: Figure, count: int) -> None:
    wild = figure in (elephant, giraffe, pig)
    floor = canvas.height * rng.between(0.55, 0.72)
    if wild or rng.whether(0.55):
        outdoor(canvas, rng, floor)
        if rng.whether(0.25):
            passer_by(canvas.at(rng.pick((0.1, canvas.width - 0.1)), floor + 0.05, 0.22), rng, WHITE)
    else:
        indoor(canvas, rng, floor)
    for x, y, size in _places(canvas, rng, count, 1.5, back=floor + 0.07):
        canvas.ellipse(x, y, size * 0.42, size * 0.05, fill=veil((20, 24, 20), 0.25))
        _shows(canvas.at(x, y, size))
        figure(canvas.at(x, y, size, flip=rng.whether(0.5)), rng)


def _shows(figure: Canvas) -> None:
    """Each animal is evidence of its species and of the count."""
    for attribute in ("species", "count"):
        figure.shows(attribute, (-0.5, -1.0, 0.5, 0.0))


def _places(canvas: Canvas, rng: Rng, count: int, wide: float, *, back: float) -> list[tuple[float, float, float]]:
    """The position and size of each of `count` figures, the near ones last.

    `wide`: width of a figure of height 1. `back`: position of the back row, if there are two rows.
    """
    if count == 1:
        size = min(canvas.height * rng.between(0.5, 0.78), canvas.width / wide * rng.between(0.8, 0.98))
        slack = max(0.0, canvas.width - size * wide) / 2
        return [(canvas.width / 2 + rng.between(-slack, slack), canvas.height * rng.between(0.86, 0.96), size)]
    columns = count if canvas.width > 1.2 else min(count, 2)
    rows = -(-count // columns)
    size = min(canvas.width / (columns * wide) * 1.08, canvas.height * 0.62 / rows**0.6)
    spots = []
    for number in range(count):
        row, column = divmod(number, columns)
        inside = min(columns, count - row * columns)
        x = canvas.width * (column + 0.5) / inside + rng.between(-0.02, 0.02)
        y = (canvas.height * 0.94 if row == rows - 1 else back) + rng.between(-0.02, 0.02)
        spots.append((x, y, size * rng.between(0.85, 1.0)))
    return spots


def _fish(canvas: Canvas, rng: Rng, count: int) -> str:
    tank = rng.whether(0.3)
    water = canvas
    if tank:
        edge = canvas.height * 0.82
        table(canvas, rng, edge)
        x0, x1, y0, y1 = 0.05, canvas.width - 0.05, canvas.height * 0.14, canvas.height * 0.92
        canvas.rectangle(x0, y0, x1, y1, lighter(GLASS, 0.3))
        canvas.rectangle(x0 + 0.02, y0 + 0.06, x1 - 0.02, y1 - 0.02, mix((110, 190, 226), GLASS, rng.between(0, 0.6)))
        canvas.rectangle(x0 + 0.02, y1 - 0.09, x1 - 0.02, y1 - 0.02, (214, 190, 140))
        canvas.line([(x0 + 0.05, y0 + 0.1), (x0 + 0.05, y1 - 0.14)], 0.015, WHITE)
        water = canvas.part(x0 + 0.06, y0 + 0.1, x1 - 0.06, y1 - 0.02)
    else:
        underwater(canvas, rng)
    for x, y, size in _places(water, rng, count, 1.6, back=water.height * 0.5):
        lift = 0.0 if count > 2 else rng.between(0.0, 0.25) * (water.height - size)
        figure = water.at(x, y - 0.06 - lift, size * 1.05, angle=rng.between(-10, 10), flip=rng.whether(0.5))
        _shows(figure)
        fish(figure, rng)
    return f"{'tank' if tank else 'sea'}, {count}"


def _birds(canvas: Canvas, rng: Rng, count: int) -> str:
    kind = rng.pick(("perched", "ground", "flying"))
    horizon = canvas.height * (0.62 if kind == "ground" else 0.9)
    outdoor(canvas, rng, horizon, houses=0.25, trees=0.5)
    back = horizon + 0.06 if kind == "ground" else canvas.height * 0.52
    for x, y, size in _places(canvas, rng, count, 1.55, back=back):
        match kind:
            case "perched":
                y -= 0.06
                canvas.curve(
                    [(x - size * 0.75, y + 0.02), (x, y), (x + size * 0.75, y + 0.03)], 0.05 * size, darker(WOOD, 0.2)
                )
                for dx in (-0.6, 0.55):
                    canvas.ellipse(
                        x + dx * size, y - 0.05 * size, 0.1 * size, 0.05 * size, fill=(90, 150, 70), angle=-30
                    )
                figure = canvas.at(x, y, size * 0.95, flip=rng.whether(0.5))
            case "ground":
                figure = canvas.at(x, y, size * 0.95, flip=rng.whether(0.5))
            case _:
                lift = 0.1 if count > 2 else rng.between(0.1, 0.3) * (canvas.height - size * 0.6)
                figure = canvas.at(x, y - lift, size * 0.9, flip=rng.whether(0.5), angle=rng.between(-8, 8))
        _shows(figure)
        (flying_bird if kind == "flying" else bird)(figure, rng)
    if kind == "ground" and rng.whether(0.4):
        rng.pick(FLOWERS)(canvas.at(rng.pick((0.07, canvas.width - 0.07)), canvas.height * 0.98, 0.22), rng)
    return f"{kind}, {count}"
