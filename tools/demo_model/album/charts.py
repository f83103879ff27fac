"""The charts themselves: each fills the whole frame of its canvas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise, product

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.palette import INK, WHITE, Colour, darker, lighter, luminance, mix
from tools.demo_model.album.rng import Rng
from tools.demo_model.album.words import MONTHS, STEPS

GRID_WEIGHT = 0.12
"""Width of a grid line by the height of the text."""


@dataclass(frozen=True, slots=True)
class Chart:
    canvas: Canvas
    rng: Rng
    paper: Colour
    text: float
    colours: tuple[Colour, ...]
    grid: bool

    @property
    def ink(self) -> Colour:
        return INK if luminance(self.paper) > 128 else WHITE

    def put(self, x: float, y: float, words: str, *, size: float = 1.0, anchor: str = "la", bold: bool = False) -> None:
        self.canvas.text(x, y, words, self.text * size, self.ink, anchor)
        if bold:
            self.canvas.text(x + self.text * size * 0.05, y, words, self.text * size, self.ink, anchor)

    def rule(self, x0: float, y0: float, x1: float, y1: float, weight: float, colour: Colour | None = None) -> None:
        self.canvas.line([(x0, y0), (x1, y1)], self.text * weight, colour or self.ink)

    def mesh(self, x0: float, y0: float, x1: float, y1: float, step: float) -> None:
        """Grid lines that are `step` apart, over the given field. They show most where they cross."""
        faint, half = mix(self.paper, self.ink, 0.4), self.text * GRID_WEIGHT / 2
        across = [x0 + number * step for number in range(int((x1 - x0) / step) + 1)]
        down = [y1 - number * step for number in range(int((y1 - y0) / step) + 1)]
        for x in across:
            self.rule(x, y0, x, y1, GRID_WEIGHT, faint)
        for y in down:
            self.rule(x0, y, x1, y, GRID_WEIGHT, faint)
        for x, y in product(across, down):
            self.canvas.shows("contains", (x - half, y - half, x + half, y + half), "grid")


def _axes(chart: Chart, labels: list[str]) -> tuple[float, float, float, float]:
    """Axes with numbers and names, and the grid if there is one. Returns the field between them."""
    canvas, text = chart.canvas, chart.text
    x0, x1, y0, y1 = text * 2.2, canvas.width, text * 0.5, canvas.height - text * 1.6
    if chart.grid:
        chart.mesh(x0, y0, x1, y1, (y1 - y0) / 5)
    chart.rule(x0, y0, x0, y1, 0.11)
    chart.rule(x0, y1, x1, y1, 0.11)
    top = chart.rng.pick((5, 50, 100, 500))
    for step in range(6):
        y = y1 - (y1 - y0) * step / 5
        chart.put(x0 - text * 0.3, y, str(top * step // 5), size=0.8, anchor="rm")
        chart.rule(x0 - text * 0.18, y, x0, y, 0.08)
    room = (x1 - x0) / len(labels)
    sparse = room < text * 2
    for number, label in enumerate(labels):
        if not sparse or number % 2 == 0:
            chart.put(x0 + room * (number + 0.5), y1 + text * 0.3, label, size=0.8, anchor="ma")
    return x0, y0, x1, y1


def bars(chart: Chart, series: int) -> None:
    rng = chart.rng
    groups = rng.count(3, 6) if series < 3 else rng.count(2, 4)
    x0, y0, x1, y1 = _axes(chart, list(MONTHS[:groups]))
    room = (x1 - x0) / groups
    wide = room * 0.76 / series
    for group in range(groups):
        for number in range(series):
            x, high = x0 + room * (group + 0.12) + wide * number, (y1 - y0) * rng.between(0.12, 0.96)
            chart.canvas.rectangle(x, y1 - high, x + wide * 0.92, y1, chart.colours[number])
    chart.rule(x0, y1, x1, y1, 0.11)


def lines(chart: Chart, series: int) -> None:
    rng, points = chart.rng, chart.rng.count(5, 9)
    x0, y0, x1, y1 = _axes(chart, list(MONTHS[:points]))
    room = (x1 - x0) / points
    dots = rng.whether(0.6)
    for number in range(series):
        level, way = rng.between(0.2, 0.8), []
        for point in range(points):
            step = rng.between(-0.26, 0.26)
            level += step if 0.06 < level + step < 0.95 else -step
            way.append((x0 + room * (point + 0.5), y1 - (y1 - y0) * level))
        chart.canvas.line(way, max(0.011, chart.text * 0.2), chart.colours[number])
        if dots:
            for x, y in way:
                chart.canvas.ellipse(x, y, max(0.013, chart.text * 0.26), fill=chart.colours[number])


def pie(chart: Chart, series: int) -> None:
    canvas, rng, text = chart.canvas, chart.rng, chart.text
    if chart.grid:
        chart.mesh(0, 0, canvas.width, canvas.height, min(canvas.width, canvas.height) / 6)
    x, y, radius = canvas.width / 2, canvas.height / 2, min(canvas.width, canvas.height) * 0.46
    parts = [rng.between(0.5, 1.5) for _ in range(series)]
    start = rng.between(0, 360)
    for number, part in enumerate(parts):
        sweep = 360 * part / sum(parts)
        canvas.sector(x, y, radius, start, start + sweep, fill=chart.colours[number])
        edge, middle = math.radians(start), math.radians(start + sweep / 2)
        chart.rule(x, y, x + radius * math.cos(edge), y + radius * math.sin(edge), 0.12, chart.paper)
        words = f"{100 * part / sum(parts):.0f}%"
        far = radius * 0.68
        canvas.text(x + far * math.cos(middle), y + far * math.sin(middle), words, text * 0.9, WHITE, "mm")
        start += sweep
    if rng.whether(0.3):
        canvas.ellipse(x, y, radius * 0.42, fill=chart.paper)


def flowchart(chart: Chart, series: int) -> None:
    """Boxes, diamonds and rounded ends, joined by arrows, in one or two columns (rows where the frame is wide)."""
    canvas, rng = chart.canvas, chart.rng
    if chart.grid:
        chart.mesh(0, 0, canvas.width, canvas.height, chart.text * 1.3)
    across = canvas.width > canvas.height * 1.25
    long, wide = (canvas.width, canvas.height) if across else (canvas.height, canvas.width)
    steps = max(3, min(rng.count(3, 5), int(long / 0.22)))
    lanes = rng.count(1, 2) if wide > 0.55 else 1
    room = long / steps
    half_x = min((room if across else wide / lanes) * 0.34, 0.24)
    half_y = min((wide / lanes if across else room) * 0.27, 0.11, half_x * 0.8)
    spots = [
        [
            ((room * (s + 0.5), wide * (n + 0.5) / lanes) if across else (wide * (n + 0.5) / lanes, room * (s + 0.5)))
            for s in range(steps)
        ]
        for n in range(lanes)
    ]
    for lane in spots:
        for one, other in pairwise(lane):
            _arrow(chart, one, other, half_x, half_y)
    if lanes == 2:
        turn = rng.count(0, steps - 1)
        _arrow(chart, spots[0][turn], spots[1][turn], half_x, half_y)
    for number, lane in enumerate(spots):
        for step, (x, y) in enumerate(lane):
            kind = "end" if step in (0, steps - 1) and number == 0 else rng.pick(("box", "box", "diamond"))
            _node(chart, kind, x, y, half_x, half_y)


def _arrow(chart: Chart, one: tuple[float, float], other: tuple[float, float], half_x: float, half_y: float) -> None:
    across = abs(other[0] - one[0]) > abs(other[1] - one[1])
    back = half_x if across else half_y
    far = math.dist(one, other)
    ux, uy = (other[0] - one[0]) / far, (other[1] - one[1]) / far
    tip = (other[0] - ux * back, other[1] - uy * back)
    head = min(0.04, chart.text * 0.7)
    chart.rule(one[0], one[1], tip[0] - ux * head, tip[1] - uy * head, 0.14)
    left = (tip[0] - ux * head - uy * head * 0.6, tip[1] - uy * head + ux * head * 0.6)
    right = (tip[0] - ux * head + uy * head * 0.6, tip[1] - uy * head - ux * head * 0.6)
    chart.canvas.polygon([tip, left, right], chart.ink)


def _node(chart: Chart, kind: str, x: float, y: float, half_x: float, half_y: float) -> None:
    colour = {"end": chart.colours[0], "box": chart.colours[1], "diamond": chart.colours[2]}[kind]
    fill = mix(lighter(colour, 0.55), chart.paper, 0.1)
    for grown, tint in ((0.008, darker(colour, 0.25)), (0.0, fill)):
        wide, high = half_x + grown, half_y + grown
        if kind == "diamond":
            chart.canvas.polygon(
                [(x - wide * 1.1, y), (x, y - high * 1.25), (x + wide * 1.1, y), (x, y + high * 1.25)], tint
            )
        elif kind == "end":
            chart.canvas.rectangle(x - wide + high, y - high, x + wide - high, y + high, tint)
            for side in (-1, 1):
                chart.canvas.ellipse(x + side * (wide - high), y, high, fill=tint)
        else:
            chart.canvas.rectangle(x - wide, y - high, x + wide, y + high, tint)
    words = chart.rng.pick(STEPS if kind != "diamond" else ("OK?", "New?", "Big?", "Paid?"))
    size = min(chart.text, half_x * 1.7 / (len(words) * 0.55))
    chart.canvas.text(x, y, words, size, INK, "mm")
