"""Plants: one potted plant indoors, or one flower or cactus outdoors or against soft light."""

from __future__ import annotations

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.chance import Chance
from tools.demo_model.album.figures.birds_and_fish import bird
from tools.demo_model.album.figures.pets import cat
from tools.demo_model.album.figures.plants import FLOWERS, POTTED, green
from tools.demo_model.album.figures.tableware import coffee, mug
from tools.demo_model.album.open_air import bokeh, outdoor
from tools.demo_model.album.palette import darker, lighter, pastel, veil
from tools.demo_model.album.room import indoor, studio, table
from tools.demo_model.album.truth import Brief


def paint(canvas: Canvas, chance: Chance, brief: Brief) -> str:
    potted = chance.whether(0.5)
    figure = chance.pick(POTTED if potted else FLOWERS)
    size = min(canvas.height * chance.between(0.72, 0.9), canvas.width / chance.between(0.85, 1.0))
    x = canvas.width / 2 + chance.between(-0.2, 0.2) * max(0.1, canvas.width - size * 0.8)
    base = canvas.height * (chance.between(0.9, 0.97) if potted else 1.02)
    if potted:
        _place_for_a_pot(canvas, chance)
        canvas.ellipse(x + 0.02, base, size * 0.26, size * 0.03, fill=veil((24, 20, 18), 0.3))
    else:
        _bed(canvas, chance)
    figure(canvas.at(x, base, size), chance)
    return figure.__name__


def _place_for_a_pot(canvas: Canvas, chance: Chance) -> None:
    floor = canvas.height * chance.between(0.6, 0.75)
    kind = chance.pick(("room", "table", "studio", "terrace"))
    match kind:
        case "room":
            indoor(canvas, chance, floor)
            if chance.whether(0.3):
                cat(canvas.at(chance.pick((0.14, canvas.width - 0.14)), floor + 0.12, 0.2), chance)
        case "table":
            table(canvas, chance, floor)
            if chance.whether(0.4):
                mug(
                    canvas.at(chance.pick((0.14, canvas.width - 0.14)), floor + 0.1, 0.17),
                    chance,
                    0.4,
                    coffee(chance, 0.4),
                )
        case "studio":
            studio(canvas, chance)
        case _:
            outdoor(canvas, chance, floor)


def _bed(canvas: Canvas, chance: Chance) -> None:
    kind = chance.pick(("bokeh", "bokeh", "garden", "studio"))
    match kind:
        case "bokeh":
            tone = green(chance) if chance.whether(0.7) else pastel(chance)
            bokeh(canvas, chance, darker(tone, 0.1))
        case "garden":
            outdoor(canvas, chance, canvas.height * chance.between(0.55, 0.7))
            if chance.whether(0.3):
                bird(canvas.at(chance.pick((0.12, canvas.width - 0.12)), canvas.height * 0.9, 0.14), chance)
        case _:
            studio(canvas, chance)
    blade = green(chance)
    for _ in range(chance.count(0, 14)):
        x, long = chance.between(0, canvas.width), chance.between(0.08, 0.24)
        way = [
            (x, canvas.height),
            (x + 0.02, canvas.height - long * 0.6),
            (x + chance.between(-0.05, 0.08), canvas.height - long),
        ]
        canvas.curve(way, 0.014, lighter(blade, chance.between(0, 0.25)))
