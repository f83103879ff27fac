"""McNemar's test of two arms on the same pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from onelook.lab.statistics.paired_counts import PairedCounts


@dataclass(frozen=True, slots=True)
class McNemar:
    """Two-sided p-values of "both arms are right equally often"."""

    exact: float
    mid_p: float


def mcnemar(counts: PairedCounts) -> McNemar:
    """The exact conditional test of the discordant pairs, and its mid-p variant.

    McNemar 1947, Psychometrika 12:153-157; mid-p by Fagerland, Lydersen & Laake 2013, BMC Medical Research Methodology
    13:91. `exact` is the verdict's: its error never exceeds alpha, at any size. `mid_p` is less conservative and
    usually below alpha too, but not by construction; it is printed beside. Both are 1 without discordant pairs.
    """
    wins, discordant = counts.candidate_only, counts.discordant
    if not discordant:
        return McNemar(1.0, 1.0)
    less = min(wins, discordant - wins)
    exact = min(1.0, 2 * float(stats.binom.cdf(less, discordant, 0.5)))
    if 2 * wins == discordant:
        return McNemar(exact, 1 - float(stats.binom.pmf(less, discordant, 0.5)))
    return McNemar(
        exact, 2 * float(stats.binom.cdf(less, discordant, 0.5)) - float(stats.binom.pmf(less, discordant, 0.5))
    )


def exact_p(
    wins: np.typing.NDArray[np.int64], discordant: np.typing.NDArray[np.int64]
) -> np.typing.NDArray[np.float64]:
    """The exact p-values of many tables at once."""
    less = np.minimum(wins, discordant - wins)
    return np.asarray(np.minimum(1.0, 2 * stats.binom.cdf(less, discordant, 0.5)), dtype=np.float64)
