"""Whether one arm takes less time than another, from a few runs of each in alternating order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import comb
from statistics import median

from onelook.api.responses import TimeRatio
from onelook.graph.arms import ArmName
from onelook.result import TagResult

ALPHA = 0.05
"""The probability that an interval of a comparison misses, for all of its arms together."""


def walls_ms(results: Sequence[TagResult]) -> list[float]:
    """The wall times of the runs that did not fail, in milliseconds."""
    return [run.ledger.wall_ms for run in results if run.status != "failed" and run.ledger.wall_ms is not None]


def typical(results: Sequence[TagResult]) -> TagResult:
    """The run with the median wall time (the shorter of two) among those that did not fail; a failed one if all did."""
    answered = [run for run in results if run.status != "failed"] or results
    return sorted(answered, key=lambda run: run.ledger.wall_ms or 0.0)[(len(answered) - 1) // 2]


def time_ratios(walls: Mapping[ArmName, Sequence[float]], rounds: int) -> Iterator[TimeRatio]:
    """The time of each arm over that of the first one. `walls`: an arm's wall times by round, in milliseconds.

    An arm that failed in a round has no ratio.
    """
    (reference, reference_ms), *others = walls.items()
    rank = _rank(rounds, ALPHA / max(1, len(others)))
    for arm, arm_ms in others:
        if not len(arm_ms) == len(reference_ms) == rounds:
            continue
        ratios = sorted(one / first for one, first in zip(arm_ms, reference_ms, strict=True))
        low, high = (ratios[rank - 1], ratios[-rank]) if rank else (None, None)
        yield TimeRatio(arm=arm, reference=reference, median=median(ratios), low=low, high=high)


def _rank(count: int, alpha: float) -> int:
    """The largest rank k for which the k-th smallest and the k-th largest of `count` values enclose their median with
    probability 1 - `alpha`, whatever the distribution; 0: they are too few for any.

    Source: the sign test inverted; David and Nagaraja, Order Statistics, 3rd edition, section 7.1.
    """
    missed, rank = 0.0, 0
    while rank < count / 2 and (missed := missed + 2 * comb(count, rank) / 2**count) <= alpha:
        rank += 1
    return rank
