"""The four words of a verdict, on the cases of CONSORT's figure of non-inferiority trials."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelook.errors import UserError
from onelook.lab.statistics.interval import Interval
from onelook.lab.statistics.several_arms import cochran_q, holm
from onelook.lab.statistics.verdict import Verdict, accuracy_verdict, combined_verdict, latency_verdict

MARGIN = 0.02
ENDS = st.floats(-0.2, 0.2)


def interval(low: float, high: float) -> Interval:
    return Interval((low + high) / 2, low, high, 0.95, "given")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.05, Verdict.BETTER),
        (-0.01, 0.03, Verdict.NOT_WORSE),
        (-0.015, -0.005, Verdict.NOT_WORSE),
        (-0.05, 0.03, Verdict.NOT_KNOWN),
        (-0.02, 0.03, Verdict.NOT_KNOWN),
        (-0.05, -0.01, Verdict.WORSE),
        (-0.08, -0.03, Verdict.WORSE),
    ],
)
def test_an_interval_and_a_margin_give_a_word(low: float, high: float, verdict: Verdict) -> None:
    """Piaggio et al. 2012, figure 1, cases A to H without those that differ by their estimate only."""
    assert accuracy_verdict(interval(low, high), MARGIN) is verdict


def test_better_and_worse_need_the_test_too() -> None:
    assert accuracy_verdict(interval(0.01, 0.05), MARGIN, p_value=0.08) is Verdict.NOT_WORSE
    assert accuracy_verdict(interval(-0.08, -0.03), MARGIN, p_value=0.08) is Verdict.NOT_KNOWN
    assert accuracy_verdict(interval(0.01, 0.05), MARGIN, p_value=0.05) is Verdict.BETTER


@given(ENDS, ENDS, st.floats(0, 0.1), st.floats(0, 0.1))
def test_a_larger_margin_never_takes_back_that_an_arm_is_not_worse(
    one: float, other: float, margin: float, more: float
) -> None:
    low, high = sorted((one, other))
    acceptable = {Verdict.BETTER, Verdict.NOT_WORSE}

    if accuracy_verdict(interval(low, high), margin) in acceptable:
        assert accuracy_verdict(interval(low, high), margin + more) in acceptable


@given(ENDS, ENDS)
def test_arms_that_change_places_change_better_for_worse(one: float, other: float) -> None:
    low, high = sorted((one, other))
    found, turned = (accuracy_verdict(each, 0.0) for each in (interval(low, high), interval(-high, -low)))

    assert (found is Verdict.BETTER) == (turned is Verdict.WORSE)


def test_less_time_is_better() -> None:
    assert latency_verdict(interval(-0.5, -0.3)) is Verdict.BETTER
    assert latency_verdict(interval(0.3, 0.5)) is Verdict.WORSE
    assert latency_verdict(interval(-0.05, 0.08), margin=0.1) is Verdict.NOT_WORSE
    assert latency_verdict(interval(-0.05, 0.08)) is Verdict.NOT_KNOWN


def test_not_worse_and_faster_needs_both() -> None:
    better, fine, worse, unknown = Verdict.BETTER, Verdict.NOT_WORSE, Verdict.WORSE, Verdict.NOT_KNOWN

    assert combined_verdict(fine, better) is better
    assert combined_verdict(better, fine) is fine
    assert combined_verdict(fine, unknown) is unknown
    assert combined_verdict(unknown, better) is unknown
    for word in Verdict:
        assert combined_verdict(worse, word) is combined_verdict(word, worse) is worse


def test_cochran_q_gives_the_published_value() -> None:
    """The example of `cochrans_q` in mlxtend's user guide: 84, 92 and 92 of 100 right; Q = 7.529, p = 0.023."""
    wrong: tuple[set[int], ...] = (set(range(16)), {*range(6), 20, 21}, {*range(3), 6, 20, 21, 98, 99})

    found = cochran_q([[picture not in each for each in wrong] for picture in range(100)])

    assert found.statistic == pytest.approx(7.529, abs=5e-4)
    assert found.p_value == pytest.approx(0.023, abs=5e-4)


def test_arms_without_a_discordant_picture_are_alike() -> None:
    assert cochran_q([[1, 1, 1], [0, 0, 0]]).p_value == 1


def test_what_is_no_test_is_refused() -> None:
    for right, message in (
        ([[1], [0]], "at least two arms"),
        ([[1, 2]], "True and False"),
        ([[1, float("nan")]], "True and False"),
    ):
        with pytest.raises(UserError, match=message):
            cochran_q(right)
    with pytest.raises(UserError, match="must be between 0 and 1"):
        holm({"kind": float("nan")})
    with pytest.raises(UserError, match="margin is -1"):
        accuracy_verdict(interval(0, 1), -1)
    with pytest.raises(UserError, match="margin is -1"):
        latency_verdict(interval(0, 1), -1)
    with pytest.raises(UserError, match="p_value is 2"):
        accuracy_verdict(interval(0, 1), 0, p_value=2)


def test_no_test_needs_no_correction() -> None:
    assert holm({}) == {}
