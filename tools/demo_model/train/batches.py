"""Batches of pictures of one size."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import log

from PIL import Image, ImageEnhance, ImageOps

from onelook.types import Answer
from tools.demo_model.album.evidence import Evidence
from tools.demo_model.train.pictures import Pictures, grid
from tools.demo_model.train.tower import SIDE

UNSCALED_SHARE = 1 / 3
"""Share of the batches that are not enlarged."""
UNFLIPPED = ("document", "diagram")  # mirrored text would be unreadable


@dataclass(frozen=True, slots=True)
class Batch:
    """`images` have one size in pixels, a multiple of 28 each way; `evidence`: boxes of the details of each picture."""

    images: list[Image.Image]
    truths: list[Answer]
    evidence: list[list[Evidence]]


class Batches:
    """Samples batches of pictures of similar shape.

    `times`: sampling weight of a category, relative to the others.
    """

    def __init__(self, pictures: Pictures, times: Mapping[str, int] | None = None) -> None:
        self.pictures = pictures
        self.members: dict[float, dict[str, list[int]]] = {}
        self.long_edges: list[int] = []
        for index in range(len(pictures)):
            width, height = pictures.size(index)
            self.long_edges.append(max(width, height))
            nearest = min(SHAPES, key=lambda shape: abs(log(shape * height / width)))
            category = pictures.truth(index).category
            again = (times or {}).get(category, 1)
            self.members.setdefault(nearest, {}).setdefault(category, []).extend([index] * again)

    def draw(self, rng: random.Random, size: int, tokens: int, category: str | None = None) -> Batch:
        """At most `size` augmented pictures of `tokens` image tokens, of one category if it is given."""
        members = {
            shape: [index for each in ([category] if category else by_category) for index in by_category.get(each, ())]
            for shape, by_category in self.members.items()
        }
        (shape,) = rng.choices(list(members), [len(each) for each in members.values()])
        columns, rows = grid(shape, tokens)
        return self._shown(
            rng, rng.sample(members[shape], min(size, len(members[shape]))), (columns * SIDE, rows * SIDE)
        )

    def draw_shares(self, rng: random.Random, size: int, shares: Mapping[str, float], most: int, step: int) -> Batch:
        """Pictures of one shape, multiples of `step` pixels each way, with these shares of categories; the other
        categories share the rest.

        Two of three batches are scaled to the long edge `most`, as the resolution policy does with small pictures; the
        third has pictures of similar size, at most `most`, with little scaling.
        """
        usable = {shape: members for shape, members in self.members.items() if shares.keys() & members.keys()}
        (shape,) = rng.choices(list(usable), [sum(map(len, each.values())) for each in usable.values()])
        members = usable[shape]
        others = [index for id_, each in members.items() if id_ not in shares for index in each]
        anyone = others or [*chain(*members.values())]
        ids = rng.choices([*shares, None], [*shares.values(), max(0.0, 1 - sum(shares.values()))], k=size)
        candidates = [(members.get(id_) if id_ else None) or anyone for id_ in ids]
        long_edge = most
        if rng.random() < UNSCALED_SHARE:
            long_edge = min(most, self.long_edges[rng.choice(candidates[0])])
            candidates = [[index for index in each if self._is_about(long_edge, index, most)] for each in candidates]
        chosen = sorted({rng.choice(each) for each in candidates if each})
        width, height = (max(step, round(long_edge * min(1.0, side) / step) * step) for side in (shape, 1 / shape))
        return self._shown(rng, chosen, (width, height))

    def _is_about(self, long_edge: int, index: int, most: int) -> bool:
        """Whether this picture, limited to `most`, can be shown at `long_edge` with little scaling."""
        return 0.7 <= min(most, self.long_edges[index]) / long_edge <= 1.1

    def draw_squares(self, rng: random.Random, size: int, side: int) -> Batch:
        """`size` pictures of any shape, each resized to a square of `side` pixels, as SigLIP's processor does."""
        return self._shown(rng, rng.sample(range(len(self.pictures)), size), (side, side))

    def _shown(self, rng: random.Random, chosen: Sequence[int], size: tuple[int, int]) -> Batch:
        truths = [self.pictures.truth(index) for index in chosen]
        shown = [
            augmented(self.pictures.image(index), self.pictures.evidence[index], rng, size, truth)
            for index, truth in zip(chosen, truths, strict=True)
        ]
        return Batch([image for image, _ in shown], truths, [evidence for _, evidence in shown])


SHAPES = (9 / 16, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 16 / 9)
"""Aspect ratios (width by height) of the album's drawings."""


def augmented(
    image: Image.Image, evidence: Sequence[Evidence], rng: random.Random, size: tuple[int, int], truth: Answer
) -> tuple[Image.Image, list[Evidence]]:
    """The picture at `size`, with a random mirror, shift and tone, and its evidence after that."""
    mirrored = rng.random() < 0.5 and truth.category not in UNFLIPPED
    if mirrored:
        image = ImageOps.mirror(image)
    left, top, right, bottom = (rng.uniform(0, 0.03) for _ in range(4))
    box = left * image.width, top * image.height, (1 - right) * image.width, (1 - bottom) * image.height
    image = image.resize(size, Image.Resampling.BICUBIC, box=box)
    if rng.random() < 0.5:
        image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.85, 1.15))
    if rng.random() < 0.3:
        image = ImageEnhance.Color(image).enhance(rng.uniform(0.7, 1.3))
    wide, high = 1 - left - right, 1 - top - bottom

    def moved(each: Evidence) -> Evidence:
        x0, y0, x1, y1 = each.box
        if mirrored:
            x0, x1 = 1 - x1, 1 - x0
        return replace(each, box=((x0 - left) / wide, (y0 - top) / high, (x1 - left) / wide, (y1 - top) / high))

    return image, [moved(each) for each in evidence]
