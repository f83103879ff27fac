"""Stopping as soon as a verdict is known, by tests that may be looked at after every picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from onelook.lab.experiment.design import Design
from onelook.lab.experiment.metrics import is_right
from onelook.lab.experiment.outcomes import Outcome
from onelook.lab.statistics.anytime import betting_e_value, not_worse_e_value
from onelook.lab.statistics.verdict import Verdict

FEWEST: Final = 5


def arm_differences(design: Design, outcomes: Sequence[Outcome]) -> dict[str, tuple[list[float], list[str] | None]]:
    """For each arm but the baseline: arm - baseline of each finished picture, in the order asked, and its cluster.

    With clusters, only those of which every picture is finished.
    """
    pictures = {each.name: each for each in design.pictures}
    first = design.passes[0]
    asked: dict[str, dict[str, Outcome]] = {}
    for outcome in outcomes:
        if outcome.caches == first:
            asked.setdefault(outcome.picture, {})[outcome.arm] = outcome
    whole = {name: by_arm for name, by_arm in asked.items() if len(by_arm) == len(design.names)}
    if design.cluster != "none":
        unfinished = {each.cluster for each in design.pictures if each.name not in whole}
        whole = {name: by_arm for name, by_arm in whole.items() if pictures[name].cluster not in unfinished}
    found: dict[str, tuple[list[float], list[str] | None]] = {}
    for arm in (each.name for each in design.arms[1:]):
        differences: list[float] = []
        clusters: list[str] = []
        for name, by_arm in whole.items():
            truth = pictures[name].truth
            ours, theirs = (is_right(by_arm[each], truth, design.primary) for each in (arm, design.baseline))
            if ours is not None and theirs is not None:
                differences.append(float(ours) - float(theirs))
                clusters.append(pictures[name].cluster or name)
        found[arm] = differences, None if design.cluster == "none" else clusters
    return found


def anytime_verdict(
    differences: Sequence[float], clusters: Sequence[str] | None, *, margin: float, alpha: float
) -> Verdict:
    """The verdict that may be taken at any time. Better or worse: the e-value of "no difference" reaches 1 / alpha. Not
    worse: that of "a loss of the margin or more" reaches 2 / alpha, because it is one-sided.
    """
    groups = len(set(clusters)) if clusters is not None else len(differences)
    if groups < FEWEST:
        return Verdict.NOT_KNOWN
    different = betting_e_value(differences, clusters).reached(alpha)
    mean = float(np.mean(differences))
    if different and mean > 0:
        return Verdict.BETTER
    if not_worse_e_value(differences, margin, clusters).reached(alpha / 2):
        return Verdict.NOT_WORSE
    return Verdict.WORSE if different else Verdict.NOT_KNOWN


def anytime_verdicts(design: Design, outcomes: Sequence[Outcome]) -> Mapping[str, Verdict]:
    """By arm; alpha is divided by the number of arms (Bonferroni), so that none of many is more likely wrong."""
    alpha = design.alpha / (len(design.arms) - 1)
    return {
        arm: anytime_verdict(differences, clusters, margin=design.margin, alpha=alpha)
        for arm, (differences, clusters) in arm_differences(design, outcomes).items()
    }


def why_enough(design: Design, outcomes: Sequence[Outcome]) -> str | None:
    """Why the outcomes are enough: every arm has a verdict. None: go on."""
    verdicts = anytime_verdicts(design, outcomes)
    if Verdict.NOT_KNOWN in verdicts.values():
        return None
    return "; ".join(f"{arm}: {verdict}" for arm, verdict in verdicts.items())
