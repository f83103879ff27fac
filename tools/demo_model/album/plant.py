"""Plants: one potted plant indoors, or one flower or cactus outdoors or against soft light."""

from __future__ import annotations

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.figures.birds_and_fish import bird
from tools.demo_model.album.figures.pets import cat
from tools.demo_model.album.figures.plants import FLOWERS, POTTED, green
from tools.demo_model.album.figures.tableware import coffee, mug
from tools.demo_model.album.open_air import bokeh, outdoor
from tools.demo_model.album.palette import darker, lighter, pastel, veil
from tools.demo_model.album.rng import Rng
from tools.demo_model.album.room import indoor, studio, table
from tools.demo_model.album.truth import Brief


def paint(canvas: Canvas, rng: Rng, brief: Brief) -> str:
    potted = rng.whether(0.5)
    figure = rng.pick(POTTED if potted else FLOWERS)
    size = min(canvas.height * rng.between(0.72, 0.9), canvas.width / rng.between(0.85, 1.0))
    x = canvas.width / 2 + rng.between(-0.2, 0.2) * max(0.1, canvas.width - size * 0.8)
    base = canvas.height * (rng.between(0.9, 0.97) if potted else 1.02)
    if potted:
        _place_for_a_pot(canvas, rng)
        canvas.ellipse(x + 0.02, base, size * 0.26, size * 0.03, fill=veil((24, 20, 18), 0.3))
    else:
        _bed(canvas, rng)
    figure(canvas.at(x, base, size), rng)
    return figure.__name__


def _place_for_a_pot(canvas: Canvas, rng: Rng) -> None:
    floor = canvas.height * rng.between(0.6, 0.75)
    kind = rng.pick(("room", "table", "studio", "terrace"))
    match kind:
        case "room":
            indoor(canvas, rng, floor)
            if rng.whether(0.3):
                cat(canvas.at(rng.pick((0.14, canvas.width - 0.14)), floor + 0.12, 0.2), rng)
        case "table":
            table(canvas, rng, floor)
            if rng.whether(0.4):
                mug(
                    canvas.at(rng.pick((0.14, canvas.width - 0.14)), floor + 0.1, 0.17),
                    rng,
                    0.4,
                    coffee(rng, 0.4),
                )
        case "studio":
            studio(canvas, rng)
        case _:
            outdoor(canvas, rng, floor)


def _bed(canvas: Canvas, rng: Rng) -> None:
    kind = rng.pick(("bokeh", "bokeh", "garden", "studio"))
    match kind:
        case "bokeh":
            tone = green(rng) if rng.whether(0.7) else pastel(rng)
            bokeh(canvas, rng, darker(tone, 0.1))
        case "garden":
            outdoor(canvas, rng, canvas.height * rng.between(0.55, 0.7))
            if rng.whether(0.3):
                bird(canvas.at(rng.pick((0.12, canvas.width - 0.12)), canvas.height * 0.9, 0.14), rng)
        case _:
            studio(canvas, rng)
    blade = green(rng)
    for _ in range(rng.count(0, 14)):
        x, long = rng.between(0, canvas.width), rng.between(0.08, 0.24)
        way = [
            (x, canvas.height),
            (x + 0.02, canvas.height - long * 0.6),
            (x + rng.between(-0.05, 0.08), canvas.height - long),
        ]
        canvas.curve(way, 0.014, lighter(blade, rng.between(0, 0.25)))
