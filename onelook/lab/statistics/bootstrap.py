"""The bootstrap of whole clusters, with expanded percentile intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onelook.lab.statistics.arrays import Floats, check_alpha, floats, two_or_more
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


def expanded_bounds(draws: Floats, clusters: Clusters, alpha: float) -> tuple[float, float]:
    """Percentiles of the draws at a smaller alpha, which makes up for what a bootstrap of few clusters lacks.

    Resamples vary less than samples by (n - 1) / n, and their percentiles know nothing of Student's t; Hesterberg 2015,
    The American Statistician 69:371-386, takes the percentiles of the normal distribution that are as far
    out as the t interval's ends. Its degrees of freedom are those of `cluster_mean`.
    """
    count = clusters.count
    reach = np.sqrt(count / (count - 1)) * stats.t.ppf(1 - alpha / 2, clusters.degrees_of_freedom)
    outside = stats.norm.sf(reach)
    low, high = np.quantile(draws, (outside, 1 - outside))
    return float(low), float(high)


def bootstrap_mean(
    values: ArrayLike,
    clusters: Names | None = None,
    *,
    rng: np.random.Generator,
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
) -> Interval:
    """The mean over pictures with a cluster bootstrap interval: of `candidate - reference`, the paired difference.

    A second opinion that assumes no distribution. It has no width where all values are equal (`Caveat.NO_WIDTH`),
    and no skewness is corrected: simulated coverage with 10 to 50 clusters is 93.0 to 94.6 % of a nominal 95 %. Of
    accuracies, `paired_difference` holds its level.

    Raises:
        UserError: fewer than two pictures, or a single cluster.
    """
    check_alpha(alpha)
    found = floats(values, "values")
    two_or_more(found)
    groups = Clusters.named(clusters, len(found))
    sums, sizes = groups.sums(found), groups.sizes

    def mean(times: Floats) -> Floats:
        return np.asarray((times @ sums) / (times @ sizes), dtype=np.float64)

    draws = resampled(mean, Clusters.named(None, groups.count), rng, resamples)
    low, high = expanded_bounds(draws, groups, alpha)
    caveats = groups.caveats_of(clusters)
    caveats += (Caveat.NO_WIDTH,) if low == high else ()
    method = "bootstrap, expanded percentile" if clusters is None else "cluster bootstrap, expanded percentile"
    return Interval(float(found.mean()), low, high, 1 - alpha, method, caveats)
