"""Reliability of confidences: how often labels are right, by the confidence of the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

BINS = 15

Prediction = tuple[float, bool]
"""The confidence of a label, and whether the label is right."""


def calibration_error(predictions: Iterable[Prediction]) -> float:
    """Expected calibration error over 15 bins of equal width (Guo et al. 2017, arXiv 1706.04599, equation 3).

    `predictions`: at least one.
    """
    bins: dict[int, list[Prediction]] = {}
    for confidence, right in predictions:
        bins.setdefault(min(int(confidence * BINS), BINS - 1), []).append((confidence, right))
    count = sum(map(len, bins.values()))
    return sum(
        len(members)
        / count
        * abs(fmean(right for _, right in members) - fmean(confidence for confidence, _ in members))
        for members in bins.values()
    )


@dataclass(frozen=True, slots=True)
class Group:
    """Labels of similar confidence: their number, mean confidence before and after calibration, share of right ones."""

    labels: int
    reported: float
    calibrated: float
    right: float


def groups(before: Sequence[Prediction], after: Sequence[Prediction], *, count: int = 8) -> list[Group]:
    """The labels by confidence, in `count` groups of equal size. `after`: the same labels, calibrated.

    Groups have equal size, because most confidences of a good model are above 0.9: bins of equal width stay empty.
    """
    order = sorted(range(len(before)), key=lambda index: before[index][0])
    found = []
    for number in range(count):
        members = order[number * len(order) // count : (number + 1) * len(order) // count]
        if members:
            found.append(
                Group(
                    labels=len(members),
                    reported=fmean(before[index][0] for index in members),
                    calibrated=fmean(after[index][0] for index in members),
                    right=fmean(before[index][1] for index in members),
                )
            )
    return found
