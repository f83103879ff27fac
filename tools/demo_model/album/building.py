"""Buildings: a house or tower that fills the picture, a bridge over water, a street or a skyline, by day or night."""

from __future__ import annotations

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.figures.buildings import HOUSES, LAMPLIGHT, TOWERS, bridge, skyscraper, tower_block
from tools.demo_model.album.figures.person import passer_by
from tools.demo_model.album.figures.pets import cat, dog
from tools.demo_model.album.figures.plants import TREES
from tools.demo_model.album.figures.things import bicycle, car
from tools.demo_model.album.open_air import cloud, ground, hills
from tools.demo_model.album.palette import WHITE, Colour, darker, hsv, lighter, mix, veil
from tools.demo_model.album.rng import Rng
from tools.demo_model.album.truth import Brief


def paint(canvas: Canvas, rng: Rng, brief: Brief) -> str:
    horizon = canvas.height * rng.between(0.72, 0.84)
    night = rng.whether(0.2)
    sky = _sky(canvas, rng, horizon, night=night)
    kind = rng.pick(("house", "house", "bridge", "street", "skyline"))
    match kind:
        case "house":
            _one(canvas, rng, horizon, sky)
        case "bridge":
            _bridge(canvas, rng, horizon, sky)
        case "street":
            _street(canvas, rng)
        case _:
            _skyline(canvas, rng, horizon)
    if night:
        canvas.glaze.rectangle((0, 0, *canvas.image.size), fill=veil((16, 22, 60), 0.35))
    return kind


def _sky(canvas: Canvas, rng: Rng, horizon: float, *, night: bool) -> Colour:
    kind = "night" if night else rng.pick(("blue", "blue", "grey", "evening"))
    sky = {
        "night": hsv(rng.between(225, 250), 0.5, 0.3),
        "blue": hsv(rng.between(195, 220), rng.between(0.3, 0.65), 0.95),
        "grey": hsv(215, 0.08, rng.between(0.7, 0.88)),
        "evening": hsv(rng.between(10, 40), 0.35, 0.95),
    }[kind]
    canvas.gradient(0, horizon + 0.02, [sky, lighter(sky, 0.1 if night else 0.5)])
    if night:
        for _ in range(20):
            canvas.ellipse(rng.between(0, canvas.width), rng.between(0, horizon * 0.6), 0.005, fill=WHITE)
    else:
        for _ in range(rng.count(0, 3)):
            spot = canvas.at(rng.between(0, canvas.width), rng.between(0.06, 0.3), rng.between(0.2, 0.35))
            cloud(spot, mix(sky, WHITE, 0.75))
    return sky


def _one(canvas: Canvas, rng: Rng, horizon: float, sky: Colour) -> None:
    hills(canvas, rng, horizon, mix((110, 160, 90), sky, 0.35))
    for _ in range(rng.count(0, 4)):
        rng.pick(TREES)(canvas.at(rng.between(0, canvas.width), horizon + 0.02, rng.between(0.2, 0.45)), rng)
    ground(canvas, rng, horizon)
    size = min((horizon + 0.03) * rng.between(0.78, 0.94), canvas.width / rng.between(1.15, 1.4))
    slack = max(0.0, canvas.width - size * 1.3) / 2
    x = canvas.width / 2 + rng.between(-slack, slack) * 0.8
    rng.pick((*HOUSES, *TOWERS))(canvas.at(x, horizon + 0.04, size), rng)
    _life(canvas, rng, horizon + 0.12)


def _life(canvas: Canvas, rng: Rng, y: float) -> None:
    """Someone or something small in front: a distractor."""
    if rng.whether(0.5):
        x = rng.pick((0.1, canvas.width - 0.1))
        figure = rng.pick((cat, dog, car, bicycle, None))
        if figure is None:
            passer_by(canvas.at(x, y, 0.22), rng, WHITE)
        else:
            figure(canvas.at(x, y, 0.13), rng)


def _bridge(canvas: Canvas, rng: Rng, horizon: float, sky: Colour) -> None:
    bank = canvas.height * rng.between(0.5, 0.6)
    hills(canvas, rng, bank, mix((110, 150, 100), sky, 0.4))
    if rng.whether(0.5):
        for number in range(5):
            rng.pick(TOWERS)(
                canvas.at(canvas.width * (number + rng.between(0.2, 0.8)) / 5, bank + 0.01, rng.between(0.14, 0.28)),
                rng,
            )
    water = hsv(rng.between(190, 215), 0.5, 0.75)
    canvas.gradient(bank, canvas.height, [lighter(water, 0.2), darker(water, 0.2)])
    for _ in range(14):
        x, y = rng.between(0, canvas.width), rng.between(bank + 0.03, canvas.height)
        canvas.line([(x, y), (x + 0.09, y)], 0.006, lighter(water, 0.4))
    scale = max(canvas.width / 2.4, min(canvas.width / 1.7, canvas.height * 0.6))
    bridge(canvas.at(canvas.width / 2, canvas.height * rng.between(0.7, 0.8), scale), rng)


def _street(canvas: Canvas, rng: Rng) -> None:
    """Two rows of houses that run towards a vanishing point."""
    middle, far = canvas.width * rng.between(0.42, 0.58), canvas.height * rng.between(0.5, 0.58)
    canvas.gradient(far, canvas.height, [(150, 150, 150), (186, 182, 176)])
    canvas.polygon(
        [
            (middle - 0.03, far), (middle + 0.03, far), (canvas.width * 0.88, canvas.height),
            (canvas.width * 0.12, canvas.height),
        ],
        (92, 94, 100),
    )  # fmt: skip
    for share in (0.12, 0.3, 0.55, 0.85):
        y, half = far + (canvas.height - far) * share, 0.012 * share
        canvas.polygon(
            [
                (middle - half, y), (middle + half, y), (middle + half * 1.6, y + 0.09 * share),
                (middle - half * 1.6, y + 0.09 * share),
            ],
            WHITE,
        )  # fmt: skip
    shares = (0.0, 0.3, 0.55, 0.74, 0.88)
    for side, edge in ((-1, 0.0), (1, canvas.width)):
        for number in range(len(shares) - 1):
            _facade(canvas, rng, (edge, middle + side * 0.05, far), shares[number], shares[number + 1])
    for _ in range(rng.count(0, 2)):
        passer_by(
            canvas.at(rng.pick((0.2, canvas.width - 0.22)), canvas.height * rng.between(0.9, 0.97), 0.24),
            rng,
            WHITE,
        )
    if rng.whether(0.6):
        car(canvas.at(middle + rng.sign() * 0.14, canvas.height * 0.88, 0.2), rng)


def _facade(canvas: Canvas, rng: Rng, lines: tuple[float, float, float], near: float, end: float) -> None:
    """One house of a row, between two shares of the distance from the picture's edge to the vanishing point."""
    edge, vanish, far = lines
    wall = hsv(rng.pick((10, 30, 45, 200, 340)), rng.between(0.15, 0.5), rng.between(0.6, 0.92))
    roof = far * (1 - rng.between(0.75, 1.0))

    def at(share: float, height: float) -> tuple[float, float]:
        """`height` 0 is the pavement and 1 the roof, at this share of the distance."""
        bottom = canvas.height * 0.93 + (far - canvas.height * 0.93) * share
        top = roof + (far - roof) * share
        return edge + (vanish - edge) * share, bottom + (top - bottom) * height

    canvas.polygon([at(near, 0), at(near, 1), at(end, 1), at(end, 0)], wall)
    canvas.polygon([at(near, 0.94), at(near, 1.03), at(end, 1.03), at(end, 0.94)], darker(wall, 0.4))
    for row in (0.1, 0.4, 0.68):
        for column in (0.15, 0.58):
            start, stop = near + (end - near) * column, near + (end - near) * (column + 0.26)
            high = row + (0.22 if row > 0.2 else 0.2)
            pane = LAMPLIGHT if rng.whether(0.25) else (96, 124, 150)
            canvas.polygon([at(start, row), at(start, high), at(stop, high), at(stop, row)], pane)


def _skyline(canvas: Canvas, rng: Rng, horizon: float) -> None:
    for layer in range(2):
        count = rng.count(4, 6)
        for number in range(count):
            x = canvas.width * (number + rng.between(0.2, 0.8)) / count
            high = horizon * rng.between(0.45, 0.9) * (0.85 + 0.1 * layer)
            rng.pick((tower_block, skyscraper))(canvas.at(x, horizon + 0.02 * layer, high), rng)
    ground(canvas, rng, horizon)
    if rng.whether(0.5):
        for number in range(4):
            rng.pick(TREES)(canvas.at(canvas.width * (number + 0.5) / 4, horizon + 0.08, 0.16), rng)
    _life(canvas, rng, horizon + 0.14)
