"""Confidences in bins: what reliability diagrams and calibration errors are made of. numpy alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from onelook.lab.statistics.arrays import Floats, Ints

BINS = 15

Prediction = tuple[float, bool]
"""The confidence of a label, and whether the label is right."""

Binning = Literal["equal width", "equal mass"]


@dataclass(frozen=True, slots=True)
class Bin:
    """Labels of similar confidence, from `low` to `high`: their number, mean confidence and share of right ones."""

    low: float
    high: float
    labels: int
    confidence: float
    right: float


def columns(predictions: Iterable[Prediction]) -> tuple[Floats, Floats]:
    """Confidences and outcomes (1.0 where right) of at least one prediction, as arrays."""
    confidences, right = zip(*predictions, strict=True)
    return np.array(confidences, dtype=np.float64), np.array(right, dtype=np.float64)


def bin_numbers(confidences: Floats, binning: Binning, count: int = BINS) -> Ints:
    """The bin of each label, from 0 to `count` - 1.

    Equal width: Guo et al. 2017 (arXiv 1706.04599). Equal mass: bins of equal numbers of labels (Nguyen & O'Connor
    2015, arXiv 1508.05154; less biased, Roelofs et al. 2022, arXiv 2012.08668); equal confidences stay in one bin.
    """
    if binning == "equal width":
        return np.minimum((confidences * count).astype(np.int64), count - 1)
    ordered = np.sort(confidences)
    # A value's place is that of its first occurrence, so that ties are never torn apart.
    places = np.searchsorted(ordered, confidences, side="left")
    return np.asarray(places * count // len(confidences), dtype=np.int64)


def bins(confidences: Floats, right: Floats, binning: Binning = "equal mass", count: int = BINS) -> list[Bin]:
    """The bins that hold labels, by rising confidence: the data of a reliability diagram."""
    numbers = bin_numbers(confidences, binning, count)
    found = []
    for number in np.unique(numbers):
        inside = numbers == number
        members = confidences[inside]
        low, high = (
            (number / count, (number + 1) / count)
            if binning == "equal width"
            else (float(members.min()), float(members.max()))
        )
        found.append(Bin(low, high, int(inside.sum()), float(members.mean()), float(right[inside].mean())))
    return found


def expected_error(confidences: Floats, right: Floats, binning: Binning = "equal width", count: int = BINS) -> float:
    """Expected calibration error: the mean over labels of |share right - mean confidence| of their bin.

    Guo et al. 2017, equation 3.
    """
    gaps = np.bincount(bin_numbers(confidences, binning, count), weights=right - confidences, minlength=count)
    return float(np.abs(gaps).sum() / len(confidences))
