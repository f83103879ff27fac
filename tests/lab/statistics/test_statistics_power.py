"""Power before spending: beside every possible result counted out, simulated experiments, and a published size."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onelook.errors import UserError
from onelook.lab.statistics.comparison import compare
from onelook.lab.statistics.paired_counts import PairedCounts
from onelook.lab.statistics.power import (
    detectable_difference,
    detectable_margin,
    from_pilot,
    pictures_needed,
    power,
)
from onelook.lab.statistics.verdict import Verdict


@pytest.mark.parametrize(
    ("difference", "claim", "margin", "wanted"),
    [
        (0.5, "different", 0.0, {Verdict.BETTER}),
        (-0.5, "different", 0.0, {Verdict.WORSE}),
        (0.1, "not worse", 0.3, {Verdict.BETTER, Verdict.NOT_WORSE}),
    ],
)
def test_power_is_the_share_of_all_results_with_the_verdict(
    difference: float, claim: str, margin: float, wanted: set[Verdict]
) -> None:
    pictures, discordance = 14, 0.7
    won, lost = (discordance + difference) / 2, (discordance - difference) / 2
    expected = 0.0
    for wins, losses in product(range(pictures + 1), repeat=2):
        rest = pictures - wins - losses
        if rest < 0:
            continue
        reference = [False] * wins + [True] * losses + [True] * rest
        candidate = [True] * wins + [False] * losses + [True] * rest
        if compare(reference, candidate, margin=margin).verdict in wanted:
            ways = comb(pictures, wins) * comb(pictures - wins, losses)
            expected += ways * won**wins * lost**losses * (1 - discordance) ** rest

    found = power(pictures, discordance, difference, claim=claim, margin=margin)  # type: ignore[arg-type]

    assert found == pytest.approx(expected, abs=1e-6)
    assert 0.02 < found < 0.98


def test_needed_pictures_reach_the_power_and_fewer_do_not() -> None:
    size = pictures_needed(0.1, 0.06)

    assert power(size, 0.1, 0.06) >= 0.8
    assert power(int(size * 0.95), 0.1, 0.06) < 0.8
    # 10 % discordant pairs, 6 points: the approximation of Connor 1987 gives 216, for a test that is not exact.
    assert 216 <= size <= 240


def test_simulated_experiments_of_the_needed_size_find_what_they_should() -> None:
    rng = np.random.default_rng(0)
    size, runs = pictures_needed(0.2, 0.0, claim="not worse", margin=0.08), 600
    counts = rng.multinomial(size, [0.1, 0.1, 0.8], size=runs)

    shown = np.mean(
        [
            compare([0] * won + [1] * (size - won), [1] * won + [0] * lost + [1] * rest, margin=0.08).verdict
            in (Verdict.NOT_WORSE, Verdict.BETTER)
            for won, lost, rest in counts
        ]
    )

    assert shown == pytest.approx(0.8, abs=3 * np.sqrt(0.16 / runs))


def test_240_drawings_cannot_show_less_than_about_six_points() -> None:
    found = detectable_difference(240, 0.1)

    assert found is not None
    assert 0.055 < found < 0.065
    assert power(240, 0.1, found) == pytest.approx(0.8, abs=0.01)


@given(
    pictures=st.integers(30, 300),
    discordance=st.floats(0.05, 0.5),
    share=st.floats(0.2, 0.9),
)
@settings(max_examples=25)
def test_more_pictures_and_larger_margins_show_more(pictures: int, discordance: float, share: float) -> None:
    difference = share * discordance

    # An exact test's power rises in steps and falls a little between them.
    assert power(4 * pictures, discordance, difference) >= power(pictures, discordance, difference) - 1e-9
    narrow, wide = (power(pictures, discordance, 0.0, claim="not worse", margin=margin) for margin in (0.02, 0.08))
    assert narrow <= wide + 1e-12
    assert power(pictures, discordance, difference) == pytest.approx(power(pictures, discordance, -difference))


def test_a_detectable_margin_is_the_one_with_the_power() -> None:
    margin = detectable_margin(240, 0.1)

    assert power(240, 0.1, 0.0, claim="not worse", margin=margin) == pytest.approx(0.8, abs=0.01)


def test_a_pilot_is_planned_with_its_upper_limit() -> None:
    found = from_pilot(PairedCounts(80, 6, 4, 10))

    assert found.discordance == pytest.approx(0.1)
    assert 0.1 < found.upper < 0.14
    assert from_pilot(PairedCounts(800, 60, 40, 100)).upper < found.upper


def test_pictures_that_resemble_each_other_are_worth_less() -> None:
    assert pictures_needed(0.1, 0.06, design_effect=2) == pytest.approx(2 * pictures_needed(0.1, 0.06), abs=1)


def test_what_cannot_be_shown_is_mentioned() -> None:
    assert detectable_difference(5, 0.1) is None
    assert detectable_difference(100, 0.0) is None
    with pytest.raises(UserError, match="cannot be shown"):
        pictures_needed(0.1, 0.0)
    with pytest.raises(UserError, match="cannot be shown"):
        pictures_needed(0.1, -0.03, claim="not worse", margin=0.02)
    with pytest.raises(UserError, match=r"discordance is 0\.1 and difference 0\.2"):
        power(100, 0.1, 0.2)
    with pytest.raises(UserError, match="worth less than one"):
        power(3, 0.1, 0.05, design_effect=10)
    with pytest.raises(UserError, match="10 million"):
        pictures_needed(0.5, 0.0, claim="not worse", margin=1e-5)
