"""The interval of a mean of bounded outcomes, from an estimate of it and its variance."""

from __future__ import annotations

from typing import Literal

from scipy import stats

from onelook.errors import UserError
from onelook.lab.statistics.arrays import Floats
from onelook.lab.statistics.interval import Caveat, Interval
from onelook.lab.statistics.proportions import wilson_bounds

FEWEST = 30

Least = Literal[0, -1]
"""The least value that an outcome can have: 0 for right or wrong, -1 for the difference of two arms."""


def bounded_interval(
    estimate: float,
    variance: float,
    labels: int,
    *,
    least: Least,
    alpha: float,
    method: str,
    freedom: float | None = None,
) -> Interval:
    """Wilson's score interval on the outcomes' own scale, from `least` to 1.

    A mean of outcomes from 0 to 1 with this variance is worth share (1 - share) / variance independent pictures, as in
    Korn & Graubard 1998; the quantile is Student's. Estimate +- Student's quantile * standard error, its limit for
    many labels, falls below its level for shares near 0 or 1, and has no width where all labels are equal. `labels`:
    the number of independent ones, so of clusters where there are any, with their degrees of `freedom`.
    """
    width = 1 - least
    share = min(max((estimate - least) / width, 0.0), 1.0)
    spread = variance / width**2
    size = share * (1 - share) / spread if spread and 0 < share < 1 else float(labels)
    low, high = wilson_bounds(share, size, float(stats.t.ppf(1 - alpha / 2, freedom or labels - 1)))
    caveats: tuple[Caveat, ...] = (Caveat.FEW_OBSERVATIONS,) if labels < FEWEST else ()
    caveats += (Caveat.NO_VARIATION,) if not spread else ()
    found, low, high = (least + width * each for each in (share, low, high))
    return Interval(found, low, high, 1 - alpha, method, caveats)


def check_least(values: Floats, least: Least) -> None:
    """Check that no outcome is outside `least` to 1.

    Raises:
        UserError: one is.
    """
    outside = int(((values < least) | (values > 1)).sum())
    if outside:
        raise UserError(
            f"{outside} of {len(values)} outcomes are outside {least} to 1",
            hint="use least=0 for right (1) or wrong (0), least=-1 for candidate - reference",
        )
