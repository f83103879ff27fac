"""Light and weather: how the time of day and the sky colour a landscape, and rain or snow."""

from __future__ import annotations

from dataclasses import dataclass

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.open_air import cloud
from tools.demo_model.album.palette import WHITE, Colour, darker, hsv, lighter, mix, veil
from tools.demo_model.album.rng import Rng

MOON: Colour = (250, 246, 216)
SUN: Colour = (255, 234, 120)
LOW_SUN: Colour = (255, 214, 110)
# The tint of the light by time of day: colour, and its share.
LIGHT: dict[str, tuple[Colour, float]] = {
    "day": ((255, 250, 235), 0.0),
    "dusk": ((150, 62, 70), 0.42),
    "night": ((20, 28, 66), 0.58),
}


@dataclass(frozen=True, slots=True)
class Air:
    time: str
    weather: str

    def lit(self, colour: Colour) -> Colour:
        """The colour of a thing in this light; a cloudy sky makes it less saturated, snow covers part of it."""
        tint, share = LIGHT[self.time]
        if self.weather in ("rain", "cloudy"):
            grey = round(sum(colour) / 3)
            colour = darker(mix(colour, (grey, grey, grey), 0.35), 0.22 if self.weather == "rain" else 0.06)
        return mix(colour, tint, share)

    def ground(self, colour: Colour) -> Colour:
        return self.lit(mix(colour, (244, 247, 252), 0.85) if self.weather == "snow" else colour)


def sky(canvas: Canvas, rng: Rng, air: Air, horizon: float) -> None:
    covered = air.weather != "clear"
    match air.time:
        case "day" if covered:
            grey = hsv(rng.between(200, 225), 0.12, {"cloudy": 0.85, "rain": 0.6, "snow": 0.82}[air.weather])
            stops = [darker(grey, 0.08), lighter(grey, 0.3)]
        case "day":
            blue = hsv(rng.between(196, 220), rng.between(0.5, 0.75), rng.between(0.85, 1.0))
            stops = [blue, lighter(blue, 0.65)]
        case "dusk":
            high = hsv(rng.between(235, 285), 0.45, 0.42 if covered else 0.55)
            low = hsv(rng.between(12, 36), 0.75, 0.82 if covered else 1.0)
            stops = [high, mix(high, low, 0.55), low]
        case _:
            dark = hsv(rng.between(222, 250), 0.6 if not covered else 0.35, 0.2)
            stops = [dark, lighter(dark, 0.12)]
    canvas.gradient(0, horizon + 0.02, stops)
    _lights(canvas, rng, air, horizon)
    if air.weather != "clear":
        _clouds(canvas, rng, air, horizon)


def _lights(canvas: Canvas, rng: Rng, air: Air, horizon: float) -> None:
    """Sun, moon and stars. Rain and snow hide all of them, clouds hide the stars."""
    x = rng.between(0.15, canvas.width - 0.15)
    if air.weather in ("rain", "snow"):
        return
    if air.time == "day" and air.weather == "clear":
        y = rng.between(0.14, horizon * 0.4)
        canvas.ellipse(x, y, 0.13, fill=veil(SUN, 0.35))
        canvas.ellipse(x, y, 0.085, fill=SUN)
    elif air.time == "dusk":
        canvas.ellipse(x, horizon - 0.04, 0.2, fill=veil(LOW_SUN, 0.35))
        canvas.ellipse(x, horizon - 0.04, 0.12, fill=LOW_SUN)
    elif air.time == "night":
        if air.weather == "clear":
            for _ in range(45):
                canvas.ellipse(
                    rng.between(0, canvas.width),
                    rng.between(0, horizon),
                    rng.between(0.003, 0.008),
                    fill=WHITE,
                )
        y = rng.between(0.12, 0.25)
        canvas.ellipse(x, y, 0.075, fill=MOON)
        if rng.whether(0.5):
            canvas.ellipse(x + 0.035, y - 0.015, 0.062, fill=hsv(235, 0.6, 0.2))


def _clouds(canvas: Canvas, rng: Rng, air: Air, horizon: float) -> None:
    base: Colour = {"cloudy": (226, 229, 234), "rain": (104, 110, 122), "snow": (206, 212, 222)}[air.weather]
    tint = {"day": base, "dusk": mix(base, (214, 110, 100), 0.5), "night": mix(base, (24, 28, 52), 0.6)}[air.time]
    for number in range(rng.count(7, 10)):
        x, y = canvas.width * (number + rng.between(0, 1)) / 9, rng.between(0.02, horizon * 0.55)
        shade = darker(tint, rng.between(0.0, 0.2))
        cloud(canvas.at(x, y, rng.between(0.4, 0.7)), darker(shade, 0.12))
        cloud(canvas.at(x - 0.01, y - 0.02, rng.between(0.3, 0.5)), shade)


def falling(canvas: Canvas, rng: Rng, air: Air) -> None:
    area = canvas.width * canvas.height
    if air.weather == "rain":
        drop = (196, 214, 236) if air.time != "night" else (128, 148, 190)
        slant, long = rng.between(-0.03, 0.03), rng.between(0.06, 0.1)
        for _ in range(int(95 * area)):
            x, y = rng.between(0, canvas.width), rng.between(0, canvas.height)
            canvas.line([(x, y), (x + slant, y + long)], 0.006, veil(drop, 0.85))
    elif air.weather == "snow":
        for _ in range(int(110 * area)):
            size = rng.between(0.005, 0.013)
            canvas.ellipse(rng.between(0, canvas.width), rng.between(0, canvas.height), size, fill=WHITE)
