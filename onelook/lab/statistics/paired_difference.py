"""The difference of two arms' accuracies on the same pictures, with its interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onelook.lab.statistics.arrays import Floats, check_alpha
from onelook.lab.statistics.clusters import Clusters, Names, effective_size, quantile
from onelook.lab.statistics.interval import Caveat, Interval
from onelook.lab.statistics.paired_counts import PairedCounts
from onelook.lab.statistics.proportions import outcomes, wilson_bounds


def paired_difference(
    reference: ArrayLike, candidate: ArrayLike, clusters: Names | None = None, *, alpha: float = 0.05
) -> Interval:
    """Accuracy of the candidate minus that of the reference, with Bonett-Price's interval.

    With clusters, the number of pictures is replaced by the effective one of the per-picture differences, and the
    normal quantile by Student's, as in `wilson`: pictures without any discordant pair still have an interval, which
    neither a bootstrap nor a plain t interval gives. Simulated coverage of a nominal 95 %: 95 % or more, of the
    cluster bootstrap 93.0 to 94.6 % (docs/statistics.md). Bonett and Price's interval is about as wide as `newcombe`'s,
    is a formula in one line, and takes a fractional number of pictures, which clusters need.

    Raises:
        UserError: no pictures, different lengths, values other than True and False, or a single cluster.
    """
    check_alpha(alpha)
    counts = PairedCounts.of(reference, candidate)
    differences = outcomes(candidate, "candidate") - outcomes(reference, "reference")
    groups = Clusters.named(clusters, len(differences))
    size = float(len(differences)) if clusters is None else effective_size(differences, groups)
    scale = size / counts.pictures
    low, high = bonett_price_bounds(
        counts.candidate_only * scale, counts.reference_only * scale, size, quantile(alpha, clusters, groups)
    )
    caveats = groups.caveats_of(clusters) if clusters is not None else ()
    caveats += (Caveat.NO_VARIATION,) if not counts.discordant else ()
    method = "Bonett-Price" if clusters is None else "Bonett-Price, effective size"
    return Interval(counts.difference, float(low), float(high), 1 - alpha, method, caveats)


def bonett_price_bounds(
    wins: float | Floats, losses: float | Floats, size: float, z: float
) -> tuple[float | Floats, float | Floats]:
    """Wald's interval of the difference after one pair is added to each kind of discordant pairs.

    Bonett & Price 2012, Journal of Educational and Behavioral Statistics 37:479-488. Arrays give many at once.
    """
    better, worse = (wins + 1) / (size + 2), (losses + 1) / (size + 2)
    center = better - worse
    reach = z * np.sqrt((better + worse - center**2) / (size + 2))
    return np.maximum(center - reach, -1.0), np.minimum(center + reach, 1.0)


def newcombe(counts: PairedCounts, *, alpha: float = 0.05) -> Interval:
    """Newcombe's square-and-add interval of the paired difference.

    Newcombe 1998, Statistics in Medicine 17:2635-2650, method 10: Wilson's intervals of both arms, combined with the
    continuity-corrected correlation. For comparison with `paired_difference`; pictures are taken as independent.
    """
    check_alpha(alpha)
    z = float(stats.norm.ppf(1 - alpha / 2))
    n = counts.pictures
    both, ours, theirs, neither = counts.both_right, counts.candidate_only, counts.reference_only, counts.both_wrong
    one, two = (both + ours) / n, (both + theirs) / n
    low_one, high_one = wilson_bounds(one, n, z)
    low_two, high_two = wilson_bounds(two, n, z)
    correlation = 0.0
    if margins := (both + ours) * (theirs + neither) * (both + theirs) * (ours + neither):
        product = both * neither - ours * theirs
        corrected = max(product - n / 2, 0.0) if product > 0 else product
        correlation = corrected / np.sqrt(margins)

    def reach(first: float, second: float) -> float:
        return float(np.sqrt(max(0.0, first**2 - 2 * correlation * first * second + second**2)))

    difference = one - two
    low = difference - reach(one - low_one, high_two - two)
    high = difference + reach(high_one - one, two - low_two)
    return Interval(difference, low, high, 1 - alpha, "Newcombe, square and add")
