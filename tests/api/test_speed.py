"""Which arm is said to be faster, from a few rounds."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelook.api.speed import time_ratios
from onelook.graph.arms import ArmName

WALLS = st.floats(1.0, 1e6)


@pytest.mark.parametrize("rounds", range(1, 13))
def test_the_interval_misses_the_median_in_five_of_a_hundred_at_most(rounds: int) -> None:
    """Each ratio lies above or below its true median, 1, with equal probability: all patterns are counted."""
    missed = 0
    for signs in product((0.5, 2.0), repeat=rounds):
        (ratio,) = time_ratios({"fused": [1.0] * rounds, "legacy": signs}, rounds)
        if ratio.low is None or ratio.high is None:
            assert rounds < 6
            continue
        missed += not ratio.low <= 1 <= ratio.high
    assert missed / 2**rounds <= 0.05


@pytest.mark.parametrize(("arms", "rounds"), [(2, 6), (3, 7), (4, 7), (5, 8)])
def test_more_arms_need_more_rounds(arms: int, rounds: int) -> None:
    names: tuple[ArmName, ...] = ("fused", "legacy", "reads", "hybrid", "legacy_shared")
    for count, known in ((rounds - 1, False), (rounds, True)):
        ratios = list(time_ratios(dict.fromkeys(names[:arms], [1.0] * count), count))
        assert len(ratios) == arms - 1
        assert all((ratio.low is not None) == known for ratio in ratios)


@given(st.lists(st.tuples(WALLS, WALLS), min_size=6, max_size=20))
def test_the_interval_holds_the_median_and_is_that_of_the_arms_exchanged(
    walls: list[tuple[float, float]],
) -> None:
    one, other = ([float(wall) for wall in column] for column in zip(*walls, strict=True))
    (ratio,) = time_ratios({"fused": one, "legacy": other}, len(walls))
    (inverse,) = time_ratios({"legacy": other, "fused": one}, len(walls))
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low <= ratio.median <= ratio.high
    assert inverse.low == pytest.approx(1 / ratio.high)
    assert inverse.high == pytest.approx(1 / ratio.low)


def test_an_arm_that_failed_in_a_round_has_no_ratio() -> None:
    whole, cut = [1.0] * 6, [1.0] * 5
    assert [each.arm for each in time_ratios({"fused": whole, "legacy": cut, "reads": whole}, 6)] == ["reads"]
    assert not list(time_ratios({"fused": cut, "legacy": whole}, 6))
