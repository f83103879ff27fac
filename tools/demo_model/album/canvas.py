"""A canvas in units that are independent of pixels: the shorter side of the picture is 1 long, y points down.

Everything is drawn at OVERSAMPLING times the final size and averaged down, because Pillow draws without anti-aliasing.
A figure is drawn in its own frame (`canvas.at(x, y, scale)`), so the same code draws it near or far away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from tools.demo_model.album.evidence import Box, Evidence
from tools.demo_model.album.palette import Colour

OVERSAMPLING = 2
Points = NDArray[np.float64]

_CIRCLE = np.array([(math.cos(t * math.tau / 40), math.sin(t * math.tau / 40)) for t in range(40)])
# Catmull-Rom weights of the four neighbouring points at six steps of a segment.
_STEPS = np.linspace(0, 1, 6, endpoint=False)
_SPLINE = np.stack(
    [
        -0.5 * _STEPS + _STEPS**2 - 0.5 * _STEPS**3,
        1 - 2.5 * _STEPS**2 + 1.5 * _STEPS**3,
        0.5 * _STEPS + 2 * _STEPS**2 - 1.5 * _STEPS**3,
        -0.5 * _STEPS**2 + 0.5 * _STEPS**3,
    ],
    axis=1,
)


@dataclass(frozen=True, slots=True)
class Canvas:
    """`width` and `height` are in units of this frame; `matrix` (2 x 3) leads from the frame to oversampled pixels.
    `evidence` is one list for all frames of a picture."""

    image: Image.Image
    pen: ImageDraw.ImageDraw
    glaze: ImageDraw.ImageDraw
    width: float
    height: float
    matrix: Points
    unit: float
    evidence: list[Evidence] = field(default_factory=list)

    @classmethod
    def blank(cls, long_side: int, aspect: float, colour: Colour) -> Canvas:
        """Of a given long side in final pixels, and width by height. The frame keeps the exact aspect ratio,
        regardless of rounding to pixels, so that the drawing and its random choices are the same at every size."""
        width, height = max(1.0, aspect), max(1.0, 1 / aspect)
        scale = long_side / max(width, height)
        size = round(width * scale) * OVERSAMPLING, round(height * scale) * OVERSAMPLING
        image = Image.new("RGB", size, colour)
        unit = max(image.width / width, image.height / height)
        matrix = np.array([[unit, 0.0, 0.0], [0.0, unit, 0.0]])
        pen, glaze = ImageDraw.Draw(image), ImageDraw.Draw(image, "RGBA")
        pen.fontmode = glaze.fontmode = "L"
        return cls(image, pen, glaze, width, height, matrix, unit)

    def at(self, x: float, y: float, scale: float = 1.0, *, angle: float = 0.0, flip: bool = False) -> Canvas:
        """A frame inside this one: its origin at (x, y), turned clockwise by `angle` degrees, mirrored by `flip`."""
        turn = math.radians(angle)
        cos, sin, side = math.cos(turn) * scale, math.sin(turn) * scale, -1 if flip else 1
        local = np.array([[cos * side, -sin, x], [sin * side, cos, y], [0.0, 0.0, 1.0]])
        matrix = self.matrix @ local
        return Canvas(
            self.image, self.pen, self.glaze, self.width / scale, self.height / scale, matrix, self.unit * scale,
            self.evidence,
        )  # fmt: skip

    def part(self, x0: float, y0: float, x1: float, y1: float) -> Canvas:
        """The frame of a rectangle inside this one: its corner is the origin, its size the width and height."""
        return replace(self.at(x0, y0), width=x1 - x0, height=y1 - y0)

    def finished(self) -> Image.Image:
        """The picture at its final size."""
        return self.image.reduce(OVERSAMPLING)

    def shows(self, attribute: str, box: Box, option: str | None = None) -> None:
        """Record that this part of the frame is the evidence of the attribute, or of this option of it."""
        x0, y0, x1, y1 = box
        corners = np.array(self._pixels([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])) / self.image.size
        (left, top), (right, bottom) = corners.min(0).clip(0, 1).tolist(), corners.max(0).clip(0, 1).tolist()
        if left < right and top < bottom:
            self.evidence.append(Evidence(attribute, option, (left, top, right, bottom)))

    def polygon(self, points: ArrayLike, fill: Colour) -> None:
        self._pen(fill).polygon(self._pixels(points), fill=fill)

    def blob(self, points: ArrayLike, fill: Colour) -> None:
        """A closed shape, smooth through all points."""
        around = np.asarray(points, dtype=float)
        self.polygon(_smooth(np.concatenate([around[-1:], around, around[:2]])), fill)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float | None = None, *, fill: Colour, angle: float = 0.0
    ) -> None:
        shape = _CIRCLE * (rx, rx if ry is None else ry)
        if angle:
            cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            shape = shape @ np.array([[cos, sin], [-sin, cos]])
        self.polygon(shape + np.array((x, y)), fill)

    def sector(
        self, x: float, y: float, rx: float, start: float, end: float, *, fill: Colour, ry: float | None = None
    ) -> None:
        """A slice of an ellipse, from `start` to `end` degrees clockwise from the right. Half of it is a bowl."""
        angles = np.radians(np.linspace(start, end, max(3, int((end - start) / 9))))
        rim = np.stack([np.cos(angles) * rx, np.sin(angles) * (rx if ry is None else ry)], axis=1)
        self.polygon(np.concatenate([rim, [(0.0, 0.0)]]) + np.array((x, y)), fill)

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], fill)

    def line(self, points: ArrayLike, width: float, fill: Colour) -> None:
        """Straight from point to point, with round ends if the line is wide enough to show them."""
        pixels, broad = self._pixels(points), width * self.unit
        pen = self._pen(fill)
        pen.line(pixels, fill=fill, width=max(1, round(broad)))
        if broad >= 4 and len(fill) == 3:
            radius = broad / 2 - 0.5
            for x, y in pixels:
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def curve(self, points: ArrayLike, width: float, fill: Colour) -> None:
        """Smooth through all points."""
        way = np.asarray(points, dtype=float)
        self.line(np.concatenate([_smooth(np.concatenate([way[:1], way, way[-1:]])), way[-1:]]), width, fill)

    def limb(self, start: tuple[float, float], end: tuple[float, float], w0: float, w1: float, fill: Colour) -> None:
        """A straight limb that tapers from width w0 to width w1, round at both ends."""
        across = np.array([start[1] - end[1], end[0] - start[0]]) / (math.dist(start, end) or 1.0) / 2
        one, other = np.array(start), np.array(end)
        self.polygon([one + across * w0, other + across * w1, other - across * w1, one - across * w0], fill)
        self.ellipse(*start, w0 / 2, fill=fill)
        self.ellipse(*end, w1 / 2, fill=fill)

    def gradient(self, y0: float, y1: float, stops: Sequence[Colour]) -> None:
        """Bands across the whole picture from y0 to y1 of the root frame, blending evenly through the stops."""
        top, bottom = round(y0 * self.unit), round(y1 * self.unit)
        if bottom <= top:
            return
        at = np.linspace(0, len(stops) - 1, bottom - top)
        colours = np.stack([np.interp(at, range(len(stops)), channel) for channel in zip(*stops, strict=True)], axis=1)
        column = Image.fromarray(np.rint(colours).astype(np.uint8)[:, None, :])
        self.image.paste(column.resize((self.image.width, bottom - top), Image.Resampling.NEAREST), (0, top))

    def text(self, x: float, y: float, words: str, height: float, fill: Colour, anchor: str = "la") -> None:
        """Upright words, `height` a line; `anchor` as in Pillow ("la" left top, "mm" middle, "ra" right top)."""
        ((px, py),) = self._pixels([(x, y)])
        self.pen.text((px, py), words, fill=fill, font=_font(round(height * self.unit)), anchor=anchor)

    def _pen(self, fill: Colour) -> ImageDraw.ImageDraw:
        return self.glaze if len(fill) == 4 else self.pen

    def _pixels(self, points: ArrayLike) -> list[tuple[float, float]]:
        placed = np.asarray(points, dtype=float) @ self.matrix[:, :2].T + self.matrix[:, 2]
        return [(x, y) for x, y in placed.tolist()]


def _smooth(points: Points) -> Points:
    """Catmull-Rom through points[1:-1]; the outer two only give direction."""
    neighbours = np.stack([points[i : len(points) - 3 + i] for i in range(4)], axis=1)
    curve: Points = np.einsum("sk,nkd->nsd", _SPLINE, neighbours).reshape(-1, 2)
    return curve


@lru_cache(maxsize=256)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own bundled font: the same letters on every machine."""
    return ImageFont.load_default(max(4, size_px))
