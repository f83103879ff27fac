"""Whether confidences are true, and what is gained by keeping the sure answers only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from onelook.lab.experiment.report.model import ArmFigures, Calibration, Report
from onelook.lab.experiment.report.page.plot import Axis, element, line, path, percent, plot, series

SQUARE: Final = 210
HEIGHT: Final = 260
MOST_POINTS: Final = 400
TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Reliability:
    """One arm's diagram, and the figures of it."""

    arm: str
    series: str
    plot: Markup
    calibration: Calibration


def reliability(report: Report) -> list[Reliability]:
    """Both axes of all arms begin at the same quarter below everything that is shown."""
    bins = [each for arm in report.arms if arm.calibration for each in arm.calibration.reliability]
    least = min((end for each in bins for end in (each.confidence, each.right.low or 0.0)), default=0.0)
    axis = Axis(min(math.floor(least * 4) / 4, 0.75), 1.0)
    return [
        Reliability(arm.name, series(number), _diagram(arm.calibration, axis), arm.calibration)
        for number, arm in enumerate(report.arms)
        if arm.calibration is not None
    ]


def _diagram(calibration: Calibration, axis: Axis) -> Markup:
    """Accuracy over confidence, in bins of equally many labels. On the diagonal, confidences are true."""
    ticks = [(axis.at(tick), f"{tick:.0%}") for tick in axis.ticks(2)]
    parts = _frame(ticks, ticks, SQUARE)
    parts.append(path([(0, 0), (1, 1)], "diagonal"))
    points = [(axis.at(each.confidence), axis.at(each.right.value)) for each in calibration.reliability]
    parts.append(path(points, "curve"))
    for each, (x, y) in zip(calibration.reliability, points, strict=True):
        low, high = each.right.low, each.right.high
        if low is not None and high is not None:
            parts.append(line(percent(x), "whisker", y=_y(axis.at(low), SQUARE), y2=_y(axis.at(high), SQUARE)))
        parts.append(element("circle", cx=percent(x), cy=_y(y, SQUARE), r=4.5, class_="mark"))
    return plot(*parts, height=SQUARE)


def risk_coverage_plot(report: Report) -> Markup | None:
    """All arms in one drawing: the share of wrong records among the surest answers, over how many are kept."""
    arms = [(number, arm) for number, arm in enumerate(report.arms) if arm.calibration is not None]
    if not arms:
        return None
    worst = max(risk for _, arm in arms for _, risk in _curve(arm))
    up = Axis(0.0, max(worst * 1.05, 0.01))
    parts = _frame(
        [(each, f"{each:.0%}") for each in TICKS],
        [(up.at(tick), f"{tick * 100:.3g}%") for tick in up.ticks(4)],
        HEIGHT,
    )
    for number, arm in reversed(arms):
        points = [(coverage, up.at(risk)) for coverage, risk in _curve(arm)]
        parts.append(element("g", path(points, "curve"), class_=series(number)))
    return plot(*parts, height=HEIGHT)


def _curve(arm: ArmFigures) -> Sequence[tuple[float, float]]:
    points = arm.calibration.risk_coverage if arm.calibration else ()
    step = max(1, len(points) // MOST_POINTS)
    return [*points[:-1:step], *points[-1:]]


def _frame(across: Sequence[tuple[float, str]], up: Sequence[tuple[float, str]], height: int) -> list[Markup]:
    parts = []
    for at, text in across:
        anchor = "end" if at == 1 else "start" if at == 0 else "middle"
        parts += [
            line(percent(at), "grid", y2=height),
            element("text", text, x=percent(at), y=height + 18, text_anchor=anchor, class_="label"),
        ]
    for at, text in up:
        y = _y(at, height)
        parts += [
            line("0%", "grid", x2="100%", y=y, y2=y),
            element("text", text, x=-8, y=y + 4, text_anchor="end", class_="label"),
        ]
    return parts


def _y(share: float, height: int) -> float:
    return round((1 - share) * height, 2)
