"""A share of pictures, such as one arm's accuracy, with its interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Floats, Ints, check_alpha, floats
from onelook.lab.statistics.clusters import Clusters, Names, effective_size
from onelook.lab.statistics.interval import Caveat, Interval


def proportion(right: ArrayLike, clusters: Names | None = None, *, alpha: float = 0.05) -> Interval:
    """The share of 1 (or True) in `right`, with Wilson's score interval; with clusters, Korn and Graubard's.

    Wilson 1927, Journal of the American Statistical Association 22:209-212; recommended by Brown, Cai & DasGupta 2001,
    Statistical Science 16:101-133. Korn & Graubard 1998, Survey Methodology 24:193-201, is Clopper-Pearson's interval
    of the effective number of pictures: it is wider than Wilson's, which falls below its level where a few clusters
    hold most of the mistakes.

    Raises:
        UserError: no pictures, values other than 0 and 1, or a single cluster.
    """
    check_alpha(alpha)
    values = outcomes(right, "right")
    groups = Clusters.named(clusters, len(values))
    share = float(values.mean())
    if clusters is None:
        low, high = wilson_bounds(share, len(values), float(stats.norm.ppf(1 - alpha / 2)))
        return Interval(share, low, high, 1 - alpha, "Wilson")
    low, high = korn_graubard_bounds(share, effective_size(values, groups), groups, alpha)
    return Interval(share, low, high, 1 - alpha, "Korn-Graubard", groups.caveats_of(clusters))


def wilson_bounds(share: float, size: float, z: float) -> tuple[float, float]:
    """Wilson's score interval of a share among `size` pictures, which may be a fraction."""
    center = share + z**2 / (2 * size)
    reach = z * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    scale = 1 + z**2 / size
    # The bounds at shares of 0 and 1 are exact, and rounding must not leave them aside.
    low = 0.0 if share == 0 else (center - reach) / scale
    high = 1.0 if share == 1 else (center + reach) / scale
    return float(low), float(high)


def korn_graubard_bounds(share: float, size: float, groups: Clusters, alpha: float) -> tuple[float, float]:
    """Clopper-Pearson's interval of a share among `size` independent pictures, as estimated from clusters.

    `size` is lowered for its own uncertainty, by the squared ratio of Student's quantiles; not at shares of 0 and 1,
    where it is the number of clusters and no estimate.
    """
    pictures = int(groups.sizes.sum())
    if 0 < share < 1:
        known, estimated = stats.t.ppf(1 - alpha / 2, [pictures - 1, groups.degrees_of_freedom])
        size = min(float(pictures), size * float(known / estimated) ** 2)
    hits = share * size
    low = 0.0 if share == 0 else float(stats.beta.ppf(alpha / 2, hits, size - hits + 1))
    high = 1.0 if share == 1 else float(stats.beta.ppf(1 - alpha / 2, hits + 1, size - hits))
    return low, high


def share_inside(values: Floats, inside: Ints, clusters: Names | None, alpha: float) -> Interval:
    """`proportion` of the pictures at the positions `inside`, of which at least one exists.

    Pictures of one cluster alone have the interval 0 to 1: they show nothing about other clusters.
    """
    names = None if clusters is None else [clusters[place] for place in inside]
    if names is not None and len(set(names)) == 1:
        share = float(values[inside].mean())
        return Interval(share, 0.0, 1.0, 1 - alpha, "one cluster", (Caveat.FEW_CLUSTERS,))
    return proportion(values[inside], names, alpha=alpha)


def outcomes(right: ArrayLike, name: str) -> Floats:
    """Outcomes of pictures as 0.0 and 1.0.

    Raises:
        UserError: there are none, or other values.
    """
    values = floats(right, name)
    if not np.isin(values, (0, 1)).all():
        raise UserError(f"{name} must hold True and False (or 1 and 0) only")
    return values
