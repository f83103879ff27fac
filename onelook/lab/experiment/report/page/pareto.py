"""Accuracy over latency: which arms no other one beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from onelook.lab.experiment.report.model import Estimate, Report
from onelook.lab.experiment.report.page.plot import Axis, element, line, number, path, percent, plot, series

HEIGHT = 280
LABEL_APART = 17
"""Labels of marks that lie closer are moved apart by so many pixels."""


@dataclass(frozen=True, slots=True)
class Arm:
    name: str
    number: int
    accuracy: Estimate
    latency: Estimate

    def beaten_by(self, other: Arm) -> bool:
        at_least = other.accuracy.value >= self.accuracy.value and other.latency.value <= self.latency.value
        return at_least and (other.accuracy.value > self.accuracy.value or other.latency.value < self.latency.value)


@dataclass(frozen=True, slots=True)
class Pareto:
    """`front`: the arms that none beats, from the fastest; only estimates count, not their intervals."""

    plot: Markup
    front: tuple[str, ...]
    metric: str


def pareto(report: Report) -> Pareto | None:
    """Of the first way that caches were kept; None if no arm has both figures."""
    metric = "record" if report.primary == "latency" else report.primary
    arms = [
        Arm(each.name, number_, each.accuracy[metric], each.latency[report.caches[0]].p50)
        for number_, each in enumerate(report.arms)
        if metric in each.accuracy and report.caches[0] in each.latency
    ]
    if not arms:
        return None
    front = sorted(
        (each for each in arms if not any(each.beaten_by(other) for other in arms)), key=lambda each: each.latency.value
    )
    return Pareto(_plot(arms, front), tuple(each.name for each in front), metric)


def _plot(arms: Sequence[Arm], front: Sequence[Arm]) -> Markup:
    across = Axis.around([end for each in arms for end in _ends(each.latency)], log=None, room=0.12)
    up = Axis.around([end for each in arms for end in _ends(each.accuracy)], log=False, room=0.1)
    up = Axis(max(up.low, 0.0), min(up.high, 1.0) if up.high > 1.0 else up.high)

    def y(share: float) -> float:
        return round((1 - up.at(share)) * HEIGHT, 2)

    parts: list[Markup] = []
    for tick in up.ticks():
        label = element("text", f"{tick * 100:.3g} %", x=-8, y=y(tick) + 4, text_anchor="end", class_="label")
        parts += [line("0%", "grid", x2="100%", y=y(tick), y2=y(tick)), label]
    for tick in across.ticks():
        mark = across.x(tick)
        label = element("text", number(tick), x=mark, y=HEIGHT + 18, text_anchor="middle", class_="label")
        parts += [line(mark, "grid", y2=HEIGHT), label]
    parts.append(_front(front, across, up))
    places = _label_places([(y(each.accuracy.value), across.at(each.latency.value)) for each in arms])
    for each, label_y in zip(arms, places, strict=True):
        at, middle = across.at(each.latency.value), y(each.accuracy.value)
        low, _, high = _ends(each.latency)
        bottom, _, top = _ends(each.accuracy)
        right = at < 0.72
        parts.append(
            element(
                "g",
                line(across.x(low), "whisker", x2=across.x(high), y=middle, y2=middle),
                line(percent(at), "whisker", y=y(bottom), y2=y(top)),
                element("circle", cx=percent(at), cy=middle, r=6, class_="mark"),
                element(
                    "text",
                    each.name,
                    x=percent(at),
                    dx=11 if right else -11,
                    y=label_y - 7,
                    text_anchor="start" if right else "end",
                    class_="name",
                ),
                class_=series(each.number),
            )
        )
    return plot(*parts, height=HEIGHT)


def _front(front: Sequence[Arm], across: Axis, up: Axis) -> Markup:
    """Steps through the arms of the front: left of them and above nothing was seen."""
    steps: list[tuple[float, float]] = []
    for each in front:
        at, height = across.at(each.latency.value), up.at(each.accuracy.value)
        steps += [(at, steps[-1][1] if steps else 0.0), (at, height)]
    return path([*steps, (1.0, steps[-1][1])], "front")


def _label_places(marks: Sequence[tuple[float, float]]) -> list[float]:
    """The y of each label: that of its mark, or below the label before it where both would overlap."""
    places = [place for place, _ in marks]
    last: dict[bool, float] = {}
    for index in sorted(range(len(marks)), key=lambda each: marks[each][0]):
        side = marks[index][1] < 0.72
        if side in last and places[index] - last[side] < LABEL_APART:
            places[index] = last[side] + LABEL_APART
        last[side] = places[index]
    return places


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    value = estimate.value
    return (value if estimate.low is None else estimate.low), value, (value if estimate.high is None else estimate.high)
