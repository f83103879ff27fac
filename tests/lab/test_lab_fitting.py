"""Fits on labels whose truth is drawn from known probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onelook.calibration.fits import Curve, RouterFit
from onelook.lab.fitting import fit_curve, fit_softmax_temperature
from onelook.lab.statistics.calibration_bins import Prediction, bins, columns, expected_error
from onelook.lab.threshold import (
    FEWEST,
    choose,
    fewest_right,
    least_escalation,
    most_accurate,
    operating_points,
    proved_point,
)

MANY = 4000


def over_confident(temperature: float, bias: float, seed: int, count: int = MANY) -> list[Prediction]:
    """Labels reported with log-odds that are `temperature` times too large and shifted by `bias`."""
    random = np.random.default_rng(seed)
    true_log_odds = random.normal(1.0, 1.5, count)
    right = random.random(count) < 1 / (1 + np.exp(-true_log_odds))
    reported = 1 / (1 + np.exp(-(true_log_odds - bias) * temperature))
    return list(zip(reported.tolist(), right.tolist(), strict=True))


@given(temperature=st.floats(0.5, 3.0), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_a_known_temperature_is_recovered(temperature: float, seed: int) -> None:
    methods = {method.name: method for method in fit_curve(over_confident(temperature, 0.0, seed))}
    assert methods["temperature"].curve.temperature == pytest.approx(temperature, rel=0.2)
    assert methods["temperature"].curve.bias == 0


@given(temperature=st.floats(1.0, 3.0), bias=st.floats(1.0, 2.0), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_platt_scaling_wins_with_a_bias_and_recovers_both(temperature: float, bias: float, seed: int) -> None:
    best = fit_curve(over_confident(temperature, -bias, seed))[0]
    assert best.name == "Platt"
    assert best.curve.temperature == pytest.approx(temperature, rel=0.25)
    assert best.curve.bias == pytest.approx(-bias, abs=0.35)


def test_calibration_reduces_the_error() -> None:
    predictions = over_confident(3.0, 0.0, 7)
    curve = fit_curve(predictions)[0].curve
    before, after = (
        expected_error(*columns(predictions)),
        expected_error(*columns((curve(reported), right) for reported, right in predictions)),
    )
    assert before > 0.1
    assert after < 0.02


@pytest.mark.parametrize("right", [0, 4, 36, 40])
def test_too_few_wrong_or_right_labels_give_no_fit(right: int) -> None:
    assert fit_curve([(0.7, index < right) for index in range(40)]) == []


@given(
    curve=st.builds(Curve, temperature=st.floats(0.05, 50), bias=st.floats(-10, 10)),
    pair=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_curve_stays_within_probabilities_and_changes_no_order(curve: Curve, pair: tuple[float, float]) -> None:
    low, high = sorted(pair)
    assert 0 <= curve(low) <= curve(high) <= 1


@given(st.floats(1e-5, 1 - 1e-5))
def test_the_default_curve_changes_nothing(confidence: float) -> None:
    assert Curve()(confidence) == pytest.approx(confidence)


def test_a_routers_temperature_is_recovered_and_applied() -> None:
    random = np.random.default_rng(3)
    logits = random.normal(0, 1.5, (MANY, 6))
    weights = np.exp(logits)
    truth = [random.choice(6, p=row) for row in weights / weights.sum(axis=1, keepdims=True)]
    sharp = np.exp(logits * 4)
    reported = (sharp / sharp.sum(axis=1, keepdims=True)).tolist()
    found = fit_softmax_temperature(reported, truth)
    assert found == pytest.approx(4, rel=0.1)
    fit = RouterFit(model="m", texts="t", pictures=MANY, temperature=4.0)
    assert fit.rescaled(reported[0], 1.0) == pytest.approx((weights[0] / weights[0].sum()).tolist())
    assert fit.rescaled(reported[0], 4.0) == pytest.approx(reported[0])


ANSWERS = st.lists(
    st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.8, 0.9, 0.97, 1.0]), st.booleans()), min_size=FEWEST, max_size=80
)


@given(predictions=ANSWERS, accuracy=st.floats(0.3, 1.0))
def test_the_threshold_reaches_the_accuracy_and_none_reaches_it_with_less_escalation(
    predictions: list[Prediction], accuracy: float
) -> None:
    def kept_above(threshold: float) -> list[bool]:
        return [right for confidence, right in predictions if confidence >= threshold]

    point = least_escalation(predictions, accuracy)
    enough = [
        threshold
        for threshold in (0.0, 0.2, 0.4, 0.6, 0.85, 0.95, 0.99)
        if len(kept := kept_above(threshold)) >= FEWEST and sum(kept) / len(kept) >= accuracy
    ]
    if point is None:
        assert not enough
        return
    kept = kept_above(point.threshold)
    assert sum(kept) / len(kept) == pytest.approx(point.accuracy)
    assert point.accuracy >= accuracy
    assert point.low <= point.accuracy <= point.high
    assert 1 - len(kept) / len(predictions) == pytest.approx(point.escalated)
    assert len(kept) == max(len(kept_above(threshold)) for threshold in enough)


def test_a_few_right_answers_are_not_enough_for_a_threshold() -> None:
    predictions = [(0.9, True)] * (FEWEST - 1) + [(0.5, False)] * 40
    assert least_escalation(predictions, 0.9) is None
    best = most_accurate(predictions)
    assert best is not None
    assert best.accuracy == pytest.approx(19 / 59)
    assert operating_points(predictions[: FEWEST - 1]) == []


@given(ANSWERS)
def test_bins_hold_every_label_once(predictions: list[Prediction]) -> None:
    parts = bins(*columns(predictions), count=8)
    assert sum(part.labels for part in parts) == len(predictions)
    assert [part.confidence for part in parts] == pytest.approx(sorted(part.confidence for part in parts))


def test_a_threshold_is_proved_by_many_right_answers_only() -> None:
    confidences = [1 - number / 1000 for number in range(200)]
    right = [number < 150 for number in range(200)]
    predictions = list(zip(confidences, right, strict=True))
    assert fewest_right(0.98) == 149  # 0.98^149 = 0.0493
    assert proved_point(predictions[:148], 0.98) is None
    point = proved_point(predictions, 0.98)
    assert point is not None
    assert (round(point.coverage * 200), point.risk) == (150, 0)
    few = choose("details", predictions[:30], 0.98)
    assert (few.threshold, few.supported) == (0, None)


def test_a_proof_is_wrong_as_rarely_as_it_says() -> None:
    """Confidences that say nothing, accuracy just below the wanted one: at most 5 % of the albums prove it."""
    rng = np.random.default_rng(0)
    albums = [list(zip(rng.random(300).tolist(), (rng.random(300) < 0.949).tolist(), strict=True)) for _ in range(400)]
    wrong = sum(proved_point(album, 0.95) is not None for album in albums)
    assert wrong / len(albums) <= 0.05 + 2 * (0.05 * 0.95 / len(albums)) ** 0.5
