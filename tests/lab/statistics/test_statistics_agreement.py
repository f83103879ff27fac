"""Agreement of two arms without labels: published values, and statsmodels beside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa as other_kappa

from onelook.errors import UserError
from onelook.lab.statistics.agreement import agreement, cohens_kappa
from onelook.lab.statistics.interval import Caveat

ANSWERS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=60)


def table(counts: list[list[int]]) -> tuple[list[int], list[int]]:
    """Answers of reference and candidate with these counts."""
    cells = [(row, column) for row, each in enumerate(counts) for column, _ in enumerate(each)]
    pairs = [(row, column) for row, column in cells for _ in range(counts[row][column])]
    return [one for one, _ in pairs], [other for _, other in pairs]


def test_kappa_gives_the_published_value() -> None:
    """The example of `ci.kappa` in the R package statpsych (Bonett): 31, 12, 4, 58. Its interval is 0.532 to 0.820,
    estimate +- 1.96 standard errors; that of the share of disagreements reaches further down and less up."""
    found = cohens_kappa(*table([[31, 12], [4, 58]]))

    assert found.estimate == pytest.approx(0.6756757, abs=5e-8)
    assert 0.49 < found.low < 0.532
    assert 0.78 < found.high < 0.820


def test_kappa_of_many_pictures_has_the_interval_of_statsmodels() -> None:
    counts = [[3100, 1200, 100], [400, 5800, 300], [200, 100, 900]]
    other = other_kappa(counts)

    found = cohens_kappa(*table(counts))

    assert found.estimate == pytest.approx(other.kappa)
    assert (found.low, found.high) == pytest.approx((other.kappa_low, other.kappa_upp), abs=2e-4)


@given(ANSWERS)
def test_kappa_is_the_one_of_statsmodels_and_lies_in_its_interval(pairs: list[tuple[str, str]]) -> None:
    one, other = [each for each, _ in pairs], [each for _, each in pairs]
    counts = np.array([[sum(pair == (row, column) for pair in pairs) for column in "abc"] for row in "abc"])

    found = cohens_kappa(one, other)

    if len({*one, *other}) > 1:
        assert found.estimate == pytest.approx(max(-1.0, other_kappa(counts, return_results=False)))
    assert -1 <= found.low <= found.estimate <= found.high <= 1


@given(ANSWERS, st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_side_of_an_arm_matters(pairs: list[tuple[str, str]], random: object) -> None:
    shuffled = sorted(pairs)
    one, other = [each for each, _ in pairs], [each for _, each in pairs]

    found = cohens_kappa(one, other)

    for same in (
        cohens_kappa(other, one),
        cohens_kappa([each for each, _ in shuffled], [each for _, each in shuffled]),
    ):
        assert (same.estimate, same.low, same.high) == pytest.approx((found.estimate, found.low, found.high))


def test_arms_that_never_disagree_still_have_an_interval() -> None:
    found = cohens_kappa(["a", "b"] * 25, ["a", "b"] * 25)

    assert found.estimate == found.high == 1
    assert 0.8 < found.low < 0.9
    assert Caveat.NO_VARIATION in found.caveats


def test_kappa_of_one_and_the_same_answer_is_not_known() -> None:
    found = cohens_kappa(["a"] * 9, ["a"] * 9)

    assert (found.low, found.high) == (-1, 1)
    assert Caveat.NO_VARIATION in found.caveats


def test_an_album_that_disagrees_as_a_whole_counts_once() -> None:
    one = [str(number % 2) for number in range(200)]
    albums = [number // 10 for number in range(200)]
    other = [each if album % 4 else str(1 - int(each)) for each, album in zip(one, albums, strict=True)]

    for measure in (cohens_kappa, agreement):
        alone, together = measure(one, other), measure(one, other, albums)
        assert together.estimate == pytest.approx(alone.estimate)
        assert together.high - together.low > 2 * (alone.high - alone.low)


def test_agreement_is_a_share_of_pictures() -> None:
    found = agreement(["a", "b", None], ["a", "c", None])

    assert found.estimate == pytest.approx(2 / 3)


@pytest.mark.parametrize("measure", [agreement, cohens_kappa])
def test_answers_about_other_pictures_are_refused(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(UserError, match="1 answers of the reference and 2 of the candidate"):
        measure(["a"], ["a", "b"])
    with pytest.raises(UserError, match="0 answers"):
        measure([], [])
    with pytest.raises(UserError, match="in one cluster"):
        measure(["a", "b"], ["a", "b"], ["x", "x"])
