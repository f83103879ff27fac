"""A share of pictures, such as one arm's accuracy, with its interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from onelook.errors import UserError
from onelook.lab.statistics.arrays import check_alpha, floats
from onelook.lab.statistics.clusters import Clusters, Names, effective_size, quantile
from onelook.lab.statistics.interval import Interval


def wilson(right: ArrayLike, clusters: Names | None = None, *, alpha: float = 0.05) -> Interval:
    """The share of 1 (or True) in `right` with Wilson's score interval.

    Wilson 1927, Journal of the American Statistical Association 22:209-212; recommended by Brown, Cai & DasGupta 2001,
    Statistical Science 16:101-133. With clusters, the number of pictures is replaced by the effective one and the
    normal quantile by Student's (Korn & Graubard 1998, Survey Methodology 24:193-201; for Wilson, Franco et al. 2019,
    Journal of Survey Statistics and Methodology 7:334-364).

    Raises:
        UserError: no pictures, values other than 0 and 1, or a single cluster.
    """
    check_alpha(alpha)
    values = outcomes(right, "right")
    groups = Clusters.named(clusters, len(values))
    size = float(len(values)) if clusters is None else effective_size(values, groups)
    share = float(values.mean())
    low, high = wilson_bounds(share, size, quantile(alpha, clusters, groups))
    caveats = groups.caveats_of(clusters) if clusters is not None else ()
    return Interval(share, low, high, 1 - alpha, "Wilson" if clusters is None else "Wilson, effective size", caveats)


def wilson_bounds(share: float, size: float, z: float) -> tuple[float, float]:
    """Wilson's score interval of a share among `size` pictures, which may be a fraction."""
    center = share + z**2 / (2 * size)
    reach = z * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    scale = 1 + z**2 / size
    # The bounds at shares of 0 and 1 are exact, and rounding must not leave them aside.
    low = 0.0 if share == 0 else (center - reach) / scale
    high = 1.0 if share == 1 else (center + reach) / scale
    return float(low), float(high)


def outcomes(right: ArrayLike, name: str) -> np.typing.NDArray[np.float64]:
    """Outcomes of pictures as 0.0 and 1.0.

    Raises:
        UserError: there are none, or other values.
    """
    values = floats(right, name)
    if not np.isin(values, (0, 1)).all():
        raise UserError(f"{name} must hold True and False (or 1 and 0) only")
    return values
