"""Latencies of two arms: percentiles with SciPy beside, the ratio of medians, and gains that add up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from onelook.errors import UserError
from onelook.lab.statistics.bootstrap import bootstrap_mean
from onelook.lab.statistics.clusters import cluster_mean
from onelook.lab.statistics.gain import gain_by_part
from onelook.lab.statistics.interval import Caveat
from onelook.lab.statistics.latency import latency_ratio, percentile

LATENCIES = st.lists(st.floats(0.1, 1e5), min_size=2, max_size=60)


@given(LATENCIES, st.sampled_from([0.5, 0.9, 0.95, 0.99]), st.sampled_from([0.05, 0.1]))
def test_percentiles_have_the_interval_of_scipy(values: list[float], share: float, alpha: float) -> None:
    other = stats.quantile_test(values, q=1.0, p=share).confidence_interval(1 - alpha)

    found = percentile(values, share, alpha=alpha)

    # SciPy returns NaN for an end that does not exist.
    assert found.low == (0.0 if math.isnan(other.low) else other.low)
    assert found.high == (math.inf if math.isnan(other.high) else other.high)
    assert found.low <= found.estimate <= found.high
    assert found.estimate == np.quantile(values, share, method="inverted_cdf")


@pytest.mark.parametrize(("share", "fewest"), [(0.5, 6), (0.95, 72), (0.99, 368)])
def test_a_percentile_of_too_few_pictures_has_no_upper_end(share: float, fewest: int) -> None:
    times = np.random.default_rng(0).lognormal(6, 0.5, size=fewest)

    enough, less = percentile(times, share), percentile(times[1:], share)

    assert math.isfinite(enough.high)
    assert Caveat.BEYOND_DATA not in enough.caveats
    assert less.high == math.inf
    assert Caveat.BEYOND_DATA in less.caveats
    assert "not enough pictures for this percentile" in Caveat.BEYOND_DATA.text


def test_a_percentile_of_a_few_slow_albums_is_less_sure() -> None:
    rng = np.random.default_rng(1)
    albums = np.repeat(np.arange(20), 20)
    times = rng.lognormal(6, 0.5, size=20)[albums] * rng.lognormal(0, 0.05, size=400)

    alone, together = percentile(times, 0.5), percentile(times, 0.5, albums.tolist())

    assert together.estimate == alone.estimate
    assert together.high - together.low > 2 * (alone.high - alone.low)


@given(LATENCIES, st.floats(0.1, 10))
def test_an_arm_that_takes_so_many_times_as_long_is_measured_so(values: list[float], factor: float) -> None:
    found = latency_ratio(values, [factor * each for each in values], rng=np.random.default_rng(0), resamples=200)

    assert found.estimate == pytest.approx(math.log(factor), abs=1e-9)
    assert (found.low, found.high) == pytest.approx((math.log(factor), math.log(factor)), abs=1e-9)


def test_the_ratio_of_medians_is_numpys_and_turns_with_the_arms() -> None:
    rng = np.random.default_rng(2)
    before, after = rng.lognormal(6, 0.4, size=61), rng.lognormal(5.8, 0.5, size=61)

    found = latency_ratio(before, after, rng=np.random.default_rng(0))
    turned = latency_ratio(after, before, rng=np.random.default_rng(0))

    assert found.estimate == pytest.approx(np.log(np.median(after) / np.median(before)))
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert found.low < found.estimate < found.high


def test_the_same_seed_gives_the_same_interval() -> None:
    before, after = np.random.default_rng(3).lognormal(6, 0.4, size=(2, 40))

    one, other = (latency_ratio(before, after, rng=np.random.default_rng(9)) for _ in range(2))

    assert one == other


def test_slow_pictures_that_are_slow_in_both_arms_do_not_widen_the_interval() -> None:
    rng = np.random.default_rng(4)
    before = rng.lognormal(6, 1.0, size=100)
    paired = before * rng.lognormal(-0.3, 0.05, size=100)

    same = latency_ratio(before, paired, rng=np.random.default_rng(0))
    shuffled = latency_ratio(before, rng.permutation(paired), rng=np.random.default_rng(0))

    assert same.high - same.low < 0.4 * (shuffled.high - shuffled.low)


def test_a_bootstrap_of_few_clusters_is_nearly_the_t_interval() -> None:
    values = np.random.default_rng(5).normal(size=60)
    names = [number // 5 for number in range(60)]
    by_cluster = stats.ttest_1samp(values.reshape(12, 5).mean(axis=1), 0).confidence_interval(0.95)

    found = bootstrap_mean(values, names, rng=np.random.default_rng(0), resamples=20_000)

    assert (found.low, found.high) == pytest.approx((by_cluster.low, by_cluster.high), abs=0.04)
    plain = stats.bootstrap(
        (values.reshape(12, 5).mean(axis=1),), np.mean, rng=0, n_resamples=20_000, method="percentile"
    ).confidence_interval
    assert found.high - found.low > 1.1 * (plain.high - plain.low)


def test_equal_values_give_no_width_and_say_so() -> None:
    found = bootstrap_mean([0.0] * 30, rng=np.random.default_rng(0), resamples=50)

    assert Caveat.NO_WIDTH in found.caveats
    assert Caveat.NO_WIDTH in cluster_mean([3.0] * 30).caveats
    assert "says nothing about other pictures" in Caveat.NO_WIDTH.text


PARTS = st.dictionaries(st.sampled_from(["prepare", "queue", "decode", "parse"]), st.floats(0.1, 1e3), min_size=1)


@given(st.lists(st.tuples(PARTS, PARTS), min_size=2, max_size=6))
@settings(max_examples=30)
def test_the_gains_of_all_parts_add_up_to_the_gain(pictures: list[tuple[dict[str, float], dict[str, float]]]) -> None:
    before, after = [one for one, _ in pictures], [other for _, other in pictures]

    found = gain_by_part(before, after)

    wall = [np.mean([sum(each.values()) for each in arm]) for arm in (before, after)]
    assert (found.reference, found.candidate) == pytest.approx(tuple(wall))
    assert found.difference == pytest.approx(wall[1] - wall[0], abs=1e-6)
    assert sum(part.difference.estimate for part in found.parts.values()) == pytest.approx(found.difference, abs=1e-6)
    assert 1 + sum(part.relative for part in found.parts.values()) == pytest.approx(found.ratio_of_means)


def test_a_part_that_an_arm_does_not_have_takes_no_time_there() -> None:
    found = gain_by_part([{"parse": 4.0, "decode": 6.0}] * 3, [{"decode": 5.0}] * 3)

    assert found.parts["parse"].candidate == 0
    assert found.parts["parse"].share_of_gain == pytest.approx(0.8)
    assert found.difference == pytest.approx(-5)


@pytest.mark.parametrize(
    ("before", "after", "clusters", "message"),
    [
        ([1.0], [1.0, 2.0], None, "different lengths"),
        ([1.0, 0.0], [1.0, 2.0], None, "reference: 1 latencies are 0 or less"),
        ([1.0, math.nan], [1.0, 2.0], None, "1 of 2 numbers are not finite"),
        ([1.0], [1.0], None, "one picture has no interval"),
        ([], [], None, "at least one number"),
        ([1.0, 2.0], [1.0, 2.0], ["a", "a"], "in one cluster"),
    ],
)
def test_latencies_that_do_not_fit_are_refused(
    before: list[float], after: list[float], clusters: list[str] | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        latency_ratio(before, after, clusters, rng=np.random.default_rng(0))


def test_a_percentile_outside_0_to_1_is_refused() -> None:
    with pytest.raises(UserError, match="share is 95"):
        percentile([1.0], 95)
    with pytest.raises(UserError, match="no part with time"):
        gain_by_part([{}, {}], [{"parse": 1.0}, {}])
    with pytest.raises(UserError, match="1 pictures of the reference and 2"):
        gain_by_part([{}], [{}, {}])
