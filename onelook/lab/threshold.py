"""The choice of the confidence threshold below which results are escalated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

from onelook.lab.statistics.calibration_bins import Prediction

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
