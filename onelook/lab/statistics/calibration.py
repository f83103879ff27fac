"""Calibration of confidences: expected calibration error, Brier score and reliability curve, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Floats, check_alpha, floats, same_length
from onelook.lab.statistics.bounded import bounded_interval
from onelook.lab.statistics.calibration_bins import BINS, Bin, Binning, bin_numbers, bins
from onelook.lab.statistics.clusters import Clusters, Names, effective_size
from onelook.lab.statistics.interval import Interval
from onelook.lab.statistics.proportions import outcomes, share_inside

DRAWS = 2000


def calibration_error(
    confidences: ArrayLike,
    right: ArrayLike,
    clusters: Names | None = None,
    *,
    rng: np.random.Generator,
    binning: Binning = "equal mass",
    count: int = BINS,
    alpha: float = 0.05,
) -> Interval:
    """Expected calibration error with an interval that is at least as sure as its level says.

    The estimate is Guo et al. 2017's, the sum over bins of |gap|, where a gap is the sum of right - confidence in the
    bin / all labels. It is above the truth for few labels: noise in a bin counts as error, so a perfectly calibrated
    model has an error above 0, and a bootstrap, which adds noise again, covers the truth in 10 to 93 % of a nominal
    95 %. These ends hold instead, whatever the true gaps are:

    - upper: the estimate is at least the sum of gaps that keep their true signs, which has no bias, so the truth is
      below estimate + Student's quantile * its standard error. Two labels with a gap of 1 are added to its variance, as
      by Bonett & Price 2012, for labels that are all right;
    - lower: the estimate is at most the truth + the sum of |noise| (triangle inequality), so the truth is above
      estimate - the quantile of that sum, drawn with the (cluster-robust) covariance of the gaps, as a multiplier
      bootstrap (Chernozhukov, Chetverikov & Kato 2013, Annals of Statistics 41:2786-2819). 0 is inside where the
      model may be calibrated.

    Both together cover more than their level (see docs/statistics.md). The truth is the error with these bins: one over
    finer bins can be larger.

    Raises:
        UserError: fewer than two labels, different lengths, a confidence outside 0 to 1, or a single cluster.
    """
    check_alpha(alpha)
    reported, correct = _predictions(confidences, right)
    labels = len(reported)
    groups = _groups(clusters, labels)
    gaps = np.zeros((labels, count))
    gaps[np.arange(labels), bin_numbers(reported, binning, count)] = correct - reported
    means = gaps.mean(axis=0)
    estimate = float(np.abs(means).sum())
    signed = gaps @ np.where(means < 0, -1.0, 1.0)
    added = 2 / effective_size(signed, groups) ** 2
    error = np.sqrt(groups.variance_of_mean(signed) + added)
    high = estimate + float(stats.t.ppf(1 - alpha / 2, groups.degrees_of_freedom) * error)
    low = estimate - float(np.quantile(_noise(gaps - means, groups, rng), 1 - alpha / 2))
    method = f"{count} bins of {binning}, triangle inequality"
    return Interval(estimate, max(0.0, low), min(1.0, high), 1 - alpha, method, groups.caveats_of(clusters))


def _noise(residuals: Floats, groups: Clusters, rng: np.random.Generator) -> Floats:
    """Draws of the sum over bins of |estimated gap - true gap|, from residuals [labels, bins]."""
    labels = len(residuals)
    per_cluster = np.column_stack([groups.sums(column) for column in residuals.T])
    per_cluster /= labels * np.sqrt(1 - groups.sizes / labels)[:, None]
    # Normal draws times this have the covariance of the clusters' sums, however many clusters there are.
    root = np.linalg.qr(per_cluster, mode="r")
    freedom = groups.degrees_of_freedom
    scale = np.sqrt(freedom / rng.chisquare(freedom, size=DRAWS))
    return np.asarray(np.abs(rng.standard_normal((DRAWS, len(root))) @ root).sum(axis=1) * scale, dtype=np.float64)


def brier(confidences: ArrayLike, right: ArrayLike, clusters: Names | None = None, *, alpha: float = 0.05) -> Interval:
    """Mean of (confidence - right)^2, from 0 (best) to 1, with the (cluster-robust) interval of `bounded_interval`.

    Brier 1950, Monthly Weather Review 78:1-3, for two outcomes.

    Raises:
        UserError: see `calibration_error`.
    """
    reported, correct = _predictions(confidences, right)
    squares = (reported - correct) ** 2
    groups = _groups(clusters, len(squares))
    return bounded_interval(
        float(squares.mean()),
        groups.variance_of_mean(squares),
        groups.count,
        least=0,
        alpha=alpha,
        method="Wilson" if clusters is None else "cluster-robust (CR2), Wilson",
        freedom=groups.degrees_of_freedom,
    )


@dataclass(frozen=True, slots=True)
class ReliabilityPoint:
    """A bin, and the share of right labels in it with the interval of `proportion`."""

    bin: Bin
    right: Interval


def reliability_curve(
    confidences: ArrayLike,
    right: ArrayLike,
    clusters: Names | None = None,
    *,
    binning: Binning = "equal mass",
    count: int = BINS,
    alpha: float = 0.05,
) -> list[ReliabilityPoint]:
    """The points of a reliability diagram (DeGroot & Fienberg 1983, The Statistician 32:12-22), by rising confidence.

    A bin whose labels are all of one cluster has the interval 0 to 1: they say nothing of other clusters.

    Raises:
        UserError: no labels, different lengths, a confidence outside 0 to 1, or a single cluster.
    """
    check_alpha(alpha)
    reported, correct = _predictions(confidences, right)
    if clusters is not None:
        Clusters.named(clusters, len(reported))
    numbers = bin_numbers(reported, binning, count)
    found = []
    for number, each in zip(np.unique(numbers), bins(reported, correct, binning, count), strict=True):
        share = share_inside(correct, np.flatnonzero(numbers == number), clusters, alpha)
        found.append(ReliabilityPoint(each, share))
    return found


def _groups(clusters: Names | None, labels: int) -> Clusters:
    if labels < 2:
        raise UserError("one label has no interval", hint="use at least two")
    return Clusters.named(clusters, labels)


def _predictions(confidences: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    reported, correct = floats(confidences, "confidences"), outcomes(right, "right")
    same_length(confidences=reported, right=correct)
    if not ((reported >= 0) & (reported <= 1)).all():
        raise UserError("confidences must be from 0 to 1")
    return reported, correct
