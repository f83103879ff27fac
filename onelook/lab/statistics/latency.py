"""Latencies of two arms on the same pictures: the ratio of medians, and percentiles, with intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Floats, check_alpha, floats, same_length, two_or_more
from onelook.lab.statistics.bootstrap import RESAMPLES, expanded_bounds, resampled
from onelook.lab.statistics.clusters import Clusters, Names, effective_size
from onelook.lab.statistics.interval import Caveat, Interval

FEWEST = 20
"""Fewest pictures (or clusters) for a bootstrap of medians."""


def latency_ratio(
    reference: ArrayLike,
    candidate: ArrayLike,
    clusters: Names | None = None,
    *,
    rng: np.random.Generator,
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
) -> Interval:
    """The natural logarithm of median(candidate) / median(reference), with a bootstrap interval.

    `exp` of the estimate and of both ends is the ratio: 0.5 is twice as fast. Pictures (or whole clusters) are drawn
    with both their latencies, so that a picture that is slow in both arms does not widen the interval. Expanded
    percentile bootstrap (see `expanded_bounds`). It is the ratio of the arms' medians, not the median of the pictures'
    ratios.

    Raises:
        UserError: fewer than two pictures, different lengths, a latency of 0 or less, or a single cluster.
    """
    check_alpha(alpha)
    before, after = _latencies(reference, "reference"), _latencies(candidate, "candidate")
    same_length(reference=before, candidate=after)
    two_or_more(before)
    groups = Clusters.named(clusters, len(before))
    median_before, median_after = _weighted_median(before), _weighted_median(after)

    def log_ratio(times: Floats) -> Floats:
        return np.log(median_after(times) / median_before(times))

    everyone = np.ones((1, len(before)))
    low, high = expanded_bounds(resampled(log_ratio, groups, rng, resamples), groups, alpha)
    caveats = groups.caveats_of(clusters) if clusters is not None else ()
    caveats += (Caveat.FEW_OBSERVATIONS,) if groups.count < FEWEST else ()
    caveats += (Caveat.NO_WIDTH,) if low == high else ()
    method = "paired bootstrap" if clusters is None else "paired cluster bootstrap"
    return Interval(float(log_ratio(everyone)[0]), low, high, 1 - alpha, f"{method}, expanded percentile", caveats)


def percentile(latencies: ArrayLike, share: float, clusters: Names | None = None, *, alpha: float = 0.05) -> Interval:
    """A percentile, such as `share` 0.95 for p95, with its distribution-free interval between order statistics.

    Conover 1999, Practical Nonparametric Statistics, section 3.2: the ranks are binomial quantiles, so the confidence
    is at least 1 - alpha at any size. Its limit: where there are too few pictures, an end does not exist and is
    infinite (`Caveat.BEYOND_DATA`); at 95 %, p50 needs 6, p95 needs 72 and p99 needs 368 pictures for its upper end.
    With clusters, Woodruff's interval (1952, JASA 47:635-646): the ranks come from the cluster-robust interval of the
    share below the percentile. The estimate is the smallest latency with at least `share` of all at or below it.

    Raises:
        UserError: no pictures, a latency of 0 or less, `share` not between 0 and 1, or a single cluster.
    """
    check_alpha(alpha)
    if not 0 < share < 1:
        raise UserError(f"share is {share}, and must be between 0 and 1", hint="0.95 is the 95th percentile")
    found = _latencies(latencies, "latencies")
    ordered, count = np.sort(found), len(found)
    estimate = float(ordered[_rank(share * count) - 1])
    caveats: tuple[Caveat, ...] = ()
    size, method = float(count), "order statistics"
    if clusters is not None:
        groups = Clusters.named(clusters, count)
        size, method = effective_size((found <= estimate).astype(np.float64), groups), "Woodruff"
        caveats = groups.caveats_of(clusters)
    low, high = _ranks(share, size, count, alpha)
    bounds = (
        float(ordered[low - 1]) if low >= 1 else 0.0,
        float(ordered[high - 1]) if high <= count else float("inf"),
    )
    if low < 1 or high > count:
        caveats += (Caveat.BEYOND_DATA,)
    return Interval(estimate, *bounds, 1 - alpha, method, caveats)


def _ranks(share: float, size: float, count: int, alpha: float) -> tuple[int, int]:
    """The ranks (from 1) of both ends among `count` latencies that are worth `size` independent ones."""
    whole = max(1, int(size))
    # P(percentile < order statistic r) = P(Binomial(n, share) < r) <= alpha / 2 for the lower end, and so on.
    low = int(stats.binom.ppf(alpha / 2, whole, share))
    if stats.binom.cdf(low - 1, whole, share) > alpha / 2:
        low -= 1
    high = int(stats.binom.ppf(1 - alpha / 2, whole, share)) + 1
    if whole == count:
        return low, high
    below = low / whole * count
    return int(np.floor(below)), (count + 1 if high > whole else int(np.ceil(high / whole * count)))


def _rank(position: float) -> int:
    """The rank of a percentile; a product such as 0.29 * 100 = 28.999999999999996 must not move it."""
    return max(1, int(np.ceil(position - 1e-9)))


def _latencies(values: ArrayLike, name: str) -> Floats:
    found = floats(values, name)
    if (found <= 0).any():
        raise UserError(f"{name}: {int((found <= 0).sum())} latencies are 0 or less: they were not measured")
    return found


class _weighted_median:  # noqa: N801, a function that sorts once
    """The median of values that are repeated as often as each row of weights says."""

    def __init__(self, values: Floats) -> None:
        self.order = np.argsort(values, kind="stable")
        self.ordered = values[self.order]

    def __call__(self, times: Floats) -> Floats:
        reached = np.cumsum(times[:, self.order], axis=1)
        half = reached[:, -1] / 2
        # The mean of the two middle values if their number is even, as in numpy.median.
        lower = (reached < half[:, None]).sum(axis=1)
        upper = (reached <= half[:, None]).sum(axis=1)
        return np.asarray((self.ordered[lower] + self.ordered[upper]) / 2, dtype=np.float64)
