"""More than one comparison: a correction for several tests, and a test of several arms at once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from onelook.errors import UserError

Key = TypeVar("Key", bound=Hashable)


def holm(p_values: Mapping[Key, float]) -> dict[Key, float]:
    """Adjusted p-values, by the same keys: those at or below alpha are shown, with a family-wise error of alpha.

    Holm 1979, Scandinavian Journal of Statistics 6:65-70. Valid under any dependence, so for attributes of the same
    pictures and for several arms against one reference.

    Raises:
        UserError: a p-value outside 0 to 1.
    """
    for key, p_value in p_values.items():
        if not 0 <= p_value <= 1:
            raise UserError(f"the p-value of {key} is {p_value}, and must be between 0 and 1")
    adjusted: dict[Key, float] = {}
    reached = 0.0
    ordered = sorted(p_values.items(), key=lambda item: item[1])
    for place, (key, p_value) in enumerate(ordered):
        reached = max(reached, min(1.0, (len(ordered) - place) * p_value))
        adjusted[key] = reached
    return {key: adjusted[key] for key in p_values}


@dataclass(frozen=True, slots=True)
class CochranQ:
    """The statistic and its p-value; `discordant` pictures are those that not all arms answer alike."""

    statistic: float
    degrees_of_freedom: int
    p_value: float
    discordant: int


def cochran_q(right: ArrayLike) -> CochranQ:
    """Cochran's test of "all arms are right equally often". `right`: [pictures, arms], True where an arm is right.

    Cochran 1950, Biometrika 37:256-266, with the chi-square approximation, which wants about 24 or more as
    `discordant` * arms (Tate & Brown 1970, JASA 65:155-160). Pictures are taken as independent.

    Raises:
        UserError: fewer than two arms, no pictures, or values other than True and False.
    """
    table = np.asarray(right, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2 or not table.size:
        raise UserError(f"right has the shape {table.shape}, and must be [pictures, arms] with at least two arms")
    if not np.isin(table, (0, 1)).all():
        raise UserError("right must hold True and False (or 1 and 0) only")
    arms = table.shape[1]
    per_arm, per_picture = table.sum(axis=0), table.sum(axis=1)
    discordant = int(((per_picture > 0) & (per_picture < arms)).sum())
    if not discordant:
        return CochranQ(0.0, arms - 1, 1.0, 0)
    numerator = (arms - 1) * (arms * (per_arm**2).sum() - per_arm.sum() ** 2)
    statistic = float(numerator / (arms * per_picture.sum() - (per_picture**2).sum()))
    return CochranQ(statistic, arms - 1, float(stats.chi2.sf(statistic, arms - 1)), discordant)
