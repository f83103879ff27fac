"""None of the other categories: a single object, or an abstract pattern."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.figures.things import THINGS, balloon
from tools.demo_model.album.open_air import outdoor
from tools.demo_model.album.palette import Colour, apart, darker, lighter, mix, muted, pastel, veil, vivid
from tools.demo_model.album.rng import Rng
from tools.demo_model.album.room import indoor, studio
from tools.demo_model.album.truth import Brief


def paint(canvas: Canvas, rng: Rng, brief: Brief) -> str:
    if rng.whether(0.55):
        return _thing(canvas, rng)
    pattern = rng.pick(PATTERNS)
    pattern(canvas, rng)
    return pattern.__name__.removeprefix("_")


def _thing(canvas: Canvas, rng: Rng) -> str:
    figure = rng.pick(THINGS)
    floor = canvas.height * rng.between(0.6, 0.75)
    if figure is balloon:
        outdoor(canvas, rng, canvas.height * 0.88)
    else:
        place = rng.pick((indoor, outdoor, None))
        if place is None:
            studio(canvas, rng)
        else:
            place(canvas, rng, floor)
    size = min(canvas.height * rng.between(0.6, 0.82), canvas.width / rng.between(1.45, 1.7))
    slack = max(0.0, canvas.width - size * 1.5) / 2
    x, y = canvas.width / 2 + rng.between(-slack, slack), canvas.height * rng.between(0.86, 0.94)
    if figure is balloon:
        y -= 0.12
    else:
        canvas.ellipse(x, y, size * 0.4, size * 0.04, fill=veil((20, 20, 24), 0.28))
    figure(canvas.at(x, y, size, flip=rng.whether(0.5)), rng)
    return figure.__name__


def _colours(rng: Rng, count: int) -> list[Colour]:
    base = muted(rng) if rng.whether(0.4) else vivid(rng)
    colours = [base, lighter(base, 0.5)]
    while len(colours) < count:
        colours.append(apart(rng, *colours) if rng.whether(0.6) else darker(base, 0.25 * (len(colours) - 1)))
    return colours


def _stripes(canvas: Canvas, rng: Rng) -> None:
    colours, step = _colours(rng, rng.count(2, 4)), rng.between(0.06, 0.2)
    frame = canvas.at(canvas.width / 2, canvas.height / 2, angle=rng.between(0, 180))
    for number in range(-int(2 / step), int(2 / step)):
        frame.rectangle(number * step, -1.6, (number + 1) * step, 1.6, colours[number % len(colours)])


def _checks(canvas: Canvas, rng: Rng) -> None:
    colours, step = _colours(rng, 3), rng.between(0.09, 0.25)
    frame = canvas.at(canvas.width / 2, canvas.height / 2, angle=rng.pick((0, 0, 45, 20)))
    reach = int(1.4 / step) + 1
    for row in range(-reach, reach):
        for column in range(-reach, reach):
            frame.rectangle(
                column * step,
                row * step,
                (column + 1) * step,
                (row + 1) * step,
                colours[(row + 2 * column) % 3 if step > 0.15 else (row + column) % 2],
            )


def _waves(canvas: Canvas, rng: Rng) -> None:
    colours, rows, swing = _colours(rng, 4), rng.count(7, 14), rng.between(0.02, 0.06)
    high = canvas.height / rows
    for row in range(rows + 1):
        y = row * high
        crest = [(canvas.width * step / 12, y + swing * math.sin(step * 1.6 + row)) for step in range(13)]
        canvas.polygon([*crest, (canvas.width, canvas.height + 0.1), (0, canvas.height + 0.1)], colours[row % 4])


def _discs(canvas: Canvas, rng: Rng) -> None:
    colours = _colours(rng, 5)
    canvas.rectangle(0, 0, canvas.width, canvas.height, pastel(rng))
    for _ in range(rng.count(18, 36)):
        x, y, r = rng.between(0, canvas.width), rng.between(0, canvas.height), rng.between(0.04, 0.2)
        canvas.ellipse(x, y, r, fill=veil(rng.pick(colours), rng.between(0.4, 0.9)))


def _shards(canvas: Canvas, rng: Rng) -> None:
    colours, step = _colours(rng, 4), 0.22
    columns, rows = int(canvas.width / step) + 3, int(canvas.height / step) + 3
    grid = [
        [((c - 1) * step + rng.between(-0.08, 0.08), (r - 1) * step + rng.between(-0.08, 0.08)) for c in range(columns)]
        for r in range(rows)
    ]
    for r in range(rows - 1):
        for c in range(columns - 1):
            one, two, three, four = grid[r][c], grid[r][c + 1], grid[r + 1][c + 1], grid[r + 1][c]
            canvas.polygon([one, two, three], mix(rng.pick(colours), colours[0], rng.between(0, 0.6)))
            canvas.polygon([one, three, four], mix(rng.pick(colours), colours[1], rng.between(0, 0.6)))


def _rings(canvas: Canvas, rng: Rng) -> None:
    colours = _colours(rng, rng.count(2, 4))
    x, y = rng.between(0.2, canvas.width - 0.2), rng.between(0.2, canvas.height - 0.2)
    step = rng.between(0.06, 0.14)
    for number in range(int(2.2 / step), 0, -1):
        canvas.ellipse(x, y, number * step, fill=colours[number % len(colours)])


def _bricks(canvas: Canvas, rng: Rng) -> None:
    brick, mortar, high = muted(rng), pastel(rng), rng.between(0.06, 0.11)
    canvas.rectangle(0, 0, canvas.width, canvas.height, mortar)
    for row in range(int(canvas.height / high) + 1):
        for column in range(int(canvas.width / high / 2.2) + 2):
            x, y = (column - row % 2 / 2) * high * 2.2, row * high
            canvas.rectangle(x, y, x + high * 2.05, y + high * 0.86, darker(brick, rng.between(0, 0.25)))


def _strokes(canvas: Canvas, rng: Rng) -> None:
    colours = _colours(rng, 4)
    canvas.rectangle(0, 0, canvas.width, canvas.height, pastel(rng))
    for _ in range(rng.count(6, 14)):
        way = [(rng.between(-0.1, canvas.width + 0.1), rng.between(-0.1, canvas.height + 0.1)) for _ in range(4)]
        canvas.curve(way, rng.between(0.02, 0.09), rng.pick(colours))


PATTERNS: Final[tuple[Callable[[Canvas, Rng], None], ...]] = (
    _stripes, _checks, _waves, _discs, _shards, _rings, _bricks, _strokes,
)  # fmt: skip
