"""What a page can hold: title, table, stamp, signature and text, in a frame whose page is 1 wide."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.palette import INK, Colour, darker, lighter, mix, veil
from tools.demo_model.album.rng import Rng
from tools.demo_model.album.words import GOODS, TITLES, line_of_words, price

STAMP_INKS: tuple[Colour, ...] = ((196, 30, 44), (36, 64, 176), (120, 30, 120))
PEN_INKS: tuple[Colour, ...] = ((22, 40, 150), (20, 24, 40))


@dataclass(slots=True)
class Page:
    """A page being written from top to bottom: `y` is where the next line goes, `line` the height of a line of text."""

    canvas: Canvas
    rng: Rng
    line: float
    margin: float
    y: float

    @property
    def right(self) -> float:
        return 1 - self.margin

    def write(
        self, words: str, *, x: float | None = None, anchor: str = "la", size: float = 1.0, bold: bool = False
    ) -> None:
        """One line of text, and on to the next."""
        left = self.margin if x is None else x
        self.put(left, self.y, words, anchor=anchor, size=size, bold=bold)
        self.y += self.line * size * 1.4

    def put(self, x: float, y: float, words: str, *, anchor: str = "la", size: float = 1.0, bold: bool = False) -> None:
        """Text anywhere."""
        self.canvas.text(x, y, words, self.line * size, INK, anchor)
        if bold:
            for shift in (0.03, 0.06):
                self.canvas.text(x + self.line * size * shift, y, words, self.line * size, INK, anchor)

    def rule(self, y: float, x0: float | None = None, x1: float | None = None, *, weight: float = 0.06) -> None:
        left, right = self.margin if x0 is None else x0, self.right if x1 is None else x1
        self.canvas.line([(left, y), (right, y)], self.line * weight, INK)

    def title(self) -> None:
        """Twice the size of the text, bold, in the middle, often over a rule."""
        top, words = self.y, self.rng.pick(TITLES)
        size = min(2.1, (1 - 2 * self.margin) / (len(words) * 0.62 * self.line))
        self.write(words, x=0.5, anchor="ma", size=size, bold=True)
        if self.rng.whether(0.5):
            self.rule(self.y, weight=0.1)
        half = len(words) * 0.3 * size * self.line
        self.canvas.shows("contains", (0.5 - half, top, 0.5 + half, self.y), "title")
        self.y += self.line * 0.6

    def paragraph(self, lines: int) -> None:
        for number in range(lines):
            width = (self.right - self.margin) * (self.rng.between(0.35, 0.8) if number == lines - 1 else 1)
            self.write(line_of_words(self.rng, width, self.line))
        self.y += self.line * 0.6

    def table(self, rows: int) -> None:
        """A ruled grid under a row of column names, often shaded."""
        columns, high = self.rng.count(3, 4), self.line * 1.5
        x0, x1, y0 = self.margin, self.right, self.y
        wide = (x1 - x0) / columns
        if self.rng.whether(0.5):
            self.canvas.rectangle(x0, y0, x1, y0 + high, mix((255, 255, 255), self.rng.pick(STAMP_INKS), 0.22))
        for row in range(rows + 2):
            self.rule(y0 + row * high, weight=0.09)
        for column in range(columns + 1):
            x = x0 + column * wide
            self.canvas.line([(x, y0), (x, y0 + high * (rows + 1))], self.line * 0.09, INK)
        for row in range(rows + 1):
            for column in range(columns):
                words = ("Item", "Qty", "Price", "Sum")[column] if row == 0 else self.rng.pick(GOODS)
                if row and column:
                    words = str(self.rng.count(1, 99)) if column == 1 else price(self.rng)
                self.put(x0 + wide * column + self.line * 0.3, y0 + high * row + self.line * 0.25, words, size=0.85)
        self.canvas.shows("contains", (x0, y0, x1, y0 + high * (rows + 1)), "table")
        self.y += high * (rows + 1) + self.line * 0.8

    def prices(self, rows: int) -> None:
        """As high as a table of that many rows: goods on the left, prices on the right, and no rules."""
        for row in range(rows + 1):
            y = self.y + self.line * (1.5 * row + 0.25)
            self.put(self.margin, y, self.rng.pick(GOODS), size=0.85)
            self.put(self.right, y, price(self.rng), anchor="ra", size=0.85)
        self.y += self.line * (1.5 * (rows + 1) + 0.8)

    def stamp(self, x: float, y: float, radius: float) -> None:
        """A ring with a star or a framed word, in red, blue or violet, through which the text is visible."""
        ink = self.rng.pick(STAMP_INKS)
        self.canvas.shows("contains", (x - radius, y - radius, x + radius, y + radius), "stamp")
        around, soft = self.canvas.at(x, y, radius, angle=self.rng.between(-20, 20)), veil(ink, 0.82)
        for outer, inner in ((1.0, 0.86), (0.74, 0.68)):
            ring = [
                (r * math.cos(t), r * math.sin(t))
                for r, way in ((outer, 1), (inner, -1))
                for t in [way * math.tau * s / 40 for s in range(41)]
            ]
            around.polygon(ring, soft)
        star = [
            (r * math.sin(math.pi * s / 5), -r * math.cos(math.pi * s / 5))
            for s in range(10)
            for r in [0.5 if s % 2 == 0 else 0.2]
        ]
        around.polygon(star, soft)
        for turn in range(0, 360, 24):
            around.at(0, 0, angle=turn).rectangle(-0.04, -0.83, 0.04, -0.76, soft)

    def signature(self, x: float, y: float, width: float) -> None:
        """A quick hand in blue or black ink, on y."""
        ink, high = self.rng.pick(PEN_INKS), width * self.rng.between(0.16, 0.24)
        self.canvas.shows("contains", (x, y - high * 1.2, x + width, y + high * 0.5), "signature")
        way = [(x, y - high * 0.2)]
        loops = self.rng.count(5, 8)
        for loop in range(loops):
            at, tall = x + width * (loop + 0.5) / loops, high * (1.6 if loop == 0 else self.rng.between(0.4, 1.1))
            way += [
                (at - width * 0.02, y - tall),
                (at - width * 0.06, y - high * 0.1),
                (at + width * 0.05, y + high * self.rng.between(-0.1, 0.5)),
            ]
        self.canvas.curve(way, max(self.line * 0.1, width * 0.03), ink)
        self.canvas.curve(
            [(x, y + high * 0.5), (x + width * 0.6, y + high * 0.25), (x + width * 1.08, y + high * 0.45)],
            max(self.line * 0.08, width * 0.025),
            ink,
        )


def paper(rng: Rng) -> Colour:
    tone: Colour = rng.pick(((255, 255, 255), (252, 250, 244), (248, 243, 228), (240, 244, 248), (252, 244, 214)))
    return darker(tone, rng.between(0, 0.05)) if rng.whether(0.5) else lighter(tone, 0.1)
