"""The figures of an evaluation, on results that are few enough to count by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelook.lab.scores import LabelledResult, agreement, score
from onelook.lab.statistics.calibration_bins import columns, expected_error
from onelook.ledger.model import Ledger
from onelook.result import TagResult
from onelook.types import Answer, Tag, Versions

CAKE = Answer(category="food", details={"kind": ("cake",), "served_in": ("plate",)})
HOUSE = Answer(category="building")


def result_of(answer: Answer | None, confidence: float | None = 0.9) -> TagResult:
    return TagResult(
        status="ok" if answer else "failed",
        category=Tag(id=answer.category, label=answer.category, confidence=confidence) if answer else None,
        details={
            attribute: tuple(Tag(id=option, label=option) for option in options)
            for attribute, options in (answer.details if answer else {}).items()
        },
        arm="fused",
        language="zh",
        model="hand",
        versions=Versions(taxonomy="t", prompts="p"),
        ledger=Ledger(wall_ms=500),
    )


def labelled_result(truth: Answer, answer: Answer | None, confidence: float | None = 0.9) -> LabelledResult:
    return LabelledResult("picture", truth, result_of(answer, confidence))


def test_attributes_are_scored_separately_and_records_as_a_whole() -> None:
    cup = Answer(category="food", details={"kind": ("cake",), "served_in": ("cup",)})

    scores = score([labelled_result(CAKE, CAKE), labelled_result(CAKE, cup), labelled_result(HOUSE, HOUSE)])

    assert scores.category == 1
    assert scores.attributes == {"food.kind": 1, "food.served_in": 0.5}
    assert scores.attribute == 0.75
    assert scores.exact == pytest.approx(2 / 3)


def test_a_wrong_category_and_a_failure_make_every_attribute_wrong() -> None:
    scores = score([labelled_result(CAKE, HOUSE), labelled_result(CAKE, None)])

    assert (scores.category, scores.attribute, scores.exact) == (0, 0, 0)


def test_without_probabilities_there_is_no_calibration() -> None:
    scores = score([labelled_result(HOUSE, HOUSE, confidence=None)])

    assert scores.ece is None
    assert "ece_category" not in scores.flat()


def test_full_confidence_and_half_right_is_an_error_of_one_half() -> None:
    assert expected_error(*columns([(1.0, True), (1.0, False)])) == 0.5


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_calibration_error_is_a_share(predictions: list[tuple[float, bool]]) -> None:
    assert 0 <= expected_error(*columns(predictions)) <= 1


def test_the_most_confident_pictures_have_their_own_score() -> None:
    album = [labelled_result(HOUSE, HOUSE, 0.9)] * 4 + [labelled_result(HOUSE, CAKE, 0.3)]

    scores = score(album)

    assert (scores.category, scores.category_confident) == (0.8, 1.0)


def test_two_runs_agree_on_pictures_with_the_same_labels() -> None:
    one = [labelled_result(CAKE, CAKE), labelled_result(HOUSE, CAKE)]
    other = [labelled_result(CAKE, CAKE), labelled_result(HOUSE, HOUSE)]

    assert agreement(one, other) == 0.5
