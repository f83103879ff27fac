"""What answering only where one is confident buys: risk by coverage, its area, and the coverage at an accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onelook.lab.statistics.arrays import Floats, check_alpha, floats, same_length
from onelook.lab.statistics.bootstrap import RESAMPLES, percentile_bounds, resampled
from onelook.lab.statistics.clusters import Clusters, Names
from onelook.lab.statistics.interval import Caveat, Interval
from onelook.lab.statistics.proportions import outcomes, wilson_bounds

FEWEST = 50


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


def aurc(
    confidences: ArrayLike,
    right: ArrayLike,
    clusters: Names | None = None,
    *,
    rng: np.random.Generator,
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
) -> Interval:
    """Area under the risk-coverage curve: the mean risk over all coverages; less is better. Percentile bootstrap.

    Geifman, Uziel & El-Yaniv 2019, arXiv 1805.08206. Equal confidences are taken in random order: the expectation over
    their orders is returned.

    Raises:
        UserError: see `risk_coverage`, or a single cluster.
    """
    check_alpha(alpha)
    reported, correct = floats(confidences, "confidences"), outcomes(right, "right")
    same_length(confidences=reported, right=correct)
    groups = Clusters.named(clusters, len(reported))
    order = np.argsort(-reported, kind="stable")
    # One row for each distinct confidence, by falling confidence.
    _, level = np.unique(-reported[order], return_inverse=True)
    starts = np.flatnonzero(np.diff(level, prepend=-1))
    wrong = 1 - correct[order]

    def area(times: Floats) -> Floats:
        drawn = times[:, order]
        return _area(np.add.reduceat(drawn, starts, axis=1), np.add.reduceat(drawn * wrong, starts, axis=1))

    estimate = float(area(np.ones((1, len(reported))))[0])
    low, high = percentile_bounds(resampled(area, groups, rng, resamples), alpha)
    caveats = groups.caveats_of(clusters) if clusters is not None else ()
    caveats += (Caveat.FEW_OBSERVATIONS,) if groups.count < FEWEST else ()
    caveats += (Caveat.NO_VARIATION,) if low == high else ()
    unit = "bootstrap" if clusters is None else "cluster bootstrap"
    return Interval(estimate, low, high, 1 - alpha, f"{unit}, percentile", caveats)


@dataclass(frozen=True, slots=True)
class Operating:
    """A threshold with its coverage and the accuracy above it, with Wilson's interval."""

    threshold: float
    coverage: float
    accuracy: Interval


def coverage_at(
    confidences: ArrayLike, right: ArrayLike, accuracy: float, *, alpha: float = 0.05, sure: bool = False
) -> Operating | None:
    """The largest share of answers that can be kept with at least this accuracy; None if there is none.

    By the accuracy as observed, which is too hopeful, as the threshold was chosen by it. `sure`: by a lower limit that
    holds although it was chosen: thresholds are tested from the most confident down, each by an exact binomial test at
    `alpha`, until one fails (fixed-sequence testing, Angelopoulos et al. 2021, arXiv 2110.01052; Geifman & El-Yaniv
    2017, arXiv 1705.08500, for selective risk).

    Raises:
        UserError: see `risk_coverage`.
    """
    check_alpha(alpha)
    points = risk_coverage(confidences, right)
    total = len(np.asarray(right))
    found: Operating | None = None
    z = float(stats.norm.ppf(1 - alpha / 2))
    started = False
    for point in points:
        kept = round(point.coverage * total)
        hits = kept - round(point.risk * kept)
        if sure:
            passes = float(stats.binom.sf(hits - 1, kept, accuracy)) <= alpha
            # So few answers that even all right cannot pass are no test; the sequence starts after them.
            if not passes and (started or accuracy**kept <= alpha):
                break
            started = started or passes
        else:
            passes = hits >= accuracy * kept - 1e-9
        if passes:
            low, high = wilson_bounds(hits / kept, kept, z)
            interval = Interval(hits / kept, low, high, 1 - alpha, "Wilson")
            found = Operating(point.threshold, point.coverage, interval)
    return found


def _ordered(confidences: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    reported, correct = floats(confidences, "confidences"), outcomes(right, "right")
    same_length(confidences=reported, right=correct)
    order = np.argsort(-reported, kind="stable")
    return reported[order], correct[order]


def _area(labels: Floats, wrong: Floats) -> Floats:
    """Mean of the risk at coverages 1, ..., n, from [resamples, levels] counts.

    Within a level of m labels with w wrong ones, after N labels with W wrong ones, the expected risk at N + j is
    (W + w j / m) / (N + j); its sum over j is exact by the digamma function's differences (harmonic numbers).
    """
    reached, missed = np.cumsum(labels, axis=1), np.cumsum(wrong, axis=1)
    before, missed_before = reached - labels, missed - wrong
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, int(reached[:, -1].max()) + 1))])
    sums = harmonic[reached.astype(np.int64)] - harmonic[before.astype(np.int64)]
    rate = np.divide(wrong, labels, out=np.zeros_like(labels), where=labels > 0)
    # sum_j (W + r j) / (N + j) = r m + (W - r N) * sum_j 1 / (N + j)
    return np.asarray(
        (rate * labels + (missed_before - rate * before) * sums).sum(axis=1) / reached[:, -1], dtype=np.float64
    )
