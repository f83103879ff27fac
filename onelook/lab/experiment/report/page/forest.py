"""Forest plots: the difference of each arm to the baseline with its interval, and the margin that decides."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from onelook.lab.experiment.metrics import ATTRIBUTE
from onelook.lab.experiment.report.model import AccuracyComparison, Estimate, LatencyComparison, Report
from onelook.lab.experiment.report.page.plot import Axis, box, element, line, percent, row, scale, series
from onelook.lab.experiment.report.page.rows import Chart, Row, accuracy_badge, latency_badge, points, ratio
from onelook.lab.experiment.report.page.words import Both, both
from onelook.lab.experiment.report.sentences import CACHES_ZH, metric_words

HEIGHT = 34
AA = both("A/A pair", "A/A 对照")
CACHES: dict[str, Both] = {caches: both(f"caches {caches}", zh) for caches, zh in CACHES_ZH.items()}


def accuracy_charts(report: Report) -> list[Chart]:
    """Whole records, categories, then every attribute; the primary metric comes first."""
    metrics = list(dict.fromkeys(each.metric for each in report.accuracy))
    metrics.sort(key=lambda metric: (metric != report.primary, metric.startswith(ATTRIBUTE)))
    return [_accuracy(report, metric) for metric in metrics]


def _accuracy(report: Report, metric: str) -> Chart:
    compared: list[AccuracyComparison] = [each for each in report.accuracy if each.metric == metric]
    again = report.aa_accuracy if report.aa_accuracy and report.aa_accuracy.metric == metric else None
    shown = [*compared, again] if again else compared
    axis = Axis.around(
        [0.0, -2 * report.margin, 2 * report.margin, *_ends(each.difference for each in shown)], log=False
    )
    numbers = {arm.name: number for number, arm in enumerate(report.arms)}
    rows = [
        Row(
            name=each.arm,
            series=series(numbers[each.arm]),
            plot=_interval(axis, each.difference, nothing=0.0, margin=-report.margin, worse_below=True),
            figures=points(each.difference),
            badge=accuracy_badge(each.verdict),
        )
        for each in compared
    ]
    if again:
        plot = _interval(axis, again.difference, nothing=0.0, margin=-report.margin, worse_below=True)
        rows.append(Row(name=AA, series="series-aa", plot=plot, figures=points(again.difference)))
    return Chart(
        title=_title(report, metric),
        rows=tuple(rows),
        scale=scale(
            axis, shown=[(tick, f"{tick * 100:+g}".replace("-", "−").replace("+0", "0")) for tick in axis.ticks()]
        ),
        unit=both("points more right than the baseline", "比基线多答对的百分点"),
    )


def latency_charts(report: Report) -> list[Chart]:
    """One for each way that caches were kept."""
    return [_latency(report, caches) for caches in report.caches if any(e.caches == caches for e in report.latency)]


def _latency(report: Report, caches: str) -> Chart:
    compared: list[LatencyComparison] = [each for each in report.latency if each.caches == caches]
    again = [each for each in report.aa_latency if each.caches == caches]
    limit = 1 + report.latency_margin
    ends = _ends(each.ratio for each in (*compared, *again))
    axis = Axis.around([1 / limit, limit, *(each for each in ends if each > 0)], log=True, room=0.12)
    numbers = {arm.name: number for number, arm in enumerate(report.arms)}
    rows = [
        Row(
            name=each.arm,
            series=series(numbers[each.arm]),
            plot=_interval(axis, each.ratio, nothing=1.0, margin=limit, worse_below=False),
            figures=ratio(each.ratio),
            badge=latency_badge(each.verdict),
        )
        for each in compared
    ]
    rows += [
        Row(
            name=AA,
            series="series-aa",
            plot=_interval(axis, each.ratio, nothing=1.0, margin=limit, worse_below=False),
            figures=ratio(each.ratio),
        )
        for each in again
    ]
    return Chart(
        title=both(f"Median latency, {CACHES[caches].en}", f"延迟中位数，{CACHES[caches].zh}"),
        rows=tuple(rows),
        scale=scale(axis, shown=[(tick, f"× {tick:.2f}".rstrip("0").rstrip(".")) for tick in axis.ticks()]),
        unit=both("of the baseline's median; log scale", "相对基线中位数；对数刻度"),
    )


def _title(report: Report, metric: str) -> Both:
    en, zh = metric_words(metric)
    primary = ("; the primary metric", "；主要指标") if metric == report.primary else ("", "")
    return both(en[:1].upper() + en[1:] + primary[0], zh + primary[1])


def _points(tick: float) -> str:
    return f"{tick * 100:+.3g}".replace("-", "−") if round(tick, 9) else "0"


def _ends(estimates: Iterable[Estimate]) -> Sequence[float]:
    found = [end for each in estimates for end in (each.low, each.value, each.high) if end is not None]
    return [each for each in found if math.isfinite(each)]


def _interval(axis: Axis, estimate: Estimate, *, nothing: float, margin: float, worse_below: bool) -> Markup:
    """`nothing`: no difference; beyond `margin` the arm is worse. An open end of an interval runs to the edge."""
    low = axis.low if estimate.low is None else estimate.low
    high = axis.high if estimate.high is None else estimate.high
    beyond = (axis.low, margin) if worse_below else (margin, axis.high)
    ends = [end for end in (estimate.low, estimate.high) if end is not None]
    middle = HEIGHT / 2
    return row(
        box(axis, *beyond, "beyond", y=0, height=HEIGHT),
        line(axis.x(margin), "margin"),
        line(axis.x(nothing), "nothing"),
        line(axis.x(low), "interval", x2=axis.x(high), y=middle, y2=middle),
        *(line(axis.x(end), "interval", y=middle - 5, y2=middle + 5) for end in ends),
        element("circle", cx=percent(axis.at(estimate.value)), cy=middle, r=5.5, class_="mark"),
        height=HEIGHT,
    )
