"""Indoors: a room with its furnishings, a table top in a room, and a plain studio backdrop."""

from __future__ import annotations

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.figures.plants import FLOWERS, POTTED
from tools.demo_model.album.figures.things import chair, clock, lamp
from tools.demo_model.album.palette import (
    BLACK,
    GRASS,
    WHITE,
    WOOD,
    Colour,
    darker,
    hsv,
    lighter,
    mix,
    muted,
    pastel,
    veil,
    vivid,
)
from tools.demo_model.album.rng import Rng


def indoor(canvas: Canvas, rng: Rng, floor: float) -> Colour:
    """A room whose floor begins at y = `floor`, furnished, always with a window. Returns the wall's colour."""
    wall = pastel(rng) if rng.whether(0.7) else muted(rng)
    canvas.rectangle(0, 0, canvas.width, floor, wall)
    _wallpaper(canvas, rng, floor, wall)
    _floor(canvas, rng, floor)
    canvas.rectangle(0, floor - 0.03, canvas.width, floor, lighter(wall, 0.5))
    left, right = 0.16, canvas.width - 0.16
    top = min(0.12, floor * 0.2)
    window_x, other_x = (left, right) if rng.whether(0.5) else (right, left)
    _window(canvas, rng, window_x, top, min(0.42, floor * 0.6))
    rng.pick((_picture, _shelf, _door))(canvas, rng, other_x, top, floor)
    for x in (window_x, other_x):
        if rng.whether(0.5):
            furniture = rng.pick((*POTTED, lamp, chair))
            furniture(canvas.at(x, floor + 0.07, rng.between(0.25, 0.38), flip=rng.whether(0.5)), rng)
    if rng.whether(0.4):
        x = canvas.width / 2 + rng.between(-0.1, 0.1)
        canvas.line([(x, 0), (x, 0.06)], 0.008, BLACK)
        canvas.sector(x, 0.1, 0.08, 180, 360, fill=vivid(rng))
        canvas.ellipse(x, 0.1, 0.03, 0.014, fill=(255, 244, 190))
    return wall


def _wallpaper(canvas: Canvas, rng: Rng, floor: float, wall: Colour) -> None:
    pattern, shade, step = (
        rng.pick(("plain", "plain", "stripes", "dots")),
        darker(wall, 0.07),
        rng.between(0.07, 0.14),
    )
    if pattern == "stripes":
        for column in range(int(canvas.width / step) + 1):
            canvas.rectangle(column * step, 0, (column + 0.5) * step, floor, shade)
    elif pattern == "dots":
        for row in range(int(floor / step)):
            for column in range(int(canvas.width / step) + 1):
                canvas.ellipse((column + row % 2 / 2) * step, (row + 0.5) * step, step * 0.16, fill=shade)


def _floor(canvas: Canvas, rng: Rng, floor: float) -> None:
    boards = mix(WOOD, lighter(WOOD, 0.5), rng.between(0, 1)) if rng.whether(0.6) else muted(rng)
    canvas.rectangle(0, floor, canvas.width, canvas.height, boards)
    middle, line = canvas.width / 2, darker(boards, 0.2)
    for step in range(-8, 9):
        canvas.line([(middle + step * 0.14, floor), (middle + step * 0.34, canvas.height)], 0.006, line)
    for share in (0.2, 0.5):
        y = floor + (canvas.height - floor) * share
        canvas.line([(0, y), (canvas.width, y)], 0.005, line)


def _window(canvas: Canvas, rng: Rng, x: float, top: float, high: float) -> None:
    half, frame = rng.between(0.1, 0.14), WHITE if rng.whether(0.6) else WOOD
    sky = hsv(rng.between(195, 225), rng.between(0.2, 0.5), rng.between(0.75, 1.0))
    canvas.rectangle(x - half - 0.02, top - 0.02, x + half + 0.02, top + high + 0.02, frame)
    canvas.rectangle(x - half, top, x + half, top + high, sky)
    canvas.sector(x, top + high, half, 180, 360, fill=GRASS, ry=high * 0.3)
    canvas.line([(x, top), (x, top + high)], 0.014, frame)
    canvas.line([(x - half, top + high / 2), (x + half, top + high / 2)], 0.014, frame)
    if rng.whether(0.5):
        cloth = vivid(rng)
        for side in (-1, 1):
            edge = x + side * (half + 0.05)
            canvas.polygon(
                [
                    (edge, top - 0.05), (x + side * half * 0.5, top - 0.05),
                    (x + side * half * 0.8, top + high + 0.05), (edge, top + high + 0.05),
                ],
                cloth,
            )  # fmt: skip
        canvas.line([(x - half - 0.08, top - 0.05), (x + half + 0.08, top - 0.05)], 0.018, WOOD)


def _picture(canvas: Canvas, rng: Rng, x: float, top: float, floor: float) -> None:
    """A framed picture: a small landscape, a flower, or a chart. All are distractors."""
    y, half = top + 0.16, 0.11
    canvas.rectangle(x - half - 0.018, y - 0.1, x + half + 0.018, y + 0.12, darker(WOOD, 0.3))
    canvas.rectangle(x - half, y - 0.082, x + half, y + 0.102, (214, 232, 240))
    kind = rng.pick(("hills", "flower", "chart", "clock"))
    if kind == "hills":
        canvas.polygon([(x - half, y + 0.1), (x - 0.04, y - 0.05), (x + 0.03, y + 0.1)], (120, 130, 150))
        canvas.polygon([(x - 0.04, y + 0.1), (x + 0.06, y), (x + half, y + 0.1)], (90, 140, 90))
    elif kind == "flower":
        rng.pick(FLOWERS)(canvas.at(x, y + 0.1, 0.17), rng)
    elif kind == "clock":
        clock(canvas.at(x, y + 0.09, 0.16), rng)
    else:
        for step in range(4):
            high = rng.between(0.04, 0.15)
            canvas.rectangle(x - 0.09 + 0.05 * step, y + 0.09 - high, x - 0.06 + 0.05 * step, y + 0.09, vivid(rng))


def _shelf(canvas: Canvas, rng: Rng, x: float, top: float, floor: float) -> None:
    for row in range(2):
        y = top + 0.14 + 0.2 * row
        for step in range(5):
            canvas.rectangle(
                x - 0.12 + 0.045 * step, y - rng.between(0.08, 0.13), x - 0.08 + 0.045 * step, y, vivid(rng)
            )
        canvas.rectangle(x - 0.15, y, x + 0.15, y + 0.02, WOOD)


def _door(canvas: Canvas, rng: Rng, x: float, top: float, floor: float) -> None:
    paint = WOOD if rng.whether(0.5) else muted(rng)
    canvas.rectangle(x - 0.14, top, x + 0.14, floor, darker(paint, 0.35))
    canvas.rectangle(x - 0.12, top + 0.02, x + 0.12, floor, paint)
    high = (floor - top) / 2
    for y in (top + 0.05, top + high + 0.03):
        canvas.rectangle(x - 0.08, y, x + 0.08, y + high - 0.08, darker(paint, 0.12))
    canvas.ellipse(x + 0.09, top + high, 0.014, fill=(230, 196, 90))


def table(canvas: Canvas, rng: Rng, edge: float) -> Colour:
    """A room behind, and a table top from y = `edge` down. Returns the top's colour."""
    indoor(canvas, rng, max(edge, 0.4))
    top = mix(WOOD, lighter(WOOD, 0.5), rng.between(0, 1)) if rng.whether(0.5) else pastel(rng)
    canvas.gradient(edge, canvas.height, [lighter(top, 0.08), darker(top, 0.08)])
    canvas.rectangle(0, edge, canvas.width, edge + 0.015, darker(top, 0.25))
    kind, line, step = rng.pick(("boards", "checks", "plain")), darker(top, 0.14), 0.16
    if kind == "boards":
        for row in range(1, int((canvas.height - edge) / step) + 1):
            canvas.line([(0, edge + row * step), (canvas.width, edge + row * step)], 0.006, line)
    elif kind == "checks":
        for column in range(int(canvas.width / step) + 1):
            x = column * step
            canvas.rectangle(x, edge + 0.015, x + step / 2, canvas.height, veil(line, 0.5))
        for row in range(int((canvas.height - edge) / step) + 1):
            y = edge + 0.015 + row * step
            canvas.rectangle(0, y, canvas.width, y + step / 2, veil(line, 0.5))
    return top


def studio(canvas: Canvas, rng: Rng) -> Colour:
    """A plain backdrop, lighter in the middle of its height."""
    tone = pastel(rng) if rng.whether(0.7) else muted(rng)
    canvas.gradient(0, canvas.height, [darker(tone, 0.12), lighter(tone, 0.2), darker(tone, 0.08)])
    return tone
