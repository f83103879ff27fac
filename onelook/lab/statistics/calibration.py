"""Calibration of confidences: expected calibration error, Brier score and reliability curve, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Floats, check_alpha, floats, same_length
from onelook.lab.statistics.bootstrap import RESAMPLES, resampled
from onelook.lab.statistics.calibration_bins import BINS, Bin, Binning, bin_numbers, bins, expected_error
from onelook.lab.statistics.clusters import Clusters, Names, cluster_mean
from onelook.lab.statistics.interval import Caveat, Interval
from onelook.lab.statistics.proportions import outcomes, wilson

FEWEST = 200
"""Fewest labels for an interval of the calibration error."""


def calibration_error(
    confidences: ArrayLike,
    right: ArrayLike,
    clusters: Names | None = None,
    *,
    rng: np.random.Generator,
    binning: Binning = "equal mass",
    count: int = BINS,
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
) -> Interval:
    """Expected calibration error with a bootstrap interval.

    The estimate is Guo et al. 2017's, which is above the truth for few labels: noise in a bin counts as error, so a
    perfectly calibrated model has an error above 0. The resamples have this bias twice; the basic bootstrap
    (2 * estimate - quantiles, Davison & Hinkley 1997, section 5.2) takes it off, and the interval can lie below the
    estimate. It ends at 0. The bins are fixed by the data, and so is the truth that is covered. It does not
    hold its level: simulated coverage of a nominal 95 % was 10 to 93 %, also with 1,000 labels. Reports leave it out.

    Raises:
        UserError: no labels, different lengths, a confidence outside 0 to 1, or a single cluster.
    """
    check_alpha(alpha)
    reported, correct = _predictions(confidences, right)
    groups = Clusters.named(clusters, len(reported))
    numbers = bin_numbers(reported, binning, count)
    gaps = np.zeros((len(reported), count))
    gaps[np.arange(len(reported)), numbers] = correct - reported

    def error(times: Floats) -> Floats:
        return np.asarray(np.abs(times @ gaps).sum(axis=1) / times.sum(axis=1), dtype=np.float64)

    draws = resampled(error, groups, rng, resamples)
    estimate = expected_error(reported, correct, binning, count)
    low, high = np.quantile(draws, (alpha / 2, 1 - alpha / 2))
    bounds = max(0.0, 2 * estimate - float(high)), max(0.0, 2 * estimate - float(low))
    caveats = groups.caveats_of(clusters) if clusters is not None else ()
    caveats += (Caveat.FEW_OBSERVATIONS,) if len(reported) < FEWEST else ()
    return Interval(estimate, *bounds, 1 - alpha, f"basic bootstrap, {count} bins of {binning}", caveats)


def brier(confidences: ArrayLike, right: ArrayLike, clusters: Names | None = None, *, alpha: float = 0.05) -> Interval:
    """Mean of (confidence - right)^2, from 0 (best) to 1, with the interval of `cluster_mean`.

    Brier 1950, Monthly Weather Review 78:1-3, for two outcomes.

    Raises:
        UserError: see `calibration_error`.
    """
    reported, correct = _predictions(confidences, right)
    return cluster_mean((reported - correct) ** 2, clusters, alpha=alpha)


@dataclass(frozen=True, slots=True)
class ReliabilityPoint:
    """A bin, and the share of right labels in it with Wilson's interval."""

    bin: Bin
    right: Interval


def reliability_curve(
    confidences: ArrayLike,
    right: ArrayLike,
    *,
    binning: Binning = "equal mass",
    count: int = BINS,
    alpha: float = 0.05,
) -> list[ReliabilityPoint]:
    """The points of a reliability diagram (DeGroot & Fienberg 1983, The Statistician 32:12-22), by rising confidence.

    Raises:
        UserError: see `calibration_error`.
    """
    reported, correct = _predictions(confidences, right)
    found = []
    for each in bins(reported, correct, binning, count):
        hits = round(each.right * each.labels)
        share = wilson(np.arange(each.labels) < hits, alpha=alpha)
        found.append(ReliabilityPoint(each, share))
    return found


def _predictions(confidences: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    reported, correct = floats(confidences, "confidences"), outcomes(right, "right")
    same_length(confidences=reported, right=correct)
    if not ((reported >= 0) & (reported <= 1)).all():
        raise UserError("confidences must be from 0 to 1")
    return reported, correct
