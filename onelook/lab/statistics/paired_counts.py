"""Two arms on the same pictures, as the four counts of a paired table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from onelook.lab.statistics.arrays import same_length
from onelook.lab.statistics.proportions import outcomes


@dataclass(frozen=True, slots=True)
class PairedCounts:
    """Pictures by which arm is right. The two in the middle are the discordant pairs."""

    both_right: int
    candidate_only: int
    reference_only: int
    both_wrong: int

    @classmethod
    def of(cls, reference: ArrayLike, candidate: ArrayLike) -> PairedCounts:
        """From each picture's outcome in both arms, True where it is right.

        Raises:
            UserError: no pictures, different lengths, or values other than True and False.
        """
        ours, theirs = outcomes(candidate, "candidate"), outcomes(reference, "reference")
        same_length(reference=theirs, candidate=ours)
        table = np.bincount((2 * ours + theirs).astype(np.int64), minlength=4)
        return cls(*(int(table[index]) for index in (3, 2, 1, 0)))

    @property
    def pictures(self) -> int:
        return self.both_right + self.candidate_only + self.reference_only + self.both_wrong

    @property
    def discordant(self) -> int:
        return self.candidate_only + self.reference_only

    @property
    def discordance(self) -> float:
        """Share of discordant pairs."""
        return self.discordant / self.pictures

    @property
    def difference(self) -> float:
        """Accuracy of the candidate minus that of the reference."""
        return (self.candidate_only - self.reference_only) / self.pictures
