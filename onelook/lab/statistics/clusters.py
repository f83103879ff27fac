"""Pictures in clusters (albums, folders, days): the mean with a cluster-robust interval, and the effective size."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Floats, Ints, check_alpha, floats, two_or_more
from onelook.lab.statistics.interval import Caveat, Interval

FEW = 10
"""Below this number of clusters an interval carries `Caveat.FEW_CLUSTERS`."""

Names = Sequence[Hashable]


@dataclass(frozen=True, slots=True)
class Clusters:
    """The cluster of each picture as a number from 0, and the pictures in each cluster."""

    of: Ints
    sizes: Ints

    @classmethod
    def named(cls, names: Names | None, pictures: int) -> Clusters:
        """From one name a picture; None: every picture is a cluster of its own.

        Raises:
            UserError: the number of names is not the number of pictures, or there is a single cluster.
        """
        if names is None:
            return cls(np.arange(pictures), np.ones(pictures, dtype=np.int64))
        if len(names) != pictures:
            raise UserError(f"{len(names)} cluster names for {pictures} pictures: every picture needs one")
        numbers: dict[Hashable, int] = {}
        of = np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
        if len(numbers) < 2:
            raise UserError(
                f"all {pictures} pictures are in one cluster: nothing can be learned about other clusters",
                hint="use pictures from several clusters, or a finer cluster key, or none",
            )
        return cls(of, np.bincount(of))

    @property
    def count(self) -> int:
        return len(self.sizes)

    def caveats_of(self, names: Names | None) -> tuple[Caveat, ...]:
        """What an interval over these must carry; `names` as given, None for pictures without clusters."""
        if self.count >= FEW:
            return ()
        return (Caveat.FEW_OBSERVATIONS,) if names is None else (Caveat.FEW_CLUSTERS,)

    def sums(self, values: Floats) -> Floats:
        return np.bincount(self.of, weights=values, minlength=self.count).astype(np.float64, copy=False)

    def variance_of_mean(self, values: Floats) -> float:
        """Variance of the mean over pictures, robust to dependence within clusters.

        CR2: each cluster's residual is divided by sqrt(1 - share of pictures), which removes the bias that a few
        large clusters cause (Bell & McCaffrey 2002, Survey Methodology 28:169-181, for a mean). Clusters of one
        give the usual s^2 / n.
        """
        residuals = self.sums(values - values.mean()) / np.sqrt(1 - self.sizes / len(values))
        return float((residuals**2).sum() / len(values) ** 2)

    @property
    def degrees_of_freedom(self) -> float:
        """Satterthwaite degrees of freedom of `variance_of_mean`.

        For independent pictures, as in Bell & McCaffrey 2002: (trace A)^2 / trace A^2. Clusters of equal size give
        their number minus 1; unequal ones fewer.
        """
        sizes, total = self.sizes.astype(np.float64), float(self.sizes.sum())
        # Residuals of clusters g and h covary by -n_g n_h / N; each is divided by sqrt(1 - n / N).
        shared = sizes**2 / (total - sizes)
        return float(total**2 / ((sizes**2).sum() + shared.sum() ** 2 - (shared**2).sum()))


def cluster_mean(values: ArrayLike, clusters: Names | None = None, *, alpha: float = 0.05) -> Interval:
    """The mean over pictures with a cluster-robust Student's t interval.

    CR2 standard error and Satterthwaite degrees of freedom (Bell & McCaffrey 2002; Cameron & Miller 2015, Journal of
    Human Resources 50:317-372, section VI). Without clusters it is the ordinary t interval. If all values are equal it
    has no width (`Caveat.NO_WIDTH`); of outcomes that are bounded, `proportion`, `paired_difference` and
    `bounded_interval` know better.

    Raises:
        UserError: fewer than two pictures, or a single cluster.
    """
    check_alpha(alpha)
    found = floats(values, "values")
    two_or_more(found)
    grouped = Clusters.named(clusters, len(found))
    error = np.sqrt(grouped.variance_of_mean(found))
    reach = stats.t.ppf(1 - alpha / 2, grouped.degrees_of_freedom) * error
    mean = float(found.mean())
    caveats = grouped.caveats_of(clusters)
    caveats += (Caveat.NO_WIDTH,) if error == 0 else ()
    method = "Student t" if clusters is None else "cluster-robust t (CR2)"
    return Interval(mean, mean - float(reach), mean + float(reach), 1 - alpha, method, caveats)


def cluster_t_p(values: ArrayLike, clusters: Names | None = None) -> float:
    """Two-sided p-value of "the mean is 0", by the t statistic of `cluster_mean`; 1 if all values are 0."""
    found = floats(values, "values")
    groups = Clusters.named(clusters, len(found))
    error = np.sqrt(groups.variance_of_mean(found))
    if error == 0:
        return 0.0 if found.any() else 1.0
    return float(2 * stats.t.sf(abs(found.mean()) / error, groups.degrees_of_freedom))


def effective_size(values: Floats, clusters: Clusters) -> float:
    """The number of independent pictures that would estimate the mean as well as these do.

    Pictures / design effect (Kish 1965, Survey Sampling, section 8.2), with a design effect of at least 1. If all
    values are equal, nothing is known about the resemblance within clusters: each cluster then counts as one picture.
    """
    independent = float(values.var(ddof=1)) / len(values)
    if independent == 0:
        return float(clusters.count)
    return len(values) / max(1.0, clusters.variance_of_mean(values) / independent)


def quantile(alpha: float, clusters: Names | None, groups: Clusters) -> float:
    """Two-sided critical value: normal for independent pictures, Student's t by the number of clusters otherwise."""
    if clusters is None:
        return float(stats.norm.ppf(1 - alpha / 2))
    return float(stats.t.ppf(1 - alpha / 2, groups.degrees_of_freedom))
