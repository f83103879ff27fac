"""SVG of which the width is the page's: x is in percent, so text and marks keep their size on a phone and on a desk."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from onelook.lab.experiment.report.page.words import Both

STEPS: Final = (1, 2, 5, 10)
LOG_FROM: Final = 12
"""An axis is logarithmic from this ratio of its ends: on a linear one, the shorter values would be one blot."""

Part = Markup | Both | str


def element(name: str, *children: Part, **attributes: object) -> Markup:
    """An SVG or HTML element. `class_` and `text_anchor` become class and text-anchor; None leaves an attribute out."""
    words = (
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None
    )
    inner = (each.as_tag("tspan") if isinstance(each, Both) and name == "text" else each for each in children)
    return Markup("<{0}{1}>{2}</{0}>").format(name, Markup().join(words), Markup().join(inner))


def percent(share: float) -> str:
    """A position on an axis, as SVG has it."""
    return f"{share * 100:.3f}".rstrip("0").rstrip(".") + "%"


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high`, and where they lie: 0 to 1."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def around(cls, values: Iterable[float], *, log: bool | None = None, room: float = 0.05) -> Axis:
        """An axis that holds all `values`, and some room beside them. `log` None: where their range asks for it."""
        known = [each for each in values if math.isfinite(each)] or [0.0, 1.0]
        low, high = min(known), max(known)
        if log is None:
            log = low > 0 and high / low >= LOG_FROM
        if log:
            span = math.log(high / low) or 1.0
            return cls(low * math.exp(-room * span), high * math.exp(room * span), log=True)
        span = (high - low) or abs(high) or 1.0
        return cls(low - room * span, high + room * span)

    def at(self, value: float) -> float:
        """0 at `low`, 1 at `high`; what is outside lies on the end."""
        if self.log:
            if value <= 0:
                return 0.0
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(max(share, 0.0), 1.0)

    def x(self, value: float) -> str:
        return percent(self.at(value))

    def ticks(self, about: int = 5) -> list[float]:
        """Round values on the axis, some `about` many."""
        if self.log and self.high / self.low >= LOG_FROM / 2:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            wide = last - first > about
            found = [step * 10.0**decade for decade in range(first, last + 1) for step in ((1,) if wide else STEPS[:3])]
        else:
            rough = (self.high - self.low) / about
            scale = 10.0 ** math.floor(math.log10(rough))
            step = next(each * scale for each in STEPS if each * scale >= rough * 0.999)
            found = [number * step for number in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        return [each for each in found if self.low <= each <= self.high]


def number(value: float) -> str:
    """Three digits that count, without an exponent."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def row(*parts: Markup, height: int) -> Markup:
    """One row's drawing: as wide as its column. What it shows stands beside it as text, so readers skip it."""
    return element("svg", *parts, class_="row", width="100%", height=height, aria_hidden="true", focusable="false")


def plot(*parts: Markup, height: int) -> Markup:
    """A drawing with two axes, whose labels stand outside of it. Its figures are in a table, so readers skip it."""
    hidden = {"aria_hidden": "true", "focusable": "false"}
    return element("svg", *parts, class_="plot", width="100%", height=height, overflow="visible", **hidden)


def line(x: str, class_: str, *, x2: str | None = None, y: object = 0, y2: object = "100%") -> Markup:
    return element("line", x1=x, x2=x2 or x, y1=y, y2=y2, class_=class_)


def box(axis: Axis, low: float, high: float, class_: str, *, y: float, height: float) -> Markup:
    """A bar from `low` to `high`."""
    start, end = sorted((axis.at(low), axis.at(high)))
    return element("rect", x=percent(start), width=percent(end - start), y=y, height=height, class_=class_)


def scale(axis: Axis, *, shown: Iterable[tuple[float, str]] | None = None) -> Markup:
    """The axis below rows: its ticks with their values."""
    marks = [(tick, number(tick)) for tick in axis.ticks()] if shown is None else list(shown)
    parts = []
    for value, text in marks:
        at = axis.at(value)
        anchor = "start" if at < 0.04 else "end" if at > 0.96 else "middle"
        parts += [
            line(percent(at), "tick", y2=5),
            element("text", text, x=percent(at), y=18, text_anchor=anchor, class_="label"),
        ]
    return row(line("0%", "axis", x2="100%", y=0.5, y2=0.5), *parts, height=24)


def path(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """A line through `points` (x and y from 0 to 1, y upwards), stretched to the box that it stands in."""
    steps = "L".join(f"{x * 100:.2f} {100 - y * 100:.2f}" for x, y in points)
    inner = element("path", d=f"M{steps}", class_=class_, vector_effect="non-scaling-stroke")
    return Markup(
        '<svg width="100%" height="100%" viewBox="0 0 100 100" preserveAspectRatio="none" overflow="visible">{}</svg>'
    ).format(inner)


def series(number: int) -> str:
    """The class that gives an arm its colour; 0 is the baseline."""
    return f"series-{number if number < 8 else 1 + (number - 1) % 7}"
