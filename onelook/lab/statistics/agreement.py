"""Two arms without labels: how often they give the same answer, and how much of that is chance."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from scipy import stats

from onelook.errors import UserError
from onelook.lab.statistics.arrays import check_alpha
from onelook.lab.statistics.clusters import Clusters, Names
from onelook.lab.statistics.interval import Caveat, Interval
from onelook.lab.statistics.proportions import korn_graubard_bounds, proportion, wilson_bounds


def agreement(
    reference: Sequence[Hashable], candidate: Sequence[Hashable], clusters: Names | None = None, *, alpha: float = 0.05
) -> Interval:
    """The share of pictures with equal answers, with the interval of `proportion`.

    Raises:
        UserError: no pictures, different lengths, or a single cluster.
    """
    _check(reference, candidate)
    return proportion([one == other for one, other in zip(reference, candidate, strict=True)], clusters, alpha=alpha)


def cohens_kappa(
    reference: Sequence[Hashable], candidate: Sequence[Hashable], clusters: Names | None = None, *, alpha: float = 0.05
) -> Interval:
    """Agreement beyond chance: (agreement - expected) / (1 - expected), 1 at best, 0 for chance.

    Cohen 1960, Educational and Psychological Measurement 20:37-46. Kappa is 1 - disagreement / expected disagreement.
    The interval is that of a share, `proportion`'s, for the disagreement, with the number of pictures that gives it the
    large-sample variance of kappa (Fleiss, Cohen & Everitt 1969, Psychological Bulletin 72:323-327; with clusters, the
    cluster-robust variance of the same linear form). So it stays below 1, and it exists where the arms never disagree:
    estimate +- 1.96 standard errors has no width there, and falls below its level near 1.

    If both give one and the same answer everywhere, kappa is not defined; 1 is returned, with the interval -1 to 1 and
    `Caveat.NO_VARIATION`.

    Raises:
        UserError: no pictures, different lengths, or a single cluster.
    """
    check_alpha(alpha)
    _check(reference, candidate)
    numbers = {answer: number for number, answer in enumerate(dict.fromkeys([*reference, *candidate]))}
    one, other = np.array([numbers[each] for each in reference]), np.array([numbers[each] for each in candidate])
    groups = Clusters.named(clusters, len(one))
    method = "Fleiss-Cohen-Everitt, Wilson" if clusters is None else "cluster-robust, Korn-Graubard"
    caveats = groups.caveats_of(clusters) if clusters is not None else ()
    if len(numbers) == 1:
        return Interval(1.0, -1.0, 1.0, 1 - alpha, method, (*caveats, Caveat.NO_VARIATION))
    first, second = (np.bincount(each, minlength=len(numbers)) / len(one) for each in (one, other))
    differ = (one != other).astype(np.float64)
    share, expected = float(differ.mean()), float(1 - (first * second).sum())
    # What each picture adds to disagreement / expected disagreement, to first order.
    added = (differ - share) / expected + share * (second[one] + first[other] - 2 * (1 - expected)) / expected**2
    size = float(groups.count)
    if variance := groups.variance_of_mean(added) * expected**2:
        size = share * (1 - share) / variance if share < 1 else size
    else:
        caveats += (Caveat.NO_VARIATION,)
    low, high = (
        wilson_bounds(share, size, float(stats.norm.ppf(1 - alpha / 2)))
        if clusters is None
        else korn_graubard_bounds(share, size, groups, alpha)
    )
    found = Interval(1 - share / expected, 1 - high / expected, 1 - low / expected, 1 - alpha, method, caveats)
    return found.within(-1.0, 1.0)


def _check(reference: Sequence[Hashable], candidate: Sequence[Hashable]) -> None:
    if len(reference) != len(candidate) or not len(reference):
        raise UserError(f"{len(reference)} answers of the reference and {len(candidate)} of the candidate")
