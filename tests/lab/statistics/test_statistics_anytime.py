"""Tests that may be looked at after every picture: their false alarms in 10,000 experiments without a difference."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from onelook.errors import UserError
from onelook.lab.statistics.anytime import (
    betting_e_value,
    confidence_sequence,
    log_betting_e_values,
    log_sign_e_value,
    not_worse_e_value,
    sign_e_value,
)
from onelook.lab.statistics.mcnemar import exact_p

RUNS = 10_000
ALPHA = 0.05
CHANCE = 3 * np.sqrt(ALPHA * (1 - ALPHA) / RUNS)
"""Three standard errors of a share of ALPHA in so many runs."""

WINS = st.integers(0, 60)


def test_looking_after_every_picture_raises_no_false_alarms_and_peeking_at_mcnemar_does() -> None:
    rng = np.random.default_rng(0)
    pairs = np.arange(1, 201)
    wins = np.cumsum(rng.random((RUNS, len(pairs))) < 0.5, axis=1)

    anytime = (log_sign_e_value(wins, pairs - wins) >= -np.log(ALPHA)).any(axis=1).mean()
    # Each test once: the p-value depends on two counts only.
    p_of = np.array([[exact_p(np.array(won), np.array(all_)) for won in range(201)] for all_ in (pairs[9::10])])
    peeked = (p_of[np.arange(20)[None, :], wins[:, 9::10]] <= ALPHA).any(axis=1).mean()
    once = (p_of[-1, wins[:, -1]] <= ALPHA).mean()

    assert anytime <= ALPHA + CHANCE
    assert once <= ALPHA + CHANCE
    assert peeked > 0.10  # a look every 10 discordant pairs


def test_looking_after_every_album_raises_no_false_alarms_and_counting_pictures_does() -> None:
    """Albums of 20 pictures that favour one arm or the other, with 10 % discordant pairs."""
    rng = np.random.default_rng(1)
    favours = rng.dirichlet([0.25, 0.25, 4.5], size=(RUNS, 25))
    counts = rng.multinomial(20, favours)
    wins, losses = counts[..., 0], counts[..., 1]

    by_album = (log_betting_e_values((wins - losses) / 20) >= -np.log(ALPHA)).any(axis=1).mean()
    by_picture = (log_sign_e_value(wins.cumsum(axis=1), losses.cumsum(axis=1)) >= -np.log(ALPHA)).any(axis=1).mean()

    assert by_album <= ALPHA + CHANCE
    assert by_picture > 0.10


def test_a_loss_of_the_whole_margin_is_rarely_called_not_worse() -> None:
    rng = np.random.default_rng(2)
    margin, runs, pictures = 0.05, 500, 160
    drawn = rng.choice([1.0, -1.0, 0.0], p=[0.05, 0.10, 0.85], size=(runs, pictures))

    reached = np.mean(
        [
            any(not_worse_e_value(row[:seen], margin).reached(ALPHA) for seen in range(20, pictures + 1, 20))
            for row in drawn
        ]
    )

    assert reached <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / runs)


@pytest.mark.parametrize("pairs", [1, 2, 5, 9])
def test_the_capital_is_a_fair_bet(pairs: int) -> None:
    """Over all equally likely orders of wins and losses, its mean is 1."""
    orders = np.array(list(product([-1.0, 1.0], repeat=pairs)))

    assert np.exp(log_betting_e_values(orders)[:, -1]).mean() == pytest.approx(1)
    assert np.mean([sign_e_value(int((row > 0).sum()), int((row < 0).sum())).value for row in orders]) == (
        pytest.approx(1)
    )


@given(wins=WINS, losses=WINS)
def test_the_sign_e_value_is_the_mixture_of_bets(wins: int, losses: int) -> None:
    """The mean over p from Beta(1/2, 1/2) of (2 p)^wins (2 - 2 p)^losses, by numerical integration over an angle."""
    mean, _ = integrate.quad(
        lambda angle: (2 * np.sin(angle) ** 2) ** wins * (2 * np.cos(angle) ** 2) ** losses, 0, np.pi / 2, limit=200
    )

    assert sign_e_value(wins, losses).value == pytest.approx(2 / np.pi * mean, rel=1e-6)


@given(wins=WINS, losses=WINS)
def test_clusters_of_one_bet_like_discordant_pairs(wins: int, losses: int) -> None:
    differences = [1.0] * wins + [-1.0] * losses + [0.0]

    assert betting_e_value(differences).log == pytest.approx(sign_e_value(wins, losses).log, abs=1e-9)


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=2, max_size=40))
def test_the_order_of_what_was_seen_and_the_names_of_the_arms_do_not_matter(differences: list[float]) -> None:
    found = betting_e_value(differences).log

    assert betting_e_value(differences[::-1]).log == pytest.approx(found, abs=1e-9)
    assert betting_e_value([-each for each in differences]).log == pytest.approx(found, abs=1e-9)


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=2, max_size=40))
@settings(max_examples=25)
def test_a_confidence_sequence_is_what_its_bets_have_not_ruled_out(differences: list[float]) -> None:
    found, other = confidence_sequence(differences), confidence_sequence([-each for each in differences])

    assert -1 <= found.low <= found.estimate <= found.high <= 1
    assert (other.low, other.high) == pytest.approx((-found.high, -found.low), abs=1e-6)
    # A margin at which the one-sided bet reaches 2 / alpha is ruled out, and no other.
    for margin in (0.05, 0.3, 0.7):
        if abs(found.low + margin) > 1e-6:
            assert not_worse_e_value(differences, margin).reached(ALPHA / 2) == (found.low > -margin)


def test_a_clear_difference_is_found_and_a_larger_margin_is_easier() -> None:
    differences = [1.0, 1.0, 0.0, 1.0] * 6

    assert betting_e_value(differences).reached(ALPHA)
    assert betting_e_value(differences).p_value < ALPHA
    assert confidence_sequence(differences).low > 0
    assert not_worse_e_value(differences, 0.2).log > not_worse_e_value(differences, 0.02).log


def test_hopeless_results_have_an_interval_too() -> None:
    assert confidence_sequence([-1.0] * 300).low == -1
    assert confidence_sequence([-1.0] * 999 + [-0.5]).low >= -1
    assert confidence_sequence([0.0] * 50).low < 0 < confidence_sequence([0.0] * 50).high


def test_one_album_repeated_is_one_bet() -> None:
    albums = [number // 10 for number in range(60)]
    differences = [1.0] * 60

    assert betting_e_value(differences, albums).log == pytest.approx(betting_e_value([1.0] * 6).log)


@pytest.mark.parametrize("call", [betting_e_value, confidence_sequence])
def test_differences_that_are_none_are_refused(call: object) -> None:
    assert callable(call)
    for differences, clusters, message in (
        ([], None, "at least one number"),
        ([np.nan, 0.0], None, "1 of 2 numbers are not finite"),
        ([2.0], None, "from -1 to 1"),
        ([1.0, 0.0], ["a", "a"], "in one cluster"),
    ):
        with pytest.raises(UserError, match=message):
            call(differences, clusters)


def test_a_margin_outside_0_to_1_is_refused() -> None:
    with pytest.raises(UserError, match=r"margin is -0\.1"):
        not_worse_e_value([0.0], -0.1)
