"""Two arms on the same labelled pictures: counts, difference, test and verdict in one call."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from onelook.lab.statistics.clusters import Names, cluster_t_p
from onelook.lab.statistics.interval import Interval
from onelook.lab.statistics.mcnemar import McNemar, mcnemar
from onelook.lab.statistics.paired_counts import PairedCounts
from onelook.lab.statistics.paired_difference import paired_difference
from onelook.lab.statistics.proportions import outcomes
from onelook.lab.statistics.verdict import Verdict, accuracy_verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """`p_value` is the one behind the verdict: exact McNemar's; with clusters, the larger of it and the t test's.

    The cluster-robust t test respects the clusters, the exact one few discordant pairs: each alone is too bold where
    the other is needed.
    """

    counts: PairedCounts
    difference: Interval
    test: McNemar
    p_value: float
    margin: float
    verdict: Verdict


def compare(
    reference: ArrayLike,
    candidate: ArrayLike,
    clusters: Names | None = None,
    *,
    margin: float,
    alpha: float = 0.05,
) -> Comparison:
    """Compare two arms; both lists hold True where the arm is right, a failed picture is False.

    Several attributes or arms: adjust the `p_value` of each by `holm` and call `accuracy_verdict` with it.

    Raises:
        UserError: see `paired_difference` and `accuracy_verdict`.
    """
    counts = PairedCounts.of(reference, candidate)
    difference = paired_difference(reference, candidate, clusters, alpha=alpha)
    test = mcnemar(counts)
    p_value = (
        test.exact
        if clusters is None
        else max(test.exact, cluster_t_p(outcomes(candidate, "candidate") - outcomes(reference, "reference"), clusters))
    )
    verdict = accuracy_verdict(difference, margin, p_value=p_value)
    return Comparison(counts, difference, test, p_value, margin, verdict)
