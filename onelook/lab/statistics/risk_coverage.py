"""What answering only where one is confident buys: risk by coverage, its area, and the coverage at an accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import expit, logit

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Floats, check_alpha, floats, same_length
from onelook.lab.statistics.clusters import Clusters, Names
from onelook.lab.statistics.interval import Caveat, Interval
from onelook.lab.statistics.proportions import korn_graubard_bounds, outcomes, proportion, share_inside


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """Answers with at least the confidence `threshold`: their share of all, and the share of wrong ones among them."""

    threshold: float
    coverage: float
    risk: float


def risk_coverage(confidences: ArrayLike, right: ArrayLike) -> list[RiskPoint]:
    """The risk-coverage curve, from the most confident answers to all; equal confidences come in together.

    El-Yaniv & Wiener 2010, JMLR 11:1605-1641.

    Raises:
        UserError: no answers, different lengths, or outcomes other than True and False.
    """
    reported, correct = _ordered(confidences, right)
    wrong = np.cumsum(1 - correct)
    last = np.append(reported[1:] != reported[:-1], True)
    return [
        RiskPoint(float(reported[place]), float(place + 1) / len(reported), float(wrong[place]) / (int(place) + 1))
        for place in np.flatnonzero(last)
    ]


def aurc(confidences: ArrayLike, right: ArrayLike, clusters: Names | None = None, *, alpha: float = 0.05) -> Interval:
    """Area under the risk-coverage curve: the mean risk over all coverages; less is better.

    Geifman, Uziel & El-Yaniv 2019, arXiv 1805.08206. Equal confidences are taken in random order: the expectation over
    their orders is returned. The area is a mean of errors, each weighed by the mean of 1 / rank from its own rank on;
    its influence function gives the (cluster-robust) variance, and the interval is Student's on the scale of
    log(area / (1 - area)); with clusters, that of a share with this variance, as in `proportion`. Area +- Student's
    quantile * standard error falls below its level, because areas are small and skewed. Where every answer is right or
    every one wrong, the interval is that of the share of wrong answers.

    Raises:
        UserError: see `risk_coverage`, or a single cluster.
    """
    check_alpha(alpha)
    reported, correct = floats(confidences, "confidences"), outcomes(right, "right")
    same_length(confidences=reported, right=correct)
    groups = Clusters.named(clusters, len(reported))
    caveats = groups.caveats_of(clusters)
    if correct.min() == correct.max():
        same = proportion(1 - correct, clusters, alpha=alpha)
        caveats += (Caveat.NO_VARIATION,)
        return Interval(same.estimate, same.low, same.high, 1 - alpha, same.method, caveats)
    area, added = _area(reported, 1 - correct)
    variance = groups.variance_of_mean(added)
    if clusters is not None:
        # Albums that are all alike have no variance; they are worth their pictures at most.
        size = area * (1 - area) / variance if variance else float(len(reported))
        low, high = korn_graubard_bounds(area, size, groups, alpha)
        return Interval(area, low, high, 1 - alpha, "cluster-robust, Korn-Graubard", caveats)
    reach = stats.t.ppf(1 - alpha / 2, groups.degrees_of_freedom) * np.sqrt(variance) / (area * (1 - area))
    low, high = (float(expit(logit(area) + side * reach)) for side in (-1, 1))
    return Interval(area, low, high, 1 - alpha, "Student t, logit", caveats)


@dataclass(frozen=True, slots=True)
class Operating:
    """A threshold with its coverage, and the accuracy above it with the interval of `proportion`."""

    threshold: float
    coverage: float
    accuracy: Interval


def coverage_at(
    confidences: ArrayLike,
    right: ArrayLike,
    accuracy: float,
    clusters: Names | None = None,
    *,
    alpha: float = 0.05,
) -> Operating | None:
    """The largest share of answers that can be kept with at least this accuracy; None if there is none.

    By the accuracy as observed, which is too hopeful, as the threshold was chosen by it: about half of the time the
    true accuracy is below the wanted one. The interval says how far (docs/statistics.md has its simulated coverage).

    Raises:
        UserError: see `risk_coverage`, a single cluster, or an accuracy outside 0 to 1.
    """
    check_alpha(alpha)
    if not 0 <= accuracy <= 1:
        raise UserError(f"accuracy is {accuracy}, and must be from 0 to 1", hint="0.98 is 98 %")
    points = risk_coverage(confidences, right)
    reported, correct = floats(confidences, "confidences"), outcomes(right, "right")
    if clusters is not None:
        Clusters.named(clusters, len(correct))
    enough = [point for point in points if 1 - point.risk >= accuracy - 1e-9]
    if not enough:
        return None
    most = enough[-1]
    kept = share_inside(correct, np.flatnonzero(reported >= most.threshold), clusters, alpha)
    return Operating(most.threshold, most.coverage, kept)


def _ordered(confidences: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    reported, correct = floats(confidences, "confidences"), outcomes(right, "right")
    same_length(confidences=reported, right=correct)
    order = np.argsort(-reported, kind="stable")
    return reported[order], correct[order]


def _area(confidences: Floats, wrong: Floats) -> tuple[float, Floats]:
    """The area, and what each answer adds to it, to first order (its influence, with a mean of 0).

    The risk at rank j is the mean of the errors up to it, so the area is the mean over answers of error * the sum of
    1 / j from the answer's own rank on. An answer also moves those behind it down by one rank: the second term.
    """
    order = np.argsort(-confidences, kind="stable")
    _, level = np.unique(-confidences[order], return_inverse=True)
    sizes = np.bincount(level)
    ranks = np.arange(1, len(order) + 1)
    errors = wrong[order]

    def in_level(values: Floats) -> Floats:
        """The mean over answers of equal confidence, which come in any order."""
        return np.asarray((np.bincount(level, weights=values) / sizes)[level], dtype=np.float64)

    weights = in_level(np.cumsum((1 / ranks)[::-1])[::-1])
    rates = in_level(errors) / ranks
    behind = in_level(np.cumsum(rates[::-1])[::-1] - rates)
    added = np.empty(len(order))
    added[order] = errors * weights - behind
    return float((errors * weights).mean()), added - added.mean()
