"""Outdoors: open country by day, the sea from below, and the soft light behind a flower that is very near."""

from __future__ import annotations

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.chance import Chance
from tools.demo_model.album.figures.buildings import HOUSES, TOWERS
from tools.demo_model.album.figures.plants import TREES
from tools.demo_model.album.figures.things import ball, balloon, bicycle, car
from tools.demo_model.album.palette import GRASS, SAND, WHITE, Colour, darker, hsv, lighter, mix, muted, veil

PAVING: Colour = (176, 174, 170)


def outdoor(canvas: Canvas, chance: Chance, horizon: float, *, houses: float = 0.4, trees: float = 0.7) -> Colour:
    """The open air by day: sky, hills, trees, houses, and ground from y = `horizon`. Returns the sky's colour."""
    blue = hsv(chance.between(190, 222), chance.between(0.25, 0.65), chance.between(0.82, 1.0))
    canvas.gradient(0, horizon + 0.02, [blue, lighter(blue, 0.6)])
    if chance.whether(0.6):
        canvas.ellipse(chance.between(0.1, canvas.width - 0.1), chance.between(0.08, 0.2), 0.07, fill=(255, 232, 130))
    for _ in range(chance.count(1, 3)):
        cloud(
            canvas.at(chance.between(0, canvas.width), chance.between(0.06, horizon * 0.5), chance.between(0.15, 0.3)),
            WHITE,
        )
    hills(canvas, chance, horizon, mix(GRASS, blue, 0.35))
    for _ in range(chance.count(1, 3) if chance.whether(houses) else 0):
        figure, size = chance.pick((*HOUSES, *TOWERS)), chance.between(0.2, 0.42)
        figure(canvas.at(chance.between(0, canvas.width), horizon + 0.01, size), chance)
    for _ in range(chance.count(2, 5) if chance.whether(trees) else 0):
        chance.pick(TREES)(
            canvas.at(chance.between(0, canvas.width), horizon + 0.02, chance.between(0.16, 0.4)), chance
        )
    ground(canvas, chance, horizon)
    for _ in range(chance.count(0, 1)):
        figure = chance.pick((car, bicycle, ball, balloon))
        x, lift = chance.pick((0.12, canvas.width - 0.12)), horizon * 0.45 if figure is balloon else 0.0
        figure(canvas.at(x, horizon + 0.06 - lift, 0.16), chance)
    return mix(blue, WHITE, 0.2)


def hills(canvas: Canvas, chance: Chance, horizon: float, tint: Colour) -> None:
    for layer in range(2):
        for _ in range(2):
            x, rx = chance.between(0, canvas.width), chance.between(0.35, 0.8)
            canvas.sector(
                x, horizon + 0.01, rx, 180, 360, fill=darker(tint, 0.1 * layer), ry=chance.between(0.05, 0.16)
            )


def ground(canvas: Canvas, chance: Chance, horizon: float) -> None:
    earth = chance.pick((GRASS, GRASS, mix(GRASS, SAND, 0.4), SAND, PAVING))
    canvas.gradient(horizon, canvas.height, [lighter(earth, 0.12), darker(earth, 0.12)])
    for _ in range(24):
        x, y = chance.between(0, canvas.width), chance.between(horizon + 0.03, canvas.height)
        if earth in (SAND, PAVING):
            canvas.ellipse(x, y, 0.014, 0.007, fill=darker(earth, 0.2))
        else:
            canvas.line([(x - 0.012, y - 0.025), (x, y), (x + 0.012, y - 0.025)], 0.005, darker(earth, 0.25))


def cloud(canvas: Canvas, tint: Colour) -> None:
    """Around (0, 0), about 1 wide."""
    for x, y, r in ((-0.28, 0.03, 0.16), (0, -0.06, 0.23), (0.27, 0.02, 0.17)):
        canvas.ellipse(x, y, r, fill=tint)
    canvas.ellipse(0, 0.1, 0.46, 0.1, fill=tint)


def bokeh(canvas: Canvas, chance: Chance, tone: Colour) -> Colour:
    """Soft discs of light, as behind a flower that is very near."""
    canvas.gradient(0, canvas.height, [lighter(tone, 0.2), darker(tone, 0.2)])
    for _ in range(chance.count(10, 18)):
        spot = lighter(tone, chance.between(0.1, 0.55))
        x, y = chance.between(0, canvas.width), chance.between(0, canvas.height)
        canvas.ellipse(x, y, chance.between(0.04, 0.14), fill=veil(spot, chance.between(0.25, 0.6)))
    return tone


def underwater(canvas: Canvas, chance: Chance) -> Colour:
    """Blue depth with light from above, weeds and stones."""
    blue = hsv(chance.between(180, 220), chance.between(0.5, 0.75), chance.between(0.65, 0.9))
    canvas.gradient(0, canvas.height, [lighter(blue, 0.35), blue, darker(blue, 0.35)])
    for _ in range(4):
        x = chance.between(0, canvas.width)
        canvas.polygon([(x, 0), (x + 0.09, 0), (x - 0.1, canvas.height), (x - 0.32, canvas.height)], veil(WHITE, 0.1))
    canvas.sector(
        canvas.width / 2, canvas.height + 0.02, canvas.width * 0.7, 180, 360, fill=mix(SAND, blue, 0.35), ry=0.16
    )
    for _ in range(chance.count(2, 5)):
        x, high = chance.between(0, canvas.width), chance.between(0.15, 0.4)
        weed = hsv(chance.between(90, 160), 0.6, chance.between(0.4, 0.6))
        way = [(x + (0.025 if step % 2 else -0.025), canvas.height - high * step / 4) for step in range(5)]
        canvas.curve(way, 0.035, weed)
    for _ in range(3):
        canvas.ellipse(chance.between(0, canvas.width), canvas.height - 0.03, 0.07, 0.05, fill=muted(chance))
    return blue
