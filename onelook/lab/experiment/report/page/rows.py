"""Charts made of rows: a name, a drawing, and its figures as text; all drawings of a chart share one axis."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from onelook.lab.experiment.report.model import Estimate
from onelook.lab.experiment.report.page.plot import Part, number
from onelook.lab.experiment.report.page.words import Both, both
from onelook.lab.experiment.report.sentences import LATENCY_EN, LATENCY_ZH, ZH
from onelook.lab.statistics.verdict import Verdict

COLOURS = {
    Verdict.BETTER: "good",
    Verdict.NOT_WORSE: "good",
    Verdict.WORSE: "bad",
    Verdict.NOT_KNOWN: "unsure",
}


@dataclass(frozen=True, slots=True)
class Badge:
    """A verdict in a word; `colour`: good, bad or unsure."""

    text: Both
    colour: str


@dataclass(frozen=True, slots=True)
class Row:
    """`series`: the class of the arm's colour."""

    name: Part
    plot: Markup
    figures: Part
    series: str = ""
    badge: Badge | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Rows on one axis. `scale`: the axis, below the last of them; `unit`: what it counts."""

    title: Both
    rows: tuple[Row, ...]
    scale: Markup
    unit: Both


def accuracy_badge(verdict: Verdict) -> Badge:
    return Badge(both(str(verdict), ZH[verdict]), COLOURS[verdict])


def latency_badge(verdict: Verdict) -> Badge:
    return Badge(both(LATENCY_EN[verdict], LATENCY_ZH[verdict]), COLOURS[verdict])


def signed(value: float, digits: int = 1) -> str:
    """With its sign, which is a minus and no hyphen."""
    return f"{value:+.{digits}f}".replace("-", "−")


def points(difference: Estimate) -> Both:
    """A difference of shares in percentage points, with its interval."""
    value, low, high = (
        None if each is None else signed(each * 100) for each in (difference.value, difference.low, difference.high)
    )
    if low is None or high is None:
        return both(str(value))
    return both(f"{value} ({low} to {high})", f"{value}（{low} 至 {high}）")


def ratio(estimate: Estimate) -> Both:
    if estimate.low is None or estimate.high is None:
        return both(f"× {estimate.value:.2f}")
    low, high = f"{estimate.low:.2f}", f"{estimate.high:.2f}"
    return both(f"× {estimate.value:.2f} ({low} to {high})", f"× {estimate.value:.2f}（{low} 至 {high}）")


def share(estimate: Estimate) -> Both:
    """A share in percent with its interval."""
    text = f"{estimate.value * 100:.1f} %"
    if estimate.low is None or estimate.high is None:
        return both(text)
    low, high = f"{estimate.low * 100:.1f}", f"{estimate.high * 100:.1f}"
    return both(f"{text} ({low} to {high})", f"{text}（{low} 至 {high}）")


def decimal(estimate: Estimate) -> Both:
    """A figure of calibration with its interval, both of which always end."""
    low, high = f"{estimate.low or 0:.3f}", f"{estimate.high or 0:.3f}"
    return both(f"{estimate.value:.3f} ({low} to {high})", f"{estimate.value:.3f}（{low} 至 {high}）")


def milliseconds(estimate: Estimate) -> Both:
    low = "…" if estimate.low is None else number(estimate.low)
    high = "…" if estimate.high is None else number(estimate.high)
    text = number(estimate.value)
    if estimate.low is None and estimate.high is None:
        return both(text)
    return both(f"{text} ({low} to {high})", f"{text}（{low} 至 {high}）")
