"""The choice of the confidence threshold below which results are escalated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from scipy.stats import binom, binomtest

from onelook.lab.statistics.calibration_bins import Prediction, columns
from onelook.lab.statistics.interval import Interval
from onelook.lab.statistics.proportions import proportion
from onelook.lab.statistics.risk_coverage import RiskPoint, risk_coverage

FEWEST = 20
"""Least number of answers above a threshold for an estimate of their accuracy."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold, the share of answers below it, and the accuracy of the others with its 95 % interval (Wilson)."""

    threshold: float
    escalated: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """The threshold that reaches a wanted accuracy with the least escalation, by the accuracy as observed.

    `point`: None if there is none; `best` is the nearest. `supported`: the same by a lower limit that holds (95 %)
    although the threshold was chosen on these pictures; None if they are too few for that.
    """

    of: str
    predictions: list[Prediction]
    point: OperatingPoint | None
    best: OperatingPoint | None
    supported: RiskPoint | None

    @property
    def threshold(self) -> float | None:
        return None if self.point is None else self.point.threshold


@dataclass(frozen=True, slots=True)
class Passing:
    """Share of pictures that need review, and of the others the share of right records with its 95 % interval."""

    pictures: int
    reviewed: float
    right: Interval | None

    @classmethod
    def of(cls, pictures: Sequence[tuple[bool, bool]]) -> Self:
        """`pictures`: whether each passes, and whether its record is right."""
        kept = [right for passes, right in pictures if passes]
        return cls(len(pictures), 1 - len(kept) / len(pictures), proportion(kept) if kept else None)


def choose(of: str, predictions: list[Prediction], accuracy: float) -> ThresholdChoice:
    """`of`: what the predictions are of."""
    point = least_escalation(predictions, accuracy)
    supported = proved_point(predictions, accuracy) if predictions and 0 < accuracy < 1 else None
    return ThresholdChoice(of, predictions, point, most_accurate(predictions), supported)


def proved_point(predictions: Sequence[Prediction], accuracy: float, alpha: float = 0.05) -> RiskPoint | None:
    """The point of largest coverage whose accuracy is at least `accuracy` with confidence 1 - alpha; None if so few
    answers prove it nowhere.

    Fixed-sequence testing (Angelopoulos et al. 2021, arXiv 2110.01052; for selective risk Geifman & El-Yaniv 2017,
    arXiv 1705.08500): thresholds are tested from the most confident down, each by an exact binomial test at `alpha`,
    until one fails, so that the choice among them costs nothing.
    """
    found = None
    for point in risk_coverage(*columns(predictions)):
        kept = round(point.coverage * len(predictions))
        if kept < fewest_right(accuracy, alpha):  # not even all right would pass: no test
            continue
        right = kept - round(point.risk * kept)
        if binom.sf(right - 1, kept, accuracy) > alpha:
            break
        found = point
    return found


def fewest_right(accuracy: float, alpha: float = 0.05) -> int:
    """So many answers, all of them right, are the fewest that support this accuracy (0 to 1): accuracy^n <= alpha."""
    return math.ceil(math.log(alpha) / math.log(accuracy))


def operating_points(predictions: Sequence[Prediction]) -> list[OperatingPoint]:
    """Every threshold that splits these answers differently, least escalation first.

    Thresholds with fewer than 20 answers above them are left out.
    """
    order = sorted(predictions, reverse=True)
    found, right = [], 0
    for kept, (confidence, is_right) in enumerate(order, start=1):
        right += is_right
        lower = order[kept][0] if kept < len(order) else None
        if kept < FEWEST or lower == confidence:
            continue
        interval = binomtest(right, kept).proportion_ci(method="wilson")
        found.append(
            OperatingPoint(
                threshold=0.0 if lower is None else (confidence + lower) / 2,
                escalated=1 - kept / len(order),
                accuracy=right / kept,
                low=float(interval.low),
                high=float(interval.high),
            )
        )
    return found[::-1]


def least_escalation(predictions: Sequence[Prediction], accuracy: float) -> OperatingPoint | None:
    """The point of least escalation with at least this accuracy; None if there is none."""
    return next((point for point in operating_points(predictions) if point.accuracy >= accuracy), None)


def most_accurate(predictions: Sequence[Prediction]) -> OperatingPoint | None:
    """The point of highest accuracy; of several, the one with the least escalation."""
    return max(operating_points(predictions), key=lambda point: point.accuracy, default=None)
