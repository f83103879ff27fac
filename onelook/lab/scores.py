"""How right the answers are, beside the truth, and how much their confidence is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from onelook.lab.reliability import calibration_error
from onelook.result import TagResult
from onelook.types import Answer

MOST_CONFIDENT = 0.8


@dataclass(frozen=True, slots=True)
class Answered:
    """One picture: what it shows, and what was said of it."""

    name: str
    truth: Answer
    result: TagResult

    @property
    def answer(self) -> Answer | None:
        """What the result says, in ids; None where it has no category."""
        if self.result.category is None:
            return None
        details = {attribute: tuple(tag.id for tag in tags) for attribute, tags in self.result.details.items()}
        return Answer(category=self.result.category.id, details=details)

    @property
    def category_right(self) -> bool:
        return self.result.category is not None and self.result.category.id == self.truth.category

    @property
    def record_right(self) -> bool:
        """Category and every attribute."""
        return self.answer == self.truth

    def attribute_right(self, attribute: str) -> bool:
        """An attribute of the true category; wrong wherever the category is."""
        answer = self.answer
        return (
            self.category_right
            and answer is not None
            and answer.details.get(attribute) == self.truth.details[attribute]
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares from 0 to 1.

    `attributes` by "category.attribute", over the pictures of that category; `attribute` is their mean, each weighing
    the same. `ece`: expected calibration error of the category, None where the engine gave no probabilities.
    `category_confident`: category accuracy of the 80 % most confident.
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

    def flat(self) -> dict[str, float]:
        """The headline figures under the names that results are compared by."""
        figures = {
            "category_accuracy": self.category,
            "attribute_accuracy": self.attribute,
            "exact_record": self.exact,
            "ece_category": self.ece,
            "category_accuracy_confident": self.category_confident,
            "seconds_a_picture": self.seconds,
        }
        return {name: value for name, value in figures.items() if value is not None}


def score(answered: Sequence[Answered]) -> Scores:
    """Score the answers to an album, which has at least one picture."""
    by_category: dict[str, list[Answered]] = {}
    for each in answered:
        by_category.setdefault(each.truth.category, []).append(each)
    attributes = {
        f"{category}.{attribute}": fmean(each.attribute_right(attribute) for each in members)
        for category, members in by_category.items()
        for attribute in members[0].truth.details
    }
    sure = [
        (each.result.category.confidence, each.category_right)
        for each in answered
        if each.result.category is not None and each.result.category.confidence is not None
    ]
    sure.sort(reverse=True)
    confident = sure[: round(MOST_CONFIDENT * len(sure))]
    return Scores(
        pictures=len(answered),
        category=fmean(each.category_right for each in answered),
        attribute=fmean(attributes.values()) if attributes else 1.0,
        exact=fmean(each.record_right for each in answered),
        ece=calibration_error(sure) if sure else None,
        category_confident=fmean(right for _, right in confident) if confident else None,
        seconds=median(each.result.ledger.wall_ms or 0.0 for each in answered) / 1000,
        categories={id_: fmean(each.category_right for each in members) for id_, members in by_category.items()},
        exact_by_category={id_: fmean(each.record_right for each in members) for id_, members in by_category.items()},
        attributes=attributes,
    )


def agreement(one: Sequence[Answered], other: Sequence[Answered]) -> float:
    """Share of pictures of which two runs over the same album say the same labels."""
    return fmean(a.answer == b.answer for a, b in zip(one, other, strict=True))
