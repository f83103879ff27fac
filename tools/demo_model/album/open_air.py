"""Outdoors: open country by day, the sea from below, and the soft light behind a flower that is very near."""

from __future__ import annotations

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.figures.buildings import HOUSES, TOWERS
from tools.demo_model.album.figures.plants import TREES
from tools.demo_model.album.figures.things import ball, balloon, bicycle, car
from tools.demo_model.album.palette import GRASS, SAND, WHITE, Colour, darker, hsv, lighter, mix, muted, veil
from tools.demo_model.album.rng import Rng

PAVING: Colour = (176, 174, 170)


def outdoor(canvas: Canvas, rng: Rng, horizon: float, *, houses: float = 0.4, trees: float = 0.7) -> Colour:
    """The open air by day: sky, hills, trees, houses, and ground from y = `horizon`. Returns the sky's colour."""
    blue = hsv(rng.between(190, 222), rng.between(0.25, 0.65), rng.between(0.82, 1.0))
    canvas.gradient(0, horizon + 0.02, [blue, lighter(blue, 0.6)])
    if rng.whether(0.6):
        canvas.ellipse(rng.between(0.1, canvas.width - 0.1), rng.between(0.08, 0.2), 0.07, fill=(255, 232, 130))
    for _ in range(rng.count(1, 3)):
        cloud(
            canvas.at(rng.between(0, canvas.width), rng.between(0.06, horizon * 0.5), rng.between(0.15, 0.3)),
            WHITE,
        )
    hills(canvas, rng, horizon, mix(GRASS, blue, 0.35))
    for _ in range(rng.count(1, 3) if rng.whether(houses) else 0):
        figure, size = rng.pick((*HOUSES, *TOWERS)), rng.between(0.2, 0.42)
        figure(canvas.at(rng.between(0, canvas.width), horizon + 0.01, size), rng)
    for _ in range(rng.count(2, 5) if rng.whether(trees) else 0):
        rng.pick(TREES)(canvas.at(rng.between(0, canvas.width), horizon + 0.02, rng.between(0.16, 0.4)), rng)
    ground(canvas, rng, horizon)
    for _ in range(rng.count(0, 1)):
        figure = rng.pick((car, bicycle, ball, balloon))
        x, lift = rng.pick((0.12, canvas.width - 0.12)), horizon * 0.45 if figure is balloon else 0.0
        figure(canvas.at(x, horizon + 0.06 - lift, 0.16), rng)
    return mix(blue, WHITE, 0.2)


def hills(canvas: Canvas, rng: Rng, horizon: float, tint: Colour) -> None:
    for layer in range(2):
        for _ in range(2):
            x, rx = rng.between(0, canvas.width), rng.between(0.35, 0.8)
            canvas.sector(x, horizon + 0.01, rx, 180, 360, fill=darker(tint, 0.1 * layer), ry=rng.between(0.05, 0.16))


def ground(canvas: Canvas, rng: Rng, horizon: float) -> None:
    earth = rng.pick((GRASS, GRASS, mix(GRASS, SAND, 0.4), SAND, PAVING))
    canvas.gradient(horizon, canvas.height, [lighter(earth, 0.12), darker(earth, 0.12)])
    for _ in range(24):
        x, y = rng.between(0, canvas.width), rng.between(horizon + 0.03, canvas.height)
        if earth in (SAND, PAVING):
            canvas.ellipse(x, y, 0.014, 0.007, fill=darker(earth, 0.2))
        else:
            canvas.line([(x - 0.012, y - 0.025), (x, y), (x + 0.012, y - 0.025)], 0.005, darker(earth, 0.25))


def cloud(canvas: Canvas, tint: Colour) -> None:
    """Around (0, 0), about 1 wide."""
    for x, y, r in ((-0.28, 0.03, 0.16), (0, -0.06, 0.23), (0.27, 0.02, 0.17)):
        canvas.ellipse(x, y, r, fill=tint)
    canvas.ellipse(0, 0.1, 0.46, 0.1, fill=tint)


def bokeh(canvas: Canvas, rng: Rng, tone: Colour) -> Colour:
    """Soft discs of light, as behind a flower that is very near."""
    canvas.gradient(0, canvas.height, [lighter(tone, 0.2), darker(tone, 0.2)])
    for _ in range(rng.count(10, 18)):
        spot = lighter(tone, rng.between(0.1, 0.55))
        x, y = rng.between(0, canvas.width), rng.between(0, canvas.height)
        canvas.ellipse(x, y, rng.between(0.04, 0.14), fill=veil(spot, rng.between(0.25, 0.6)))
    return tone


def underwater(canvas: Canvas, rng: Rng) -> Colour:
    """Blue depth with light from above, weeds and stones."""
    blue = hsv(rng.between(180, 220), rng.between(0.5, 0.75), rng.between(0.65, 0.9))
    canvas.gradient(0, canvas.height, [lighter(blue, 0.35), blue, darker(blue, 0.35)])
    for _ in range(4):
        x = rng.between(0, canvas.width)
        canvas.polygon([(x, 0), (x + 0.09, 0), (x - 0.1, canvas.height), (x - 0.32, canvas.height)], veil(WHITE, 0.1))
    canvas.sector(
        canvas.width / 2, canvas.height + 0.02, canvas.width * 0.7, 180, 360, fill=mix(SAND, blue, 0.35), ry=0.16
    )
    for _ in range(rng.count(2, 5)):
        x, high = rng.between(0, canvas.width), rng.between(0.15, 0.4)
        weed = hsv(rng.between(90, 160), 0.6, rng.between(0.4, 0.6))
        way = [(x + (0.025 if step % 2 else -0.025), canvas.height - high * step / 4) for step in range(5)]
        canvas.curve(way, 0.035, weed)
    for _ in range(3):
        canvas.ellipse(rng.between(0, canvas.width), canvas.height - 0.03, 0.07, 0.05, fill=muted(rng))
    return blue
