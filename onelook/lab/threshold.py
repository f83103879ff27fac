"""Where to draw the line between answers that stand and answers that are looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

from onelook.lab.reliability import Prediction

FEWEST = 20
"""Answers that must stand above a threshold before their accuracy is believed."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold, the share of answers below it, and the accuracy of the others with its 95 % interval (Wilson)."""

    threshold: float
    escalated: float
    accuracy: float
    low: float
    high: float


def lines(sure: Sequence[Prediction]) -> list[OperatingPoint]:
    """Every threshold that parts these answers otherwise than the others, least escalation first.

    Only those with at least 20 answers above them.
    """
    order = sorted(sure, reverse=True)
    found, right = [], 0
    for standing, (confidence, is_right) in enumerate(order, start=1):
        right += is_right
        lower = order[standing][0] if standing < len(order) else None
        if standing < FEWEST or lower == confidence:
            continue
        interval = binomtest(right, standing).proportion_ci(method="wilson")
        found.append(
            OperatingPoint(
                threshold=0.0 if lower is None else (confidence + lower) / 2,
                escalated=1 - standing / len(order),
                accuracy=right / standing,
                low=float(interval.low),
                high=float(interval.high),
            )
        )
    return found[::-1]


def least_escalation(sure: Sequence[Prediction], accuracy: float) -> OperatingPoint | None:
    """The line with the least escalation whose answers are at least so right; None where there is none."""
    return next((line for line in lines(sure) if line.accuracy >= accuracy), None)


def most_accurate(sure: Sequence[Prediction]) -> OperatingPoint | None:
    """The line whose answers are most right, and of such the one with the least escalation."""
    return max(lines(sure), key=lambda line: line.accuracy, default=None)
