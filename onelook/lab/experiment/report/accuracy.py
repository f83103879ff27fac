"""Accuracy of each arm, and its difference to the baseline, with verdicts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onelook.errors import UserError
from onelook.lab.experiment.metrics import ATTRIBUTE
from onelook.lab.experiment.report.model import AccuracyComparison, Estimate, Seen
from onelook.lab.experiment.report.recorded import Recorded
from onelook.lab.statistics.clusters import Clusters, effective_size
from onelook.lab.statistics.comparison import Comparison, compare
from onelook.lab.statistics.power import detectable_difference, detectable_margin, pictures_needed
from onelook.lab.statistics.proportions import proportion
from onelook.lab.statistics.several_arms import cochran_q, holm
from onelook.lab.statistics.verdict import accuracy_verdict


def accuracy_of(recorded: Recorded, arm: str) -> dict[str, Estimate]:
    """By metric; metrics that no asked picture has a label of are left out."""
    found: dict[str, Estimate] = {}
    for metric in recorded.metrics:
        pictures, (right,) = recorded.right(metric, arm)
        if pictures:
            interval = proportion(right, recorded.clusters(pictures), alpha=recorded.design.alpha)
            found[metric] = Estimate.of(interval)
    return found


def accuracy_comparisons(recorded: Recorded) -> list[AccuracyComparison]:
    """Every arm with the baseline on every metric. Holm's families: one metric's arms; all attributes of all arms."""
    compared: dict[tuple[str, str], Comparison] = {}
    for metric in recorded.metrics:
        for arm in recorded.arms[1:]:
            if (comparison := _compare(recorded, metric, arm)) is not None:
                compared[metric, arm] = comparison
    families: dict[str, dict[tuple[str, str], float]] = {}
    for (metric, arm), comparison in compared.items():
        alone = metric == recorded.design.primary or not metric.startswith(ATTRIBUTE)
        families.setdefault(metric if alone else ATTRIBUTE, {})[metric, arm] = comparison.p_value
    found = []
    for family in families.values():
        for (metric, arm), p_value in holm(family).items():
            found.append(_comparison(recorded, metric, arm, compared[metric, arm], p_value, len(family)))
    return found


def aa_accuracy(recorded: Recorded) -> AccuracyComparison | None:
    """The baseline with itself, on the primary metric, or on records if that is the latency."""
    metric = recorded.design.primary if recorded.design.primary != "latency" else "record"
    if not recorded.design.aa or not recorded.labelled:
        return None
    comparison = _compare(recorded, metric, recorded.again)
    if comparison is None:
        return None
    return _comparison(recorded, metric, recorded.again, comparison, comparison.p_value, 1)


def cochran_q_p(recorded: Recorded) -> float | None:
    """Of the primary metric, for more than two arms."""
    metric = recorded.design.primary
    if not recorded.labelled or metric == "latency" or len(recorded.arms) < 3:
        return None
    pictures, right = recorded.right(metric, *recorded.arms)
    return cochran_q(np.array(right).T).p_value if pictures else None


def _compare(recorded: Recorded, metric: str, arm: str) -> Comparison | None:
    pictures, (baseline, candidate) = recorded.right(metric, recorded.design.baseline, arm)
    if not pictures:
        return None
    design = recorded.design
    return compare(baseline, candidate, recorded.clusters(pictures), margin=design.margin, alpha=design.alpha)


def _comparison(
    recorded: Recorded, metric: str, arm: str, comparison: Comparison, p_value: float, family: int
) -> AccuracyComparison:
    counts, design = comparison.counts, recorded.design
    return AccuracyComparison(
        arm=arm,
        metric=metric,
        pictures=counts.pictures,
        both_right=counts.both_right,
        won=counts.candidate_only,
        lost=counts.reference_only,
        both_wrong=counts.both_wrong,
        difference=Estimate.of(comparison.difference),
        exact_p=comparison.test.exact,
        mid_p=comparison.test.mid_p,
        p_value=p_value,
        family=family,
        verdict=accuracy_verdict(comparison.difference, design.margin, p_value=p_value),
        seen=_seen(recorded, metric, arm, comparison),
    )


def _seen(recorded: Recorded, metric: str, arm: str, comparison: Comparison) -> Seen:
    design, counts = recorded.design, comparison.counts
    effect = _design_effect(recorded, metric, arm)
    # Without discordant pairs, nothing is known of them but that they are rare: one picture is assumed.
    discordance = counts.discordance or 1 / counts.pictures
    size = max(1, int(counts.pictures / effect))
    try:
        needed: int | None = pictures_needed(
            discordance,
            claim="not worse",
            margin=design.margin,
            alpha=design.alpha,
            wanted_power=design.power,
            design_effect=effect,
        )
    except UserError:
        needed = None
    return Seen(
        discordance=counts.discordance,
        difference=detectable_difference(size, discordance, alpha=design.alpha, wanted_power=design.power),
        margin=detectable_margin(size, discordance, alpha=design.alpha, wanted_power=design.power),
        needed=needed,
    )


def _design_effect(recorded: Recorded, metric: str, arm: str) -> float:
    pictures, (baseline, candidate) = recorded.right(metric, recorded.design.baseline, arm)
    clusters = recorded.clusters(pictures)
    if clusters is None:
        return 1.0
    differences = _differences(baseline, candidate)
    return len(pictures) / effective_size(differences, Clusters.named(clusters, len(pictures)))


def _differences(baseline: Sequence[bool], candidate: Sequence[bool]) -> np.typing.NDArray[np.float64]:
    return np.array(candidate, dtype=np.float64) - np.array(baseline, dtype=np.float64)
