"""The figures of a report, as `report.json` has them. Shares are from 0 to 1, times in milliseconds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, PrivateAttr

from onelook.lab.experiment.design import Caches
from onelook.lab.statistics.interval import Interval
from onelook.lab.statistics.verdict import Verdict
from onelook.types import Frozen

Outcome4 = Literal["won", "lost", "both right", "both wrong", "not labelled"]


class Estimate(Frozen):
    """An estimate with its interval; None: that end is not known. `caveats` are sentences."""

    value: float
    low: float | None
    high: float | None
    level: float
    method: str
    caveats: tuple[str, ...] = ()

    @classmethod
    def of(cls, interval: Interval) -> Self:
        low, high = (each if math.isfinite(each) else None for each in (interval.low, interval.high))
        return cls(
            value=interval.estimate,
            low=low,
            high=high,
            level=interval.level,
            method=interval.method,
            caveats=tuple(each.text for each in interval.caveats),
        )


class Latency(Frozen):
    """`parts`: mean time of each part of a run; they add up to `mean`. `values`: each picture's, in the order of the
    design's pictures; failed ones are left out."""

    answered: int
    mean: float
    p50: Estimate
    p95: Estimate
    p99: Estimate
    parts: dict[str, float]
    values: tuple[float, ...]


class ReliabilityBin(Frozen):
    confidence: float
    right: Estimate
    labels: int


class Kept(Frozen):
    """With answers above `threshold` only: their share, and their accuracy."""

    wanted: float
    threshold: float
    coverage: float
    accuracy: Estimate


class Calibration(Frozen):
    """Of the category's confidence; the risk-coverage curve is of whole records by their least confidence."""

    labels: int
    ece_equal_mass: Estimate
    ece_equal_width: Estimate
    brier: Estimate
    reliability: tuple[ReliabilityBin, ...]
    risk_coverage: tuple[tuple[float, float], ...]
    aurc: Estimate
    kept: tuple[Kept, ...]


class ArmFigures(Frozen):
    """`accuracy`: by metric (record, category, attribute:NAME). `latency`: by how caches were kept."""

    name: str
    pictures: int
    failed: int
    needs_review: int
    errors: dict[str, int]
    accuracy: dict[str, Estimate]
    latency: dict[Caches, Latency]
    prompt_tokens: float | None
    completion_tokens: float | None
    calibration: Calibration | None
    models: tuple[str, ...]


class Seen(Frozen):
    """What so many pictures can show. `difference`: the smallest one with the wanted power; None: not even the largest.
    `needed`: pictures for the design's margin at this discordance, if the arms are equal; `margin`: the one that these
    pictures can show."""

    discordance: float
    difference: float | None
    margin: float
    needed: int | None


class AccuracyComparison(Frozen):
    """An arm with the baseline on one metric. `p_value` is adjusted by Holm over `family`."""

    arm: str
    metric: str
    pictures: int
    both_right: int
    won: int
    lost: int
    both_wrong: int
    difference: Estimate
    exact_p: float
    mid_p: float
    p_value: float
    family: int
    verdict: Verdict
    seen: Seen


class GainPart(Frozen):
    baseline: float
    arm: float
    difference: Estimate
    share_of_gain: float | None


class LatencyComparison(Frozen):
    """`ratio`: of the medians, arm / baseline. `parts` add up to `difference`, of the means. `left_out`: pictures that
    one of both did not answer."""

    arm: str
    caches: Caches
    pictures: int
    left_out: int
    ratio: Estimate
    verdict: Verdict
    difference: float
    parts: dict[str, GainPart]


class Agreement(Frozen):
    """How often two arms answer alike, and how much of that is more than chance."""

    arm: str
    records: Estimate
    categories: Estimate
    kappa: Estimate


class Verdicts(Frozen):
    """An arm in a sentence: the primary metric's verdict, the latency's, and both together (None: no labels)."""

    arm: str
    primary: Verdict
    latency: Verdict | None
    together: Verdict | None
    sentence: dict[str, str]


class AnytimeStop(Frozen):
    """E-values of the primary comparison at the end; the run stops when one of them reaches `wanted` for each arm."""

    arm: str
    different: float
    not_worse: float
    wanted: float
    difference: Estimate


class LoadLevel(Frozen):
    """One arm at one level of load. `throughput`: answered pictures a second; `late`: longest wait before sending."""

    arm: str
    mode: Literal["closed", "open"]
    level: float
    pictures: int
    failed: int
    throughput: float
    p50: float | None
    p95: float | None
    p99: float | None
    late: float


class LoadFigures(Frozen):
    levels: tuple[LoadLevel, ...] = ()
    at_fixed_p95: dict[str, float | None] = Field({}, description="By arm: the highest throughput within the p95.")


class Report(Frozen):
    """Everything that `report.html` shows but the gallery."""

    format: Literal[1] = 1
    design: str
    primary: str
    baseline: str
    as_designed: bool
    deviations: tuple[str, ...]
    notes: tuple[str, ...]
    pictures: int
    clusters: int | None
    margin: float
    latency_margin: float
    alpha: float
    power: float
    caches: tuple[Caches, ...]
    arms: tuple[ArmFigures, ...]
    verdicts: tuple[Verdicts, ...]
    accuracy: tuple[AccuracyComparison, ...]
    latency: tuple[LatencyComparison, ...]
    agreement: tuple[Agreement, ...]
    cochran_q_p: float | None = Field(None, description="All arms are right equally often, for more than two.")
    aa_accuracy: AccuracyComparison | None = None
    aa_latency: tuple[LatencyComparison, ...] = ()
    anytime: tuple[AnytimeStop, ...] = ()
    load: LoadFigures = LoadFigures()
    warm_up: dict[str, float | None] = Field({}, description="By arm: median latency of the discarded pictures.")

    _folder: Path | None = PrivateAttr(None)

    def in_folder(self, folder: Path) -> Self:
        """This report, which knows its folder, so that a notebook shows it with its pictures."""
        self._folder = folder
        return self

    def _repr_html_(self) -> str | None:
        """The verdicts, and report.html with its gallery in a frame of its own."""
        if self._folder is None:
            return None
        from onelook.lab.experiment.report.notebook import notebook  # only notebooks need it

        return notebook(self, self._folder)

    def _repr_markdown_(self) -> str:
        from onelook.lab.experiment.report.markdown import markdown  # only notebooks need it

        return markdown(self)
