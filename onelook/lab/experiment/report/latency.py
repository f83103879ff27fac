"""Latency of each arm, its ratio to the baseline, and the parts that the difference is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from onelook.lab.experiment.design import Caches
from onelook.lab.experiment.outcomes import Outcome
from onelook.lab.experiment.report.model import Estimate, GainPart, Latency, LatencyComparison
from onelook.lab.experiment.report.recorded import Recorded
from onelook.lab.statistics.gain import gain_by_part
from onelook.lab.statistics.interval import Interval
from onelook.lab.statistics.latency import latency_ratio, percentile
from onelook.lab.statistics.verdict import Verdict, latency_verdict

FEWEST = 6
"""Fewest pictures for a verdict on latency: with fewer, not even the median has a two-sided interval of 95 %."""


def latency_of(recorded: Recorded, arm: str) -> dict[Caches, Latency]:
    """By how the caches were kept; without an answered picture, nothing."""
    found: dict[Caches, Latency] = {}
    for caches in recorded.design.passes:
        pictures = [
            each
            for each in recorded.asked(arm, caches=caches)
            if recorded.outcome(each, arm, caches).status != "failed"
        ]
        outcomes = [recorded.outcome(each, arm, caches) for each in pictures]
        if not outcomes:
            continue
        values, clusters = [each.latency_ms for each in outcomes], recorded.clusters(pictures)
        p50, p95, p99 = (
            Estimate.of(percentile(values, share, clusters, alpha=recorded.design.alpha)) for share in (0.5, 0.95, 0.99)
        )
        found[caches] = Latency(
            answered=len(values),
            mean=fmean(values),
            p50=p50,
            p95=p95,
            p99=p99,
            parts=mean_parts(outcomes),
            values=tuple(round(each, 3) for each in values),
        )
    return found


def mean_parts(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Mean milliseconds of each part; a picture without it counts as 0."""
    names = dict.fromkeys(name for each in outcomes for name in each.parts)
    return {name: fmean(each.parts.get(name, 0.0) for each in outcomes) for name in names}


def latency_comparisons(recorded: Recorded, arms: Sequence[str]) -> list[LatencyComparison]:
    """Each of `arms` with the baseline, over the pictures that both answered."""
    found = [_comparison(recorded, arm, caches) for caches in recorded.design.passes for arm in arms]
    return [each for each in found if each is not None]


def _comparison(recorded: Recorded, arm: str, caches: Caches) -> LatencyComparison | None:
    design = recorded.design
    pictures = recorded.asked(design.baseline, arm, caches=caches)
    answered = [
        each
        for each in pictures
        if all(recorded.outcome(each, name, caches).status != "failed" for name in (design.baseline, arm))
    ]
    if len(answered) < 2:
        return None
    before = [recorded.outcome(each, design.baseline, caches) for each in answered]
    after = [recorded.outcome(each, arm, caches) for each in answered]
    clusters = recorded.clusters(answered)
    log_ratio = latency_ratio(
        [each.latency_ms for each in before],
        [each.latency_ms for each in after],
        clusters,
        rng=recorded.rng("latency", arm, caches),
        alpha=design.alpha,
    )
    gain = gain_by_part([each.parts for each in before], [each.parts for each in after], clusters, alpha=design.alpha)
    return LatencyComparison(
        arm=arm,
        caches=caches,
        pictures=len(answered),
        left_out=len(pictures) - len(answered),
        ratio=Estimate.of(_ratio(log_ratio)),
        verdict=latency_verdict(log_ratio, design.latency_margin) if len(answered) >= FEWEST else Verdict.NOT_KNOWN,
        difference=gain.difference,
        parts={
            name: GainPart(
                baseline=part.reference,
                arm=part.candidate,
                difference=Estimate.of(part.difference),
                share_of_gain=part.share_of_gain,
            )
            for name, part in gain.parts.items()
        },
    )


def _ratio(log_ratio: Interval) -> Interval:
    value, low, high = (math.exp(each) for each in (log_ratio.estimate, log_ratio.low, log_ratio.high))
    return Interval(value, low, high, log_ratio.level, log_ratio.method, log_ratio.caveats)
