"""How often labels are right, beside how sure they were said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

BINS = 15

Prediction = tuple[float, bool]
"""The confidence of a label, and whether it was right."""


def calibration_error(sure: Iterable[Prediction]) -> float:
    """Expected calibration error over 15 bins of equal width (Guo et al. 2017, arXiv 1706.04599, equation 3).

    `sure`: at least one.
    """
    bins: dict[int, list[Prediction]] = {}
    for confidence, right in sure:
        bins.setdefault(min(int(confidence * BINS), BINS - 1), []).append((confidence, right))
    count = sum(map(len, bins.values()))
    return sum(
        len(members) / count * abs(fmean(right for _, right in members) - fmean(sureness for sureness, _ in members))
        for members in bins.values()
    )


@dataclass(frozen=True, slots=True)
class Group:
    """Labels of about the same confidence: how many, how sure before and after calibration, how often right."""

    labels: int
    said: float
    calibrated: float
    right: float


def groups(before: Sequence[Prediction], after: Sequence[Prediction], *, count: int = 8) -> list[Group]:
    """The labels in order of confidence, in `count` groups of equal size; `after` are the same labels, calibrated.

    Groups of equal size, because most answers of a good model are surer than 0.9: bins of equal width stand empty.
    """
    order = sorted(range(len(before)), key=lambda place: before[place][0])
    found = []
    for number in range(count):
        members = order[number * len(order) // count : (number + 1) * len(order) // count]
        if members:
            found.append(
                Group(
                    labels=len(members),
                    said=fmean(before[place][0] for place in members),
                    calibrated=fmean(after[place][0] for place in members),
                    right=fmean(before[place][1] for place in members),
                )
            )
    return found
