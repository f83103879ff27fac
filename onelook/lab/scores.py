"""Scores of results on labelled pictures: accuracy, and calibration of the category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from onelook.lab.statistics.calibration_bins import columns, expected_error
from onelook.result import TagResult
from onelook.types import Answer

MOST_CONFIDENT = 0.8


@dataclass(frozen=True, slots=True)
class LabelledResult:
    """One picture: its true labels and its result."""

    name: str
    truth: Answer
    result: TagResult

    @property
    def answer(self) -> Answer | None:
        """The labels of the result, as ids; None if it has no category."""
        if self.result.category is None:
            return None
        details = {attribute: tuple(tag.id for tag in tags) for attribute, tags in self.result.details.items()}
        return Answer(category=self.result.category.id, details=details)

    @property
    def category_right(self) -> bool:
        return self.result.category is not None and self.result.category.id == self.truth.category

    @property
    def record_right(self) -> bool:
        """Category and every attribute that is labelled."""
        return self.category_right and all(map(self.attribute_right, self.truth.details))

    def attribute_right(self, attribute: str) -> bool:
        """A labelled attribute of the true category; wrong if the category is wrong."""
        answer = self.answer
        return (
            self.category_right
            and answer is not None
            and answer.details.get(attribute) == self.truth.details[attribute]
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares from 0 to 1.

    `attributes`: accuracy by "category.attribute", over the pictures of that category that it is labelled in, whose
    number `labelled` has; `attribute` is their unweighted mean. `ece`: expected calibration error of the category,
    None if the engine returned no probabilities. `category_confident`: category accuracy of the 80 % with the highest
    confidence.
    """

    pictures: int
    category: float
    attribute: float
    exact: float
    ece: float | None
    category_confident: float | None
    seconds: float
    categories: Mapping[str, float] = field(default_factory=dict)
    exact_by_category: Mapping[str, float] = field(default_factory=dict)
    attributes: Mapping[str, float] = field(default_factory=dict)
    labelled: Mapping[str, int] = field(default_factory=dict)

    def flat(self) -> dict[str, float]:
        """The main figures, by their names in JSON output."""
        figures = {
            "category_accuracy": self.category,
            "attribute_accuracy": self.attribute,
            "exact_record": self.exact,
            "ece_category": self.ece,
            "category_accuracy_confident": self.category_confident,
            "seconds_a_picture": self.seconds,
        }
        return {name: value for name, value in figures.items() if value is not None}


def score(results: Sequence[LabelledResult]) -> Scores:
    """The scores of the results of an album with at least one picture."""
    by_category: dict[str, list[LabelledResult]] = {}
    for each in results:
        by_category.setdefault(each.truth.category, []).append(each)
    labelled: dict[str, list[bool]] = {}
    for category, members in by_category.items():
        for each in members:
            for attribute in each.truth.details:
                labelled.setdefault(f"{category}.{attribute}", []).append(each.attribute_right(attribute))
    attributes = {name: fmean(right) for name, right in labelled.items()}
    predictions = [
        (each.result.category.confidence, each.category_right)
        for each in results
        if each.result.category is not None and each.result.category.confidence is not None
    ]
    predictions.sort(reverse=True)
    confident = predictions[: round(MOST_CONFIDENT * len(predictions))]
    return Scores(
        pictures=len(results),
        category=fmean(each.category_right for each in results),
        attribute=fmean(attributes.values()) if attributes else 1.0,
        exact=fmean(each.record_right for each in results),
        ece=expected_error(*columns(predictions)) if predictions else None,
        category_confident=fmean(right for _, right in confident) if confident else None,
        seconds=median(each.result.ledger.wall_ms or 0.0 for each in results) / 1000,
        categories={id_: fmean(each.category_right for each in members) for id_, members in by_category.items()},
        exact_by_category={id_: fmean(each.record_right for each in members) for id_, members in by_category.items()},
        attributes=attributes,
        labelled={name: len(right) for name, right in labelled.items()},
    )


def agreement(one: Sequence[LabelledResult], other: Sequence[LabelledResult]) -> float:
    """Share of pictures with the same labels in two runs over the same album."""
    return fmean(a.answer == b.answer for a, b in zip(one, other, strict=True))
