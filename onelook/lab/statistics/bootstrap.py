"""The bootstrap of whole clusters: percentile and BCa intervals of any statistic of weighted pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onelook.lab.statistics.arrays import Floats, check_alpha, floats
from onelook.lab.statistics.clusters import Clusters, Names
from onelook.lab.statistics.interval import Caveat, Interval

RESAMPLES = 2000
CHUNK = 4_000_000
"""Weights drawn at once: what bounds the memory."""

Statistic = Callable[[Floats], Floats]
"""From weights [resamples, pictures], how often each picture was drawn, to the statistic of each resample."""


def resampled(statistic: Statistic, clusters: Clusters, rng: np.random.Generator, resamples: int = RESAMPLES) -> Floats:
    """The statistic of `resamples` draws of whole clusters with replacement.

    Efron & Tibshirani 1993, An Introduction to the Bootstrap; clusters by Field & Welsh 2007, JRSS B 69:369-390.
    """
    pictures, count = len(clusters.of), clusters.count
    at_once = max(1, CHUNK // pictures)
    found = []
    for first in range(0, resamples, at_once):
        draws = min(at_once, resamples - first)
        drawn = rng.integers(count, size=(draws, count)) + count * np.arange(draws)[:, None]
        times = np.bincount(drawn.ravel(), minlength=draws * count).reshape(draws, count)
        found.append(statistic(times[:, clusters.of].astype(np.float64)))
    return np.concatenate(found)


def left_out(statistic: Statistic, clusters: Clusters) -> Floats:
    """The statistic without each cluster in turn (jackknife)."""
    return np.concatenate(
        [statistic((clusters.of != number).astype(np.float64)[None, :]) for number in range(clusters.count)]
    )


def percentile_bounds(draws: Floats, alpha: float) -> tuple[float, float]:
    low, high = np.quantile(draws, (alpha / 2, 1 - alpha / 2))
    return float(low), float(high)


def bca_bounds(estimate: float, draws: Floats, jackknife: Floats, alpha: float) -> tuple[float, float]:
    """Bias-corrected and accelerated bounds (Efron 1987, JASA 82:171-185); percentile bounds if they are undefined."""
    below = (np.mean(draws < estimate) + np.mean(draws <= estimate)) / 2
    spread = jackknife.mean() - jackknife
    if not 0 < below < 1 or not (spread**2).sum():
        return percentile_bounds(draws, alpha)
    bias = stats.norm.ppf(below)
    acceleration = (spread**3).sum() / (6 * (spread**2).sum() ** 1.5)
    tail = bias + stats.norm.ppf([alpha / 2, 1 - alpha / 2])
    low, high = np.quantile(draws, stats.norm.cdf(bias + tail / (1 - acceleration * tail)))
    return float(low), float(high)


def bootstrap_mean(
    values: ArrayLike,
    clusters: Names | None = None,
    *,
    rng: np.random.Generator,
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
    bca: bool = True,
) -> Interval:
    """The mean over pictures with a bootstrap interval, for instance of `candidate - reference`: the paired difference.

    Too narrow with fewer than about 40 clusters (`Caveat.FEW_OBSERVATIONS`), BCa a little less than percentile; and of
    no width where all values are equal. `paired_difference` and `cluster_mean` hold their level there.

    Raises:
        UserError: no pictures, or a single cluster.
    """
    check_alpha(alpha)
    found = floats(values, "values")
    groups = Clusters.named(clusters, len(found))
    sums, sizes = groups.sums(found), groups.sizes
    per_cluster = Clusters.named(None, groups.count)

    def mean(times: Floats) -> Floats:
        return np.asarray((times @ sums) / (times @ sizes), dtype=np.float64)

    draws = resampled(mean, per_cluster, rng, resamples)
    estimate = float(found.mean())
    if bca:
        jackknife = (sums.sum() - sums) / (len(found) - sizes)
        low, high = bca_bounds(estimate, draws, jackknife, alpha)
    else:
        low, high = percentile_bounds(draws, alpha)
    caveats = groups.caveats_of(clusters) if clusters is not None else ()
    caveats += (Caveat.FEW_OBSERVATIONS,) if groups.count < FEWEST else ()
    caveats += (Caveat.NO_VARIATION,) if low == high else ()
    unit = "bootstrap" if clusters is None else "cluster bootstrap"
    return Interval(estimate, low, high, 1 - alpha, f"{unit}, {'BCa' if bca else 'percentile'}", caveats)


FEWEST = 40
"""Fewest clusters (or pictures, without clusters) for a bootstrap interval near its level."""
