"""Diagrams: a flowchart, or a bar, line or pie chart, on a sheet, a screen or a slide; with heading, legend and grid.

Axis names, numbers, a note at the foot and a box of notes are drawn with or without these, so that only the thing
itself is evidence: a heading is above everything, a legend has colour swatches with names, a grid runs behind the data.
"""

from __future__ import annotations

from dataclasses import replace

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.charts import Chart, bars, flowchart, lines, pie
from tools.demo_model.album.palette import BLACK, WHITE, Colour, darker, hsv, lighter, mix
from tools.demo_model.album.rng import Rng
from tools.demo_model.album.room import indoor
from tools.demo_model.album.truth import Brief
from tools.demo_model.album.words import HEADINGS, SERIES, STEPS, line_of_words

# Height of a line of text by the shorter side of the picture, from coarse to fine.
TEXT = (0.062, 0.01)
DARK: Colour = (34, 38, 48)


def paint(canvas: Canvas, rng: Rng, brief: Brief) -> str:
    kind, contains = brief.details["kind"][0], brief.details["contains"]
    text = TEXT[0] * (TEXT[1] / TEXT[0]) ** brief.fineness
    framed = rng.whether(0.25)
    sheet = _screen(canvas, rng) if framed else canvas
    paper = DARK if rng.whether(0.15) else lighter(hsv(rng.between(0, 360), rng.between(0, 0.12), 0.98), 0.3)
    sheet.rectangle(0, 0, sheet.width, sheet.height, paper)

    chart = Chart(sheet, rng, paper, text, _colours(rng, paper), "grid" in contains)
    margin = rng.between(0.05, 0.08)
    left, top, right, bottom = margin, margin, sheet.width - margin, sheet.height - margin
    if "heading" in contains:
        top = _heading(chart, left, top, right)
    if rng.whether(0.3):
        bottom -= text * 1.6
        chart.put(right, bottom + text * 0.5, line_of_words(rng, 0.4, text * 0.8), size=0.8, anchor="ra")
    series = rng.count(*{"line_chart": (2, 3), "pie_chart": (3, 4)}.get(kind, (2, 4)))
    swatches = "legend" in contains
    if swatches or rng.whether(0.3):
        count = series if kind != "flowchart" else 3
        left, top, right, bottom = _names(chart, left, top, right, bottom, count, swatches=swatches)
    draw = {"flowchart": flowchart, "bar_chart": bars, "line_chart": lines, "pie_chart": pie}[kind]
    plot = sheet.part(left, top, right, bottom)
    plot.shows("kind", (0, 0, plot.width, plot.height))
    draw(replace(chart, canvas=plot), series)
    return f"{'screen' if framed else 'sheet'}, text {text:.3f}"


def _screen(canvas: Canvas, rng: Rng) -> Canvas:
    """A screen or a whiteboard in a room; the diagram fills it."""
    indoor(canvas, rng, canvas.height * 0.85)
    edge, frame = rng.between(0.05, 0.09), BLACK if rng.whether(0.6) else (206, 210, 214)
    low = canvas.height - edge - 0.06
    if frame == BLACK:
        canvas.rectangle(canvas.width / 2 - 0.05, low, canvas.width / 2 + 0.05, canvas.height, darker(frame, 0.2))
    canvas.rectangle(edge - 0.03, edge - 0.03, canvas.width - edge + 0.03, low + 0.03, frame)
    return canvas.part(edge, edge, canvas.width - edge, low)


def _colours(rng: Rng, paper: Colour) -> tuple[Colour, ...]:
    start, step = rng.between(0, 360), rng.pick((72, 90, 110, 137))
    tone = [hsv(start + step * number, rng.between(0.5, 0.8), rng.between(0.6, 0.92)) for number in range(6)]
    return tuple(mix(colour, WHITE, 0.15) if paper == DARK else colour for colour in tone)


def _heading(chart: Chart, left: float, top: float, right: float) -> float:
    words = chart.rng.pick(HEADINGS)
    size = min(1.5, (right - left) / (len(words) * 0.55 * chart.text))
    wide, bottom = len(words) * 0.5 * size * chart.text, top + chart.text * 1.6
    centred = chart.rng.whether(0.5)
    if centred:
        chart.put((left + right) / 2, top, words, size=size, anchor="ma", bold=True)
    else:
        chart.put(left, top, words, size=size, bold=True)
    start = (left + right - wide) / 2 if centred else left
    chart.canvas.shows("contains", (start, top, start + wide, bottom), "heading")
    return top + chart.text * 1.9


def _names(
    chart: Chart, left: float, top: float, right: float, bottom: float, count: int, *, swatches: bool
) -> tuple[float, float, float, float]:
    """A box beside the plot where the picture is wide, else below it: a legend, or notes if it has no swatches. Returns
    what is left for the plot."""
    text, names = chart.text, chart.rng.several(SERIES if swatches else STEPS, count)
    step = text * 1.5
    if right - left > 1.15 * (bottom - top):
        wide = text * 6.2
        x, y = right - wide, top + chart.rng.between(0.1, 0.6) * (bottom - top - step * count - text)
        spots = [(x + text * 0.5, y + text * 0.5 + step * number) for number in range(count)]
        box, rest = (x, y, right, y + step * count + text * 0.5), (left, top, x - text * 0.6, bottom)
    else:
        columns = 2 if count > 2 or right - left < text * 12 else count
        rows, wide = -(-count // columns), (right - left) / columns
        y = bottom - step * rows - text * 0.5
        spots = [
            (left + text * 0.5 + wide * (n % columns), y + text * 0.5 + step * (n // columns)) for n in range(count)
        ]
        box, rest = (left, y, right, bottom), (left, top, right, y - text * 0.7)
    if swatches:
        chart.canvas.shows("contains", box, "legend")
    ink = mix(chart.ink, chart.paper, 0.45)
    chart.canvas.line(
        [(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3]), (box[0], box[1])], text * 0.06, ink
    )
    for (x, y), name, colour in zip(spots, names, chart.colours, strict=False):
        if swatches:
            chart.canvas.rectangle(x, y, x + text * 0.85, y + text * 0.85, colour)
        chart.put(x + text * (1.2 if swatches else 0), y - text * 0.1, name, size=0.9)
    return rest
