"""Landscapes: sky by time and weather, then terrain from far to near, then rain or snow."""

from __future__ import annotations

import math

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.figures.buildings import house
from tools.demo_model.album.figures.person import passer_by
from tools.demo_model.album.figures.plants import cactus, conifer, round_tree
from tools.demo_model.album.palette import GRASS, SAND, WHITE, darker, hsv, lighter, mix
from tools.demo_model.album.rng import Rng
from tools.demo_model.album.sky import Air, falling, sky
from tools.demo_model.album.truth import Brief


def paint(canvas: Canvas, rng: Rng, brief: Brief) -> str:
    terrain = brief.details["terrain"]
    air = Air(brief.details["time"][0], brief.details["weather"][0])
    horizon = canvas.height * rng.between(0.5, 0.62)
    sky(canvas, rng, air, horizon)
    if "mountain" in terrain:
        _mountains(canvas, rng, air, horizon)
    base = SAND if "desert" in terrain else GRASS
    far = air.ground(darker(base, 0.1))
    canvas.gradient(horizon - 0.01, canvas.height, [far, air.ground(base)])
    if "desert" in terrain:
        _dunes(canvas, rng, air, horizon)
    if "water" in terrain:
        _water(canvas, rng, air, horizon, lake=len(terrain) > 1)
    if "forest" in terrain:
        _forest(canvas, rng, air, horizon, shore="water" in terrain)
    if terrain == ("mountain",):
        _meadow(canvas, rng, air, horizon)
    sea = terrain == ("water",)
    if rng.whether(0.2) and "desert" not in terrain and not sea:
        house(canvas.at(rng.between(0.15, canvas.width - 0.15), horizon + 0.03, 0.1), rng)
    if rng.whether(0.15) and not sea:
        passer_by(canvas.at(rng.between(0.1, canvas.width - 0.1), canvas.height - 0.05, 0.14), rng, far)
    falling(canvas, rng, air)
    return f"{air.time}, {air.weather}"


def _mountains(canvas: Canvas, rng: Rng, air: Air, horizon: float) -> None:
    rock = hsv(
        rng.between(200, 260) if rng.whether(0.6) else rng.between(15, 40),
        rng.between(0.12, 0.35),
        rng.between(0.42, 0.62),
    )
    for layer, count in enumerate((3, 2)):
        tint = air.lit(lighter(rock, 0.22 - 0.22 * layer))
        for number in range(count):
            x = canvas.width * (number + rng.between(0.2, 0.8)) / count
            high, half = (
                rng.between(0.26, 0.46) * min(1.2, canvas.height) * (0.85 + 0.15 * layer),
                rng.between(0.3, 0.45),
            )
            top = horizon - high
            canvas.polygon([(x - half, horizon + 0.02), (x, top), (x + half, horizon + 0.02)], tint)
            canvas.polygon([(x, top), (x + half, horizon + 0.02), (x + half * 0.1, horizon + 0.02)], darker(tint, 0.16))
            cap = 0.55 if air.weather == "snow" else 0.28
            white = air.lit((248, 250, 252))
            canvas.polygon(
                [
                    (x, top), (x - half * cap, top + high * cap), (x - half * cap * 0.4, top + high * cap * 0.75),
                    (x, top + high * cap * 1.05), (x + half * cap * 0.4, top + high * cap * 0.75),
                    (x + half * cap, top + high * cap),
                ],
                white,
            )  # fmt: skip


def _dunes(canvas: Canvas, rng: Rng, air: Air, horizon: float) -> None:
    for layer in range(3):
        y = horizon + (canvas.height - horizon) * (0.06 + 0.26 * layer)
        sand = air.lit(darker(hsv(38, 0.42, 0.93), 0.08 * (2 - layer)))
        for side in (0, 1):
            x = canvas.width * (0.2 + 0.6 * side) + rng.between(-0.2, 0.2)
            half, high = rng.between(0.5, 0.8), rng.between(0.08, 0.16)
            ridge = [
                (x - half, y + 0.16), (x - half * 0.5, y + 0.02), (x, y - high), (x + half * 0.4, y),
                (x + half, y + 0.16),
            ]  # fmt: skip
            canvas.blob([*ridge, (x, y + 0.24)], sand)
            canvas.blob(
                [(x, y - high), (x + half * 0.4, y), (x + half, y + 0.16), (x + half * 0.2, y + 0.14)],
                darker(sand, 0.14),
            )
            if air.weather == "snow":
                canvas.curve(
                    [(x - half * 0.5, y + 0.03), (x, y - high + 0.01), (x + half * 0.4, y + 0.01)],
                    0.03,
                    air.lit((246, 248, 252)),
                )
    for _ in range(rng.count(2, 4)):
        x, near = rng.between(0.08, canvas.width - 0.08), rng.between(0.3, 0.95)
        size = 0.12 + 0.2 * near
        cactus(canvas.at(x, horizon + (canvas.height - horizon) * near, size), rng, air.lit((70, 128, 74)))


def _water(canvas: Canvas, rng: Rng, air: Air, horizon: float, *, lake: bool) -> None:
    """The sea up to the horizon, or a lake between its banks."""
    clean = hsv(rng.between(195, 215), 0.65, 0.8)
    blue = mix(air.lit(clean), clean, 0.45 if air.time == "dusk" else 0.0)
    if lake:
        near = canvas.height * 0.86
        bank = [(0, horizon + 0.1), (canvas.width * 0.5, horizon + 0.035), (canvas.width, horizon + 0.09)]
        canvas.polygon([*bank, (canvas.width, near), (canvas.width * 0.5, near + 0.06), (0, near - 0.02)], blue)
        top, bottom = horizon + 0.1, near - 0.03
    else:
        canvas.gradient(horizon - 0.012, canvas.height, [lighter(blue, 0.2), darker(blue, 0.15)])
        top, bottom = horizon + 0.02, canvas.height
        if rng.whether(0.5):
            shore = air.ground(SAND)
            canvas.sector(
                rng.pick((0.0, canvas.width)),
                canvas.height + 0.02,
                canvas.width * 0.7,
                180,
                360,
                fill=shore,
                ry=0.22,
            )
            bottom -= 0.1
        if rng.whether(0.4):
            _boat(canvas.at(rng.between(0.2, canvas.width - 0.2), horizon + 0.06, 0.12), air)
    for _ in range(26):
        near = rng.between(0, 1)
        x, y, half = rng.between(0, canvas.width), top + (bottom - top) * near, 0.03 + 0.07 * near
        crest = [(x - half, y), (x - half / 2, y - 0.012), (x, y), (x + half / 2, y - 0.012), (x + half, y)]
        canvas.curve(crest, 0.007 + 0.006 * near, lighter(blue, 0.38) if air.time != "night" else lighter(blue, 0.22))


def _boat(canvas: Canvas, air: Air) -> None:
    canvas.polygon([(-0.5, -0.18), (0.5, -0.18), (0.32, 0.08), (-0.32, 0.08)], air.lit((150, 60, 50)))
    canvas.polygon([(0, -1.0), (0.45, -0.26), (0, -0.26)], air.lit(WHITE))
    canvas.polygon([(-0.05, -0.9), (-0.05, -0.26), (-0.35, -0.26)], air.lit((230, 214, 190)))


def _forest(canvas: Canvas, rng: Rng, air: Air, horizon: float, *, shore: bool) -> None:
    tree = conifer if rng.whether(0.6) else round_tree
    leaf = hsv(rng.between(80, 150), 0.5, rng.between(0.4, 0.65))
    rows = (0.04, 0.07) if shore else (0.06, 0.28, 0.62)
    for row, depth in enumerate(rows):
        y = horizon + (depth if shore else (canvas.height - horizon) * depth)
        size = 0.2 + (0.04 if shore else 0.13) * row
        for number in range(math.ceil(canvas.width / (size * 0.42))):
            x = (number + rng.between(0.1, 0.9)) * size * 0.42
            tint = air.lit(darker(leaf, rng.between(0.0, 0.22)))
            if air.weather == "snow":
                tint = mix(tint, air.lit(WHITE), rng.between(0.3, 0.55))
            tree(canvas.at(x, y + rng.between(-0.01, 0.02), size * rng.between(0.85, 1.15)), rng, tint)


def _meadow(canvas: Canvas, rng: Rng, air: Air, horizon: float) -> None:
    for _ in range(20):
        x, y = rng.between(0, canvas.width), rng.between(horizon + 0.05, canvas.height)
        canvas.ellipse(x, y, 0.03, 0.01, fill=air.ground(darker(GRASS, 0.2)))
