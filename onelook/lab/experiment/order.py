"""The order of the questions: every arm about a picture, in random order, before the next picture."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from onelook.lab.experiment.design import AGAIN, Caches, Design

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: a picture by its index in the design, and an arm. `place`: in its block, from 0."""

    picture: int
    arm: str
    caches: Caches
    place: int


def ask_order(design: Design) -> list[Ask]:
    """All questions of the sequential run, in order; the same design gives the same order.

    Pictures come in random order; with `stop` at anytime, a cluster's pictures come together, the clusters in random
    order. Two arms alternate as AB, BA; the order of each first pair is drawn. More arms are drawn for each picture.
    The second copy of the baseline has a drawn place.
    """
    rng = random.Random(f"onelook experiment {design.seed}")  # noqa: S311 - an order, no secret
    order: list[Ask] = []
    own = [arm.name for arm in design.arms]
    pictures = _pictures(design, rng)
    for caches in design.passes:
        for picture, arms in zip(pictures, _blocks(own, len(pictures), rng, design.order), strict=True):
            if design.aa:
                arms.insert(int(rng.random() * (len(arms) + 1)), design.baseline + AGAIN)
            order += [Ask(picture, arm, caches, place) for place, arm in enumerate(arms)]
    return order


def _pictures(design: Design, rng: random.Random) -> list[int]:
    drawn = shuffled(range(len(design.pictures)), rng)
    clusters = design.clusters
    if design.stop == "fixed" or clusters is None:
        return drawn
    first = {cluster: rank for rank, cluster in reversed([*enumerate(clusters[each] for each in drawn)])}
    return sorted(drawn, key=lambda each: first[clusters[each]])


def _blocks(arms: Sequence[str], count: int, rng: random.Random, order: str) -> Iterator[list[str]]:
    last: list[str] = []
    for number in range(count):
        last = last[::-1] if order == "ABBA" and number % 2 else shuffled(arms, rng)
        yield list(last)


def shuffled(items: Sequence[T], rng: random.Random) -> list[T]:
    """In random order. By `random()` alone: its sequence is the same in every version of Python."""
    keys = [rng.random() for _ in items]
    return [items[index] for index in sorted(range(len(items)), key=keys.__getitem__)]
