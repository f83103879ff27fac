"""Where a gain of time comes from: mean differences by part, which add up to the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Floats
from onelook.lab.statistics.clusters import Names, cluster_mean
from onelook.lab.statistics.interval import Interval


@dataclass(frozen=True, slots=True)
class PartGain:
    """A part of the run, such as `analyze.engine.decode`: its mean time in both arms and their difference.

    `share_of_gain`: its difference / the whole difference, None if the whole is 0. `relative`: its difference / the
    reference's mean of the whole run.
    """

    reference: float
    candidate: float
    difference: Interval
    share_of_gain: float | None
    relative: float


@dataclass(frozen=True, slots=True)
class Gain:
    """All parts, and the whole as their sum."""

    parts: Mapping[str, PartGain]
    reference: float
    candidate: float
    difference: float

    @property
    def ratio_of_means(self) -> float:
        return self.candidate / self.reference


def gain_by_part(
    reference: Sequence[Mapping[str, float]],
    candidate: Sequence[Mapping[str, float]],
    clusters: Names | None = None,
    *,
    alpha: float = 0.05,
) -> Gain:
    """Split the mean difference candidate - reference by parts; one mapping a picture, as `Ledger.parts()` gives.

    A part that an arm or a picture does not have counts as 0. Means add up (linearity of expectation), medians do not:
    the whole is the sum of the parts' means. The ratio follows: candidate / reference of means = 1 + the sum of
    `relative`. The ratio of medians of `latency_ratio` is another figure and has no such split. Intervals as in
    `cluster_mean`, over the pictures' own differences.

    Raises:
        UserError: fewer than two pictures, different lengths, or no part with time in the reference.
    """
    if len(reference) != len(candidate):
        raise UserError(f"{len(reference)} pictures of the reference and {len(candidate)} of the candidate")
    names = list(dict.fromkeys(name for picture in (*reference, *candidate) for name in picture))
    before = {name: _column(reference, name) for name in names}
    after = {name: _column(candidate, name) for name in names}
    total_before, total_after = fsum(map(_mean, before.values())), fsum(map(_mean, after.values()))
    if total_before <= 0:
        raise UserError("the reference has no part with time: nothing can be compared")
    found = {name: cluster_mean(after[name] - before[name], clusters, alpha=alpha) for name in names}
    whole = fsum(each.estimate for each in found.values())
    parts = {
        name: PartGain(
            reference=_mean(before[name]),
            candidate=_mean(after[name]),
            difference=difference,
            share_of_gain=difference.estimate / whole if whole else None,
            relative=difference.estimate / total_before,
        )
        for name, difference in found.items()
    }
    return Gain(parts, total_before, total_after, whole)


def _column(pictures: Sequence[Mapping[str, float]], name: str) -> Floats:
    return np.array([picture.get(name, 0.0) for picture in pictures], dtype=np.float64)


def _mean(values: Floats) -> float:
    return float(values.mean())
