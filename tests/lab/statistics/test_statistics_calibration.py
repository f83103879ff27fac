"""Whether confidences are true: errors and areas beside their definitions, and intervals that hold their level."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from onelook.errors import UserError
from onelook.lab.statistics.calibration import brier, calibration_error, reliability_curve
from onelook.lab.statistics.calibration_bins import bin_numbers, bins, columns, expected_error
from onelook.lab.statistics.interval import Caveat
from onelook.lab.statistics.risk_coverage import aurc, coverage_at, risk_coverage

CONFIDENCES = st.sampled_from([0.0, 0.2, 0.5, 0.5001, 0.8, 0.95, 1.0])
PREDICTIONS = st.lists(st.tuples(CONFIDENCES, st.booleans()), min_size=2, max_size=50)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    """Two bins of ten: 0.95 with 0.6 right in 5 labels, 0.15 with 0 right in 2: (5 * 0.35 + 2 * 0.15) / 7."""
    confidences = np.array([0.95] * 5 + [0.15] * 2)
    right = np.array([1.0, 1, 1, 0, 0, 0, 0])

    for binning in ("equal width", "equal mass"):
        assert expected_error(confidences, right, binning, 10) == pytest.approx((5 * 0.35 + 2 * 0.15) / 7)


@given(PREDICTIONS, st.sampled_from(["equal width", "equal mass"]), st.integers(1, 20))
@settings(max_examples=60)
def test_estimate_and_bins_agree_and_the_interval_holds_the_estimate(
    predictions: list[tuple[float, bool]], binning: str, count: int
) -> None:
    confidences, right = columns(predictions)
    parts = bins(confidences, right, binning, count)  # type: ignore[arg-type]

    found = calibration_error(confidences, right, rng=rng(), binning=binning, count=count)  # type: ignore[arg-type]

    gaps = sum(part.labels * abs(part.right - part.confidence) for part in parts) / len(right)
    assert found.estimate == pytest.approx(gaps, abs=1e-9)
    assert 0 <= found.low <= found.estimate <= found.high <= 1


@given(PREDICTIONS, st.integers(1, 20))
def test_equal_confidences_share_a_bin(predictions: list[tuple[float, bool]], count: int) -> None:
    confidences, _ = columns(predictions)
    numbers = bin_numbers(confidences, "equal mass", count)

    assert all(len(set(numbers[confidences == each].tolist())) == 1 for each in confidences)
    assert ((numbers >= 0) & (numbers < count)).all()


@pytest.mark.parametrize("clusters", [None, [number // 10 for number in range(200)]])
@pytest.mark.parametrize("calibrated", [True, False])
def test_the_interval_of_the_calibration_error_holds_its_level(calibrated: bool, clusters: list[int] | None) -> None:
    """A bootstrap covers an error of 0 in no run at all, because every resample's error is above 0."""
    draws, runs, covered = np.random.default_rng(1), 250, 0
    for _ in range(runs):
        confidences = draws.choice([0.55, 0.65, 0.75, 0.85, 0.95], size=200)
        truth = confidences if calibrated else confidences - 0.12
        right = draws.random(200) < truth
        found = calibration_error(confidences, right, clusters, rng=draws, binning="equal width", count=10)
        covered += found.low <= (0.0 if calibrated else 0.12) <= found.high

    assert covered / runs > 0.95 - 3 * np.sqrt(0.0475 / runs)


def test_a_calibrated_model_may_be_calibrated_and_an_overconfident_one_may_not() -> None:
    draws = np.random.default_rng(2)
    confidences = draws.beta(6, 1.5, size=1000)

    true = calibration_error(confidences, draws.random(1000) < confidences, rng=rng())
    overconfident = calibration_error(confidences, draws.random(1000) < confidences - 0.2, rng=rng())

    assert true.low == 0 < true.estimate
    assert overconfident.low > 0.1


def test_full_confidence_that_was_never_wrong_is_not_certain() -> None:
    found = calibration_error([1.0] * 50, [True] * 50, rng=rng())

    assert found.estimate == found.low == 0
    assert 0.02 < found.high < 0.1


def test_brier_is_the_mean_square_and_of_many_labels_the_t_interval_of_scipy() -> None:
    draws = np.random.default_rng(3)
    confidences = draws.random(8000)
    right = draws.random(8000) < confidences
    squares = (confidences - right) ** 2

    found = brier(confidences, right)

    assert found.estimate == pytest.approx(squares.mean())
    assert (found.low, found.high) == pytest.approx(
        tuple(stats.ttest_1samp(squares, 0).confidence_interval(0.95)), abs=1e-4
    )


def test_brier_of_labels_that_are_all_sure_and_right_is_not_certain() -> None:
    found = brier([1.0] * 50, [True] * 50)

    assert found.estimate == found.low == 0
    assert 0.05 < found.high < 0.1
    assert Caveat.NO_VARIATION in found.caveats


def test_a_reliability_diagram_has_an_interval_a_bin_and_albums_widen_it() -> None:
    draws = np.random.default_rng(4)
    albums = np.repeat(np.arange(10), 20)
    confidences = draws.uniform(0.5, 1, size=200)
    right = (draws.random(10) < 0.75)[albums]

    alone = reliability_curve(confidences, right, count=4)
    together = reliability_curve(confidences, right, albums.tolist(), count=4)

    assert [point.bin.labels for point in alone] == [50] * 4
    for one, other in zip(alone, together, strict=True):
        assert one.right.estimate == one.bin.right == other.right.estimate
        assert other.right.high - other.right.low > 1.2 * (one.right.high - one.right.low)


def test_a_bin_from_one_album_shows_nothing_of_others() -> None:
    points = reliability_curve([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], ["a", "a", "b", "b"], count=2)

    assert [(point.right.low, point.right.high) for point in points] == [(0, 1)] * 2
    assert Caveat.FEW_CLUSTERS in points[0].right.caveats


def by_definition(confidences: list[float], right: list[bool]) -> float:
    """The mean over all orders of falling confidence of the mean risk over all coverages."""
    orders = [
        order
        for order in permutations(range(len(right)))
        if all(confidences[one] >= confidences[other] for one, other in pairwise(order))
    ]
    areas = [
        np.mean([np.mean([not right[place] for place in order[: kept + 1]]) for kept in range(len(right))])
        for order in orders
    ]
    return float(np.mean(areas))


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.6, 0.9]), st.booleans()), min_size=1, max_size=6))
@settings(max_examples=40)
def test_the_area_is_the_mean_over_the_orders_of_equal_confidences(predictions: list[tuple[float, bool]]) -> None:
    confidences, right = [each for each, _ in predictions], [each for _, each in predictions]

    found = aurc(confidences, right)

    assert found.estimate == pytest.approx(by_definition(confidences, right))
    assert 0 <= found.low <= found.estimate <= found.high <= 1


def test_the_standard_error_of_the_area_is_the_jackknifes() -> None:
    draws = np.random.default_rng(5)
    confidences = draws.beta(6, 1.5, size=400).round(2)
    right = draws.random(400) < confidences
    without = [aurc(np.delete(confidences, place), np.delete(right, place)).estimate for place in range(400)]
    jackknife = np.sqrt(399 * np.var(without))

    found = aurc(confidences, right)

    reach = (np.log(found.high / (1 - found.high)) - np.log(found.low / (1 - found.low))) / 2
    error = reach * found.estimate * (1 - found.estimate) / stats.t.ppf(0.975, 399)
    assert error == pytest.approx(jackknife, rel=0.03)


def test_confidence_that_ranks_well_has_a_smaller_area_and_chance_has_the_risk() -> None:
    right = [True] * 80 + [False] * 20

    well = aurc(np.linspace(1, 0, 100), right)
    badly = aurc(np.linspace(0, 1, 100), right)
    chance = aurc([0.5] * 100, right)

    assert well.high < chance.low < chance.estimate == pytest.approx(0.2)
    assert badly.low > chance.high


def test_albums_that_are_all_alike_still_have_an_interval() -> None:
    found = aurc([0.9, 0.1] * 10, [True, False] * 10, [number // 2 for number in range(20)])

    assert found.low < found.estimate < found.high


def test_answers_that_are_all_right_may_still_have_a_risk() -> None:
    found = aurc([0.9] * 50, [True] * 50)

    assert found.estimate == found.low == 0
    assert 0.05 < found.high < 0.1
    assert Caveat.NO_VARIATION in found.caveats


@given(PREDICTIONS)
def test_the_curve_ends_at_all_answers_and_their_risk(predictions: list[tuple[float, bool]]) -> None:
    confidences, right = [each for each, _ in predictions], [each for _, each in predictions]

    points = risk_coverage(confidences, right)

    assert [point.coverage for point in points] == sorted({point.coverage for point in points})
    assert points[-1].coverage == 1
    assert points[-1].risk == pytest.approx(1 - np.mean(right))


@given(PREDICTIONS, st.integers(0, 100).map(lambda percent: percent / 100))
@settings(max_examples=50)
def test_the_kept_share_is_the_largest_with_the_accuracy(
    predictions: list[tuple[float, bool]], accuracy: float
) -> None:
    confidences, right = columns(predictions)
    shares = {
        threshold: (right[confidences >= threshold].mean(), (confidences >= threshold).mean())
        for threshold in confidences
    }
    enough = [coverage for reached, coverage in shares.values() if reached >= accuracy - 1e-9]

    found = coverage_at(confidences, right, accuracy)

    assert (found is None) == (not enough)
    if found is not None:
        assert found.coverage == pytest.approx(max(enough))
        assert found.accuracy.estimate == pytest.approx(shares[found.threshold][0])
        assert found.accuracy.low <= found.accuracy.estimate <= found.accuracy.high


def test_albums_widen_the_interval_of_what_is_kept() -> None:
    draws = np.random.default_rng(6)
    albums = np.repeat(np.arange(20), 10)
    right = (draws.random(20) < 0.8)[albums]

    alone = coverage_at(draws.random(200), right, 0.5)
    together = coverage_at(draws.random(200), right, 0.5, albums.tolist())

    assert alone is not None
    assert together is not None
    assert together.accuracy.high - together.accuracy.low > 1.5 * (alone.accuracy.high - alone.accuracy.low)


def test_predictions_that_are_none_are_refused() -> None:
    for confidences, right, clusters, message in (
        ([], [], None, "at least one number"),
        ([0.5], [True, False], None, "different lengths"),
        ([1.5, 0.5], [True, False], None, "from 0 to 1"),
        ([np.nan, 0.5], [True, False], None, "not finite"),
        ([0.5, 0.5], [2, 0], None, "True and False"),
        ([0.5, 0.5], [True, False], ["a", "a"], "in one cluster"),
    ):
        with pytest.raises(UserError, match=message):
            calibration_error(confidences, right, clusters, rng=rng())
        with pytest.raises(UserError, match=message):
            reliability_curve(confidences, right, clusters)
    with pytest.raises(UserError, match="one label has no interval"):
        calibration_error([0.5], [True], rng=rng())
    with pytest.raises(UserError, match="accuracy is 98"):
        coverage_at([0.5], [True], 98)
    with pytest.raises(UserError, match="in one cluster"):
        aurc([0.5, 0.6], [True, False], ["a", "a"])
