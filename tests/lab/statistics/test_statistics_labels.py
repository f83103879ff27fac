"""Estimates from a few labels: unbiased whatever the predictions, narrower where they are good."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize_scalar

from onelook.errors import UserError
from onelook.lab.statistics.interval import Caveat
from onelook.lab.statistics.label_next import assisted_mean, disagreement_weights, draw, inclusion_probabilities
from onelook.lab.statistics.prediction_powered import best_weight, prediction_powered_mean

WEIGHTS = st.lists(st.floats(0, 10), min_size=4, max_size=40)


def test_a_prediction_powered_mean_is_the_published_formula() -> None:
    """Angelopoulos et al. 2023: mean of the predictions of all others + mean of the labelled errors; its variance is
    the sum of both means' variances."""
    rng = np.random.default_rng(0)
    truth, guess, others = rng.random(4000), rng.random(4000), rng.random(9000)
    estimate = others.mean() + (truth - guess).mean()
    error = np.sqrt((truth - guess).var(ddof=1) / 4000 + others.var(ddof=1) / 9000)

    found = prediction_powered_mean(truth, guess, others, least=0, weight=1)

    assert found.estimate == pytest.approx(estimate)
    # Many labels: the score interval is the normal one.
    assert (found.low, found.high) == pytest.approx((estimate - 1.96 * error, estimate + 1.96 * error), abs=2e-4)


def test_the_weight_is_the_one_of_least_variance() -> None:
    rng = np.random.default_rng(1)
    guess, others = rng.random(500), rng.random(2000)
    truth = (rng.random(500) < 0.3 + 0.5 * guess).astype(float)
    spread = np.concatenate([guess, others]).var(ddof=1)

    def variance(weight: float) -> float:
        both = truth.var(ddof=1) + weight**2 * spread - 2 * weight * float(np.cov(truth, guess)[0, 1])
        return float(both / 500 + weight**2 * spread / 2000)

    other = minimize_scalar(variance, bounds=(0, 1), method="bounded").x

    assert best_weight(truth, guess, others) == pytest.approx(other, abs=1e-4)


def test_good_predictions_narrow_the_interval_and_bad_ones_do_not_widen_it() -> None:
    rng = np.random.default_rng(2)
    chance = rng.beta(1, 0.4, size=2000)
    right = (rng.random(2000) < chance).astype(float)
    noise = rng.random(2000)

    alone = prediction_powered_mean(right[:100], chance[:100], chance[100:], least=0, weight=0)
    good = prediction_powered_mean(right[:100], chance[:100], chance[100:], least=0)
    bad = prediction_powered_mean(right[:100], noise[:100], noise[100:], least=0)

    width = alone.high - alone.low
    assert good.high - good.low < 0.9 * width
    assert bad.high - bad.low < 1.05 * width


def test_labels_alone_are_wilsons_interval_with_students_quantile() -> None:
    right = [1.0] * 36 + [0.0] * 4
    found = prediction_powered_mean(right, [0.5] * 40, [0.5] * 10, least=0)
    z = stats.t.ppf(0.975, 39)
    size = 39  # of the unbiased variance
    center, reach = 0.9 + z**2 / (2 * size), z * np.sqrt(0.09 / size + z**2 / (4 * size**2))

    assert found.low == pytest.approx((center - reach) / (1 + z**2 / size))
    assert found.high == pytest.approx((center + reach) / (1 + z**2 / size))


@pytest.mark.parametrize(("least", "value"), [(0, 1.0), (0, 0.0), (-1, 0.0)])
def test_labels_that_are_all_equal_still_have_an_interval(least: int, value: float) -> None:
    found = prediction_powered_mean([value] * 50, [0.5] * 50, [0.5] * 10, least=least)  # type: ignore[arg-type]

    assert least <= found.low <= value <= found.high <= 1
    assert found.high - found.low > 0.05
    assert Caveat.NO_VARIATION in found.caveats


@given(weights=WEIGHTS, data=st.data())
def test_probabilities_sum_to_the_labels_and_follow_the_weights(weights: list[float], data: st.DataObject) -> None:
    labels = data.draw(st.integers(1, len(weights)))

    found = inclusion_probabilities(weights, labels)

    assert found.sum() == pytest.approx(labels)
    assert ((found > 0) & (found <= 1)).all()
    heavier = np.subtract.outer(weights, weights) > 0
    assert (np.subtract.outer(found, found)[heavier] >= -1e-9).all()


@given(weights=WEIGHTS, seed=st.integers(0, 2**32 - 1), data=st.data())
@settings(max_examples=50)
def test_so_many_pictures_are_drawn_as_wanted(weights: list[float], seed: int, data: st.DataObject) -> None:
    labels = data.draw(st.integers(1, len(weights)))

    drawn = draw(inclusion_probabilities(weights, labels), rng=np.random.default_rng(seed))

    assert len(drawn) == len(set(drawn.tolist())) == labels


def test_each_picture_is_drawn_with_its_probability() -> None:
    rng = np.random.default_rng(3)
    chances = inclusion_probabilities([5.0, 1.0, 1.0, 0.0, 3.0, 0.2, 0.2, 2.0], 4)
    runs = 4000
    counted = np.bincount(np.concatenate([draw(chances, rng=rng) for _ in range(runs)]), minlength=8) / runs

    assert counted == pytest.approx(chances, abs=4 * np.sqrt(0.25 / runs))


def test_the_estimate_from_disagreements_is_unbiased_and_holds_its_level() -> None:
    """30 labels from 300 pictures, most of them where the arms disagree."""
    rng = np.random.default_rng(4)
    disagree = rng.random(300) < 0.2
    difference = np.where(disagree, rng.choice([1.0, -1.0, 0.0], p=[0.5, 0.3, 0.2], size=300), 0.0)
    chances = inclusion_probabilities(disagreement_weights(disagree), 30)
    none = np.zeros(300)
    found = []
    for _ in range(600):
        drawn = draw(chances, rng=rng)
        found.append(assisted_mean(difference[drawn], chances[drawn], none[drawn], none, least=-1))

    truth = difference.mean()
    estimates = np.array([each.estimate for each in found])
    assert estimates.mean() == pytest.approx(truth, abs=4 * estimates.std() / np.sqrt(600))
    assert np.mean([each.low <= truth <= each.high for each in found]) > 0.95 - 3 * np.sqrt(0.0475 / 600)
    # The labels go where they say something: a fair sample of 30 has more than twice this error.
    assert estimates.std() < 0.5 * np.sqrt(difference.var() / 30)


def test_all_labelled_is_no_estimate() -> None:
    found = assisted_mean([1.0, 0.0, 1.0], [1.0, 1.0, 1.0], [0.2, 0.2, 0.2], [0.2, 0.2, 0.2], least=0)

    assert found.estimate == found.low == found.high == pytest.approx(2 / 3)


def test_pictures_that_say_more_weigh_more() -> None:
    assert disagreement_weights([True, False]).tolist() == [1, 0]
    assert disagreement_weights([True, False, False], [0.1, 0.5, 0.0]).tolist() == pytest.approx([1, 0.5, 0])


def test_what_is_no_sample_is_refused() -> None:
    for call, message in (
        (lambda: prediction_powered_mean([1], [1], [1], least=0), "one labelled picture"),
        (lambda: prediction_powered_mean([1, 0], [1], [1], least=0), "different lengths"),
        (lambda: prediction_powered_mean([1, -1], [1, 1], [1], least=0), "1 of 2 outcomes are outside 0 to 1"),
        (lambda: prediction_powered_mean([1, 0], [1, float("nan")], [1], least=0), "not finite"),
        (lambda: prediction_powered_mean([1, 0], [1, 1], [], least=0), "at least one number"),
        (lambda: inclusion_probabilities([1, 1], 3), "3 labels from 2 pictures"),
        (lambda: inclusion_probabilities([1, -1], 1), "cannot be negative"),
        (lambda: inclusion_probabilities([1, 1], 1, floor=0), "floor is 0"),
        (lambda: assisted_mean([1, 0], [0.5, 0], [0, 0], [0, 0, 0], least=0), "probabilities must be above 0"),
        (lambda: assisted_mean([1], [0.5], [0], [0, 0], least=0), "one labelled picture"),
    ):
        with pytest.raises(UserError, match=message):
            call()
