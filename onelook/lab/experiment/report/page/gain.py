"""Where the time goes, and where a gain comes from: the parts of a run, whose differences add up to the whole one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from onelook.lab.experiment.report.model import LatencyComparison, Report
from onelook.lab.experiment.report.page.forest import CACHES
from onelook.lab.experiment.report.page.plot import Axis, box, element, line, number, percent, row, scale, series
from onelook.lab.experiment.report.page.rows import Chart, Row, signed
from onelook.lab.experiment.report.page.words import Both, both

KINDS: Final = {
    "prepare": both("prepare", "准备"),
    "router": both("router", "路由分类器"),
    "turn": both("waiting for another model", "等待其他模型"),
    "switch": both("model switch", "切换模型"),
    "throttle": both("waiting for the server", "等待服务器接受请求"),
    "queue": both("queue", "排队"),
    "first_token": both("first token", "首个 token"),
    "decode": both("decode", "解码"),
    "engine": both("engine, not split", "引擎（未细分）"),
    "parse": both("parse", "解析"),
    "other": both("other nodes", "其他节点"),
    "scheduling": both("scheduling", "调度"),
}
REPORTED: Final = ("turn", "switch", "throttle", "queue", "first_token", "decode")
HEIGHT: Final = 26
SMALL: Final = 0.003
"""A kind of which the difference is below this share of the baseline's time has no row of its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """A line of the table. `share`: of the whole difference."""

    name: str
    baseline: str
    arm: str
    difference: Both
    share: str


@dataclass(frozen=True, slots=True)
class Gain:
    """An arm's way from the baseline's mean to its own, and the table behind it with its sums."""

    chart: Chart
    arm: str
    parts: tuple[Part, ...]
    sums: Part


def kind_of(part: str) -> str:
    """The kind of `node.span.phase`, `node.span`, `node.rest` or `scheduling`."""
    node, *rest = part.split(".")
    last = rest[-1] if rest else node
    if last in REPORTED or last in ("scheduling", "router"):
        return last
    for name in ("engine", "parse"):
        if name in rest:
            return name
    return node if node in ("prepare", "parse") else "other"


def by_kind(parts: Mapping[str, float]) -> dict[str, float]:
    """Milliseconds of each kind, in the order of `KINDS`; their sum is that of `parts`."""
    sums = dict.fromkeys(KINDS, 0.0)
    for part, time_ms in parts.items():
        sums[kind_of(part)] += time_ms
    return {kind: value for kind, value in sums.items() if value}


def time_charts(report: Report) -> list[Chart]:
    """The mean time of each arm by kind, for each way that caches were kept."""
    return [_times(report, caches) for caches in report.caches if any(caches in arm.latency for arm in report.arms)]


def kinds_shown(report: Report) -> list[tuple[str, Both]]:
    """For the legend: kinds that some arm spends visible time in."""
    spent = [by_kind(latency.parts) for arm in report.arms for latency in arm.latency.values()]
    longest = max((sum(each.values()) for each in spent), default=0.0)
    return [(kind, words) for kind, words in KINDS.items() if any(e.get(kind, 0) > longest * 0.002 for e in spent)]


def gains(report: Report) -> list[Gain]:
    """For each arm and each way that caches were kept."""
    return [
        gain for caches in report.caches for gain in _gains(report, [e for e in report.latency if e.caches == caches])
    ]


def _times(report: Report, caches: str) -> Chart:
    shown = [
        (place, arm.name, latency)
        for place, arm in enumerate(report.arms)
        for way, latency in arm.latency.items()
        if way == caches
    ]
    axis = Axis(0.0, max(latency.mean for *_, latency in shown) * 1.02 or 1.0)
    rows = []
    for place, name, latency in shown:
        bars, at = [], 0.0
        for kind, time_ms in by_kind(latency.parts).items():
            bars.append(box(axis, at, at + time_ms, f"kind {kind}", y=3, height=HEIGHT - 6))
            at += time_ms
        figures = both(f"{number(latency.mean)} ms")
        rows.append(Row(name=name, series=series(place), plot=row(*bars, height=HEIGHT), figures=figures))
    way = CACHES[caches]
    return Chart(
        title=both(f"Mean time of a picture, {way.en}", f"每张图片的平均耗时，{way.zh}"),
        rows=tuple(rows),
        scale=scale(axis),
        unit=both("ms", "毫秒"),
    )


def _gains(report: Report, comparisons: list[LatencyComparison]) -> list[Gain]:
    """With one axis, so that arms can be compared side by side."""
    if not comparisons:
        return []
    differences = [by_kind({n: p.difference.value for n, p in each.parts.items()}) for each in comparisons]
    before = [sum(part.baseline for part in each.parts.values()) for each in comparisons]
    steps = [_steps(found, SMALL * whole) for found, whole in zip(differences, before, strict=True)]
    reached = [
        level
        for start, found in zip(before, steps, strict=True)
        for level in _levels(start, [value for _, value in found])
    ]
    axis = Axis.around(reached, log=False, room=0.08)
    numbers = {arm.name: place for place, arm in enumerate(report.arms)}
    return [
        _gain(report, each, found, start, axis, series(numbers[each.arm]))
        for each, found, start in zip(comparisons, steps, before, strict=True)
    ]


def _steps(differences: Mapping[str, float], least: float) -> list[tuple[Both, float]]:
    found = [(KINDS[kind], value) for kind, value in differences.items() if abs(value) > least]
    rest = sum(value for value in differences.values() if abs(value) <= least)
    return [*found, (both("all else", "其余"), rest)] if rest else found


def _levels(start: float, steps: Iterable[float]) -> list[float]:
    levels = [start]
    for step in steps:
        levels.append(levels[-1] + step)
    return levels


def _gain(
    report: Report, each: LatencyComparison, steps: list[tuple[Both, float]], start: float, axis: Axis, colour: str
) -> Gain:
    levels = _levels(start, [value for _, value in steps])
    rows = [_end(report.baseline, levels[0], axis, "series-0")]
    for (words, value), (from_, to) in zip(steps, itertools.pairwise(levels), strict=True):
        bar = box(axis, from_, to, "slower" if value > 0 else "faster", y=6, height=HEIGHT - 12)
        plot = row(
            line(axis.x(from_), "reach", y2=HEIGHT / 2), bar, line(axis.x(to), "reach", y=HEIGHT / 2), height=HEIGHT
        )
        rows.append(Row(name=words, plot=plot, figures=both(f"{signed(value)} ms")))
    rows.append(_end(each.arm, levels[-1], axis, colour))
    way = CACHES[each.caches]
    return Gain(
        chart=Chart(
            title=both(
                f"From {report.baseline} to {each.arm}, {way.en}", f"从 {report.baseline} 到 {each.arm}，{way.zh}"
            ),
            rows=tuple(rows),
            scale=scale(axis, shown=[(tick, number(tick)) for tick in axis.ticks(3)]),
            unit=both(
                f"mean ms a picture, over {each.pictures} pictures that both answered",
                f"每张图片平均毫秒数，双方都有回答的 {each.pictures} 张图片",
            ),
        ),
        arm=each.arm,
        parts=tuple(_parts(each)),
        sums=Part(
            name="",
            baseline=number(levels[0]),
            arm=number(sum(part.arm for part in each.parts.values())),
            difference=both(signed(each.difference, 2)),
            share="100 %" if each.difference else "",
        ),
    )


def _end(name: str, value: float, axis: Axis, colour: str) -> Row:
    mark = element("circle", cx=percent(axis.at(value)), cy=HEIGHT / 2, r=5.5, class_="mark")
    plot = row(line("0%", "reach", x2=axis.x(value), y=HEIGHT / 2, y2=HEIGHT / 2), mark, height=HEIGHT)
    return Row(name=name, series=colour, plot=plot, figures=both(f"{number(value)} ms"))


def _parts(each: LatencyComparison) -> Iterable[Part]:
    for name, part in each.parts.items():
        difference = part.difference
        text = signed(difference.value, 2)
        if difference.low is None or difference.high is None:
            words = both(text)
        else:
            low, high = signed(difference.low, 2), signed(difference.high, 2)
            words = both(f"{text} ({low} to {high})", f"{text}（{low} 至 {high}）")
        share = "" if part.share_of_gain is None else f"{part.share_of_gain * 100:.1f} %".replace("-", "−")
        yield Part(name, number(part.baseline), number(part.arm), words, share)
