"""The latency of every picture of every arm, on one axis that holds the shortest and the longest of all."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from onelook.lab.experiment.design import Caches
from onelook.lab.experiment.report.model import Latency, Report
from onelook.lab.experiment.report.page.forest import CACHES
from onelook.lab.experiment.report.page.plot import Axis, element, line, number, percent, row, scale, series
from onelook.lab.experiment.report.page.rows import Chart, Row
from onelook.lab.experiment.report.page.words import Both, both

BINS = 72
HEIGHT = 62
FOOT = 16
"""Pixels below the histogram, for the percentiles."""


def distribution_chart(report: Report) -> Chart | None:
    """None if no arm answered."""
    shown = [
        (place, arm.name, caches, arm.latency[caches])
        for caches in report.caches
        for place, arm in enumerate(report.arms)
        if caches in arm.latency
    ]
    if not shown:
        return None
    axis = Axis.around([value for *_, latency in shown for value in latency.values], room=0.02)
    counts = [_counts(axis, latency.values) for *_, latency in shown]
    most = max(max(count) / sum(count) for count in counts)
    rows = []
    for (place, name, caches, latency), count in zip(shown, counts, strict=True):
        p50, p95, p99 = (number(each.value) for each in (latency.p50, latency.p95, latency.p99))
        longest = number(max(latency.values))
        rows.append(
            Row(
                name=name
                if len(report.caches) == 1
                else both(f"{name}, {CACHES[caches].en}", f"{name}，{CACHES[caches].zh}"),
                series=series(place),
                plot=_histogram(axis, count, latency, most),
                figures=both(
                    f"p50 {p50} · p95 {p95} · p99 {p99} · longest {longest}",
                    f"p50 {p50} · p95 {p95} · p99 {p99} · 最长 {longest}",
                ),
            )
        )
    log = ("; log scale", "；对数刻度") if axis.log else ("", "")
    return Chart(
        title=both("Latency of each picture", "每张图片的延迟"),
        rows=tuple(rows),
        scale=scale(axis),
        unit=both(
            f"ms a picture; the marks are p50, p95 and p99{log[0]}", f"每张图片毫秒数；标记为 p50、p95、p99{log[1]}"
        ),
    )


def _with_caches(name: str, caches: Caches) -> Both:
    way = CACHES[caches]
    return both(f"{name}, {way.en}", f"{name}，{way.zh}")


def _counts(axis: Axis, values: Sequence[float]) -> list[int]:
    counts = [0] * BINS
    for value in values:
        counts[min(int(axis.at(value) * BINS), BINS - 1)] += 1
    return counts


def _histogram(axis: Axis, counts: Sequence[int], latency: Latency, most: float) -> Markup:
    """Bars of equal area for equal numbers of pictures, in every row. Below them the range, and p50, p95, p99."""
    above, whole = HEIGHT - FOOT, sum(counts)
    bars = []
    for place, count in enumerate(counts):
        if count:
            height = max(1.5, count / whole / most * above)
            bars.append(
                element(
                    "rect",
                    x=percent(place / BINS),
                    width=percent(0.94 / BINS),
                    y=round(above - height, 2),
                    height=round(height, 2),
                    class_="bar",
                )
            )
    middle = above + FOOT / 2
    first, last = axis.x(min(latency.values)), axis.x(max(latency.values))
    marks = [
        element("circle", cx=axis.x(latency.p50.value), cy=middle, r=5, class_="mark"),
        line(axis.x(latency.p95.value), "percentile", y=middle - 5, y2=middle + 5),
        line(axis.x(latency.p99.value), "percentile", y=middle - 5, y2=middle + 5),
    ]
    return row(*bars, line(first, "range", x2=last, y=middle, y2=middle), *marks, height=HEIGHT)
