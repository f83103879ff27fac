"""Accuracy of one and of several arms: published worked examples, and statsmodels beside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import cochrans_q
from statsmodels.stats.contingency_tables import mcnemar as other_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from onelook.errors import UserError
from onelook.lab.statistics.clusters import Clusters, cluster_mean, cluster_t_p
from onelook.lab.statistics.comparison import compare
from onelook.lab.statistics.interval import Caveat
from onelook.lab.statistics.mcnemar import mcnemar
from onelook.lab.statistics.paired_counts import PairedCounts
from onelook.lab.statistics.paired_difference import newcombe, paired_difference
from onelook.lab.statistics.proportions import proportion
from onelook.lab.statistics.several_arms import cochran_q, holm
from onelook.lab.statistics.verdict import Verdict


def arms(both: int, candidate_only: int, reference_only: int, neither: int) -> tuple[list[bool], list[bool]]:
    """Outcomes of reference and candidate with these counts."""
    pairs = [(True, True)] * both + [(False, True)] * candidate_only
    pairs += [(True, False)] * reference_only + [(False, False)] * neither
    reference, candidate = zip(*pairs, strict=True)
    return list(reference), list(candidate)


COUNTS = st.integers(0, 40)


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(right: int, total: int, low: float, high: float) -> None:
    found = proportion([True] * right + [False] * (total - right))

    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(right=COUNTS, wrong=COUNTS.filter(bool), alpha=st.sampled_from([0.01, 0.05, 0.1]))
def test_wilson_is_the_one_of_statsmodels(right: int, wrong: int, alpha: float) -> None:
    found = proportion([1] * right + [0] * wrong, alpha=alpha)

    assert (found.low, found.high) == pytest.approx(
        proportion_confint(right, right + wrong, alpha=alpha, method="wilson"), abs=1e-12
    )


@given(right=COUNTS, wrong=COUNTS.filter(lambda count: count > 1), alpha=st.sampled_from([0.05, 0.1]))
def test_clusters_of_one_have_the_exact_interval_of_statsmodels(right: int, wrong: int, alpha: float) -> None:
    """Korn and Graubard's interval of clusters that have one picture each is Clopper and Pearson's."""
    found = proportion([1] * right + [0] * wrong, range(right + wrong), alpha=alpha)

    other = proportion_confint(right, right + wrong, alpha=alpha, method="beta")
    assert (found.low, found.high) == pytest.approx(other, abs=1e-9)


def test_the_cluster_robust_error_is_the_one_of_statsmodels() -> None:
    """Of clusters of equal size, where the corrections for few clusters agree."""
    values = np.random.default_rng(7).normal(size=60)
    albums = np.repeat(np.arange(12), 5)
    other = OLS(values, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": albums})

    error = np.sqrt(Clusters.named(albums.tolist(), 60).variance_of_mean(values))

    assert error == pytest.approx(other.bse[0])


def test_mcnemar_gives_the_published_p_values() -> None:
    """Fagerland, Lydersen & Laake 2013, table 1 and 6: airway hyper-responsiveness before and after transplantation."""
    found = mcnemar(PairedCounts(both_right=1, candidate_only=7, reference_only=1, both_wrong=12))

    assert (round(found.exact, 4), round(found.mid_p, 4)) == (0.0703, 0.0391)


@given(wins=COUNTS, losses=COUNTS)
def test_exact_mcnemar_is_the_one_of_statsmodels(wins: int, losses: int) -> None:
    found = mcnemar(PairedCounts(10, wins, losses, 10))

    assert found.exact == pytest.approx(other_mcnemar([[10, wins], [losses, 10]], exact=True).pvalue)
    assert found.mid_p <= found.exact


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17:2635-2650, table III, method 10.
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((54, 0, 0, 0), -0.0664, 0.0664),
    ],
)
def test_newcombe_gives_the_published_intervals(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    found = newcombe(PairedCounts(*counts))

    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


def test_bonett_and_price_give_the_published_interval() -> None:
    """The example of `ci.prop.ps` in the R package statpsych (Bonett), for counts 12, 4, 26, 6."""
    found = paired_difference(*arms(6, 26, 4, 12))

    assert found.low == pytest.approx(0.2548067, abs=5e-8)
    assert found.high == pytest.approx(0.6251933, abs=5e-8)
    assert found.estimate == pytest.approx(22 / 48)


def test_cochran_q_is_the_one_of_statsmodels() -> None:
    rng = np.random.default_rng(3)
    right = rng.random((60, 4)) < [0.7, 0.7, 0.8, 0.9]
    other = cochrans_q(right.astype(int))

    found = cochran_q(right)

    assert found.statistic == pytest.approx(other.statistic)
    assert found.p_value == pytest.approx(other.pvalue)


def test_cochran_q_of_two_arms_is_mcnemar_without_correction() -> None:
    reference, candidate = arms(20, 12, 5, 9)
    other = other_mcnemar([[20, 12], [5, 9]], exact=False, correction=False)

    assert cochran_q(np.column_stack([reference, candidate])).p_value == pytest.approx(other.pvalue)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=30)
def test_holm_is_the_one_of_statsmodels(p_values: list[float]) -> None:
    _, other, *_ = multipletests(p_values, method="holm")

    found = holm(dict(enumerate(p_values)))

    assert list(found.values()) == pytest.approx(list(other))


def test_pictures_of_one_album_count_less_than_independent_ones() -> None:
    rng = np.random.default_rng(5)
    albums = np.repeat(np.arange(20), 10)
    right = (rng.random(20) < 0.7)[albums]  # all of an album right, or all wrong

    alone, together = proportion(right), proportion(right, albums.tolist())

    assert together.high - together.low > 2.5 * (alone.high - alone.low)
    assert together.estimate == alone.estimate


def test_clusters_of_one_are_the_t_interval_of_scipy() -> None:
    values = np.random.default_rng(1).normal(3, 2, size=30)
    other = stats.ttest_1samp(values, 0)

    found = cluster_mean(values)

    assert (found.low, found.high) == pytest.approx(tuple(other.confidence_interval(0.95)))
    assert cluster_t_p(values) == pytest.approx(other.pvalue)


def test_clusters_of_equal_size_are_the_t_interval_of_their_means() -> None:
    means = np.random.default_rng(2).normal(size=12)
    names = np.repeat(np.arange(12), 5)

    found = cluster_mean(means[names], names.tolist())

    assert (found.low, found.high) == pytest.approx(tuple(stats.ttest_1samp(means, 0).confidence_interval(0.95)))
    assert Clusters.named(names.tolist(), 60).degrees_of_freedom == pytest.approx(11)


def test_a_few_large_clusters_have_fewer_degrees_of_freedom() -> None:
    names = [*["large"] * 50, *map(str, range(10))]

    assert Clusters.named(names, 60).degrees_of_freedom < 3


def test_few_clusters_are_mentioned() -> None:
    reference, candidate = arms(10, 4, 2, 8)

    found = paired_difference(reference, candidate, [number % 4 for number in range(24)])

    assert Caveat.FEW_CLUSTERS in found.caveats
    assert "fewer than 10 clusters" in Caveat.FEW_CLUSTERS.text


def test_arms_that_never_differ_still_have_an_interval() -> None:
    found = compare(*arms(40, 0, 0, 10), margin=0.05)

    assert found.difference.low < 0 < found.difference.high
    assert Caveat.NO_VARIATION in found.difference.caveats
    assert found.p_value == 1


def test_a_comparison_holds_counts_test_and_verdict() -> None:
    found = compare(*arms(180, 30, 5, 25), margin=0.02)

    assert found.counts == PairedCounts(180, 30, 5, 25)
    assert found.difference.estimate == pytest.approx(25 / 240)
    assert found.p_value == found.test.exact < 0.001
    assert found.verdict is Verdict.BETTER


def test_what_an_album_shows_once_is_no_evidence_ten_times() -> None:
    """Three albums won and one lost, ten pictures each: overwhelming for independent pictures, nothing for albums."""
    reference, candidate = arms(0, 30, 10, 0)
    albums = [number // 10 for number in range(40)]

    assert compare(reference, candidate, margin=0.02).verdict is Verdict.BETTER
    assert compare(reference, candidate, albums, margin=0.02).verdict is Verdict.NOT_KNOWN


@pytest.mark.parametrize(
    ("reference", "candidate", "clusters", "message"),
    [
        ([True], [True, False], None, "different lengths: reference 1, candidate 2"),
        ([], [], None, "at least one number"),
        ([2, 0], [1, 0], None, "reference must hold True and False"),
        ([np.nan, 0], [1, 0], None, "1 of 2 numbers are not finite"),
        ([True, False], [True, True], ["a"], "1 cluster names for 2 pictures"),
        ([True, False], [True, True], ["a", "a"], "all 2 pictures are in one cluster"),
    ],
)
def test_lists_that_do_not_fit_are_refused(
    reference: list[float], candidate: list[float], clusters: list[str] | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        compare(reference, candidate, clusters, margin=0.02)
