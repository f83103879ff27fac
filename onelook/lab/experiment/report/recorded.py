"""The recorded outcomes of an experiment, found by arm and picture."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from onelook.lab.experiment.design import AGAIN, Caches, Design, DesignPicture
from onelook.lab.experiment.metrics import ATTRIBUTE, is_right
from onelook.lab.experiment.outcomes import Outcome, Runs


@dataclass(frozen=True, slots=True)
class Recorded:
    """`by_key`: each outcome by (caches, picture, arm). Accuracy is that of the design's first pass."""

    design: Design
    runs: Runs
    by_key: dict[tuple[Caches, str, str], Outcome] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_key", {each.key: each for each in self.runs.outcomes})

    @property
    def first(self) -> Caches:
        return self.design.passes[0]

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(arm.name for arm in self.design.arms)

    @property
    def again(self) -> str:
        return self.design.baseline + AGAIN

    @property
    def labelled(self) -> bool:
        return self.design.labels is not None

    @property
    def metrics(self) -> tuple[str, ...]:
        """record, category and every labelled attribute, in the order of the pictures."""
        if not self.labelled:
            return ()
        names = dict.fromkeys(name for each in self.design.pictures if each.truth for name in each.truth.details)
        return ("record", "category", *(ATTRIBUTE + name for name in names))

    def asked(self, *arms: str, caches: Caches | None = None) -> list[DesignPicture]:
        """The pictures of which each of `arms` has an outcome, in the order of the design."""
        way = caches or self.first
        return [each for each in self.design.pictures if all((way, each.name, arm) in self.by_key for arm in arms)]

    def outcome(self, picture: DesignPicture, arm: str, caches: Caches | None = None) -> Outcome:
        return self.by_key[caches or self.first, picture.name, arm]

    def right(self, metric: str, *arms: str) -> tuple[list[DesignPicture], list[list[bool]]]:
        """The pictures that the metric knows the truth of, and for each arm whether it is right."""
        pictures: list[DesignPicture] = []
        found: list[list[bool]] = [[] for _ in arms]
        for picture in self.asked(*arms):
            scores = [is_right(self.outcome(picture, arm), picture.truth, metric) for arm in arms]
            if None in scores:
                continue
            pictures.append(picture)
            for column, score in zip(found, scores, strict=True):
                column.append(bool(score))
        return pictures, found

    def clusters(self, pictures: Sequence[DesignPicture]) -> list[str] | None:
        """The clusters of `pictures`; None if they are taken as independent, or are all of one."""
        if self.design.cluster == "none":
            return None
        names = [each.cluster or each.name for each in pictures]
        return names if len(set(names)) > 1 else None

    def rng(self, *what: str) -> np.random.Generator:
        """Random numbers for one figure: the same for the same design, whatever else is computed."""
        return np.random.default_rng([self.design.seed, zlib.crc32(" ".join(what).encode())])
