"""An estimate with its interval, and what a reader must know about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Caveat(StrEnum):
    """Why an interval may be less sure, or wider, than its level says. `text` is the sentence for a reader."""

    FEW_CLUSTERS = "few_clusters"
    NO_VARIATION = "no_variation"
    NO_WIDTH = "no_width"
    FEW_OBSERVATIONS = "few_observations"
    BEYOND_DATA = "beyond_data"

    @property
    def text(self) -> str:
        return TEXTS[self]


TEXTS = {
    Caveat.FEW_CLUSTERS: "there are fewer than 10 clusters: the interval leans on Student's t and is rough",
    Caveat.NO_VARIATION: "every outcome is the same: the interval is from the number of observations alone",
    Caveat.NO_WIDTH: "every value is the same: the interval has no width, and says nothing about other pictures",
    Caveat.FEW_OBSERVATIONS: "there are too few observations for this method: the interval is likely too narrow",
    Caveat.BEYOND_DATA: "there are not enough pictures for this percentile: its interval has no end on one side",
}


@dataclass(frozen=True, slots=True)
class Interval:
    """`estimate`, and `low` to `high` at the confidence `level` (two-sided). `method`: its name in the field."""

    estimate: float
    low: float
    high: float
    level: float
    method: str
    caveats: tuple[Caveat, ...] = ()

    def within(self, least: float, most: float) -> Interval:
        """Cut to what the quantity can be, such as 0 to 1 for a share."""
        estimate, low, high = (min(max(each, least), most) for each in (self.estimate, self.low, self.high))
        return replace(self, estimate=estimate, low=low, high=high)
