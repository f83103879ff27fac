"""Batches of pictures of one size, from small to large as training goes on."""

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

AS_THEY_COME = 1 / 3
"""Share of the batches that are not enlarged."""
UNFLIPPED = ("document", "diagram")  # writing runs one way


@dataclass(frozen=True, slots=True)
class Batch:
    """`images` have one size in pixels, a multiple of 28 each way; `evidence` is where each one's details are."""

    images: list[Image.Image]
    truths: list[Answer]
    evidence: list[list[Evidence]]


class Batches:
    """Draws batches from `pictures`, in which all have about the same shape.

    `times`: how many times as often as the others a category is drawn.
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

    def draw(self, chance: random.Random, size: int, tokens: int, category: str | None = None) -> Batch:
        """At most `size` pictures of `tokens` image tokens, of one category if it is named, slightly changed."""
        members = {
            shape: [index for each in ([category] if category else by_category) for index in by_category.get(each, ())]
            for shape, by_category in self.members.items()
        }
        (shape,) = chance.choices(list(members), [len(each) for each in members.values()])
        columns, rows = grid(shape, tokens)
        return self._shown(
            chance, chance.sample(members[shape], min(size, len(members[shape]))), (columns * SIDE, rows * SIDE)
        )

    def draw_shares(self, chance: random.Random, size: int, shares: Mapping[str, float], most: int, step: int) -> Batch:
        """Pictures of one shape, multiples of `step` pixels each way, of which categories have these shares; what is
        left of 1 is shared by the others.

        Two batches in three are brought to `most` across, as the resolution policy does with small pictures; the third
        holds pictures of about one size, none larger than `most`, and none of them much enlarged.
        """
        usable = {shape: members for shape, members in self.members.items() if shares.keys() & members.keys()}
        (shape,) = chance.choices(list(usable), [sum(map(len, each.values())) for each in usable.values()])
        members = usable[shape]
        others = [index for id_, each in members.items() if id_ not in shares for index in each]
        anyone = others or [*chain(*members.values())]
        ids = chance.choices([*shares, None], [*shares.values(), max(0.0, 1 - sum(shares.values()))], k=size)
        candidates = [(members.get(id_) if id_ else None) or anyone for id_ in ids]
        long_edge = most
        if chance.random() < AS_THEY_COME:
            long_edge = min(most, self.long_edges[chance.choice(candidates[0])])
            candidates = [[index for index in each if self._is_about(long_edge, index, most)] for each in candidates]
        chosen = sorted({chance.choice(each) for each in candidates if each})
        width, height = (max(step, round(long_edge * min(1.0, side) / step) * step) for side in (shape, 1 / shape))
        return self._shown(chance, chosen, (width, height))

    def _is_about(self, long_edge: int, index: int, most: int) -> bool:
        """Whether this picture, at most `most` across, can be shown at `long_edge` without much change of its size."""
        return 0.7 <= min(most, self.long_edges[index]) / long_edge <= 1.1

    def draw_squares(self, chance: random.Random, size: int, side: int) -> Batch:
        """`size` pictures of any shape, each pressed into a square of `side` pixels as SigLIP sees it."""
        return self._shown(chance, chance.sample(range(len(self.pictures)), size), (side, side))

    def _shown(self, chance: random.Random, chosen: Sequence[int], size: tuple[int, int]) -> Batch:
        truths = [self.pictures.truth(index) for index in chosen]
        shown = [
            changed(self.pictures.image(index), self.pictures.evidence[index], chance, size, truth)
            for index, truth in zip(chosen, truths, strict=True)
        ]
        return Batch([image for image, _ in shown], truths, [evidence for _, evidence in shown])


SHAPES = (9 / 16, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 16 / 9)
"""Width by height of what the album draws."""


def changed(
    image: Image.Image, evidence: Sequence[Evidence], chance: random.Random, size: tuple[int, int], truth: Answer
) -> tuple[Image.Image, list[Evidence]]:
    """The picture at `size`, mirrored, shifted and toned a little, so that no two epochs are the same, and where its
    evidence is then."""
    mirrored = chance.random() < 0.5 and truth.category not in UNFLIPPED
    if mirrored:
        image = ImageOps.mirror(image)
    left, top, right, bottom = (chance.uniform(0, 0.03) for _ in range(4))
    box = left * image.width, top * image.height, (1 - right) * image.width, (1 - bottom) * image.height
    image = image.resize(size, Image.Resampling.BICUBIC, box=box)
    if chance.random() < 0.5:
        image = ImageEnhance.Brightness(image).enhance(chance.uniform(0.85, 1.15))
    if chance.random() < 0.3:
        image = ImageEnhance.Color(image).enhance(chance.uniform(0.7, 1.3))
    wide, high = 1 - left - right, 1 - top - bottom

    def moved(each: Evidence) -> Evidence:
        x0, y0, x1, y1 = each.box
        if mirrored:
            x0, x1 = 1 - x1, 1 - x0
        return replace(each, box=((x0 - left) / wide, (y0 - top) / high, (x1 - left) / wide, (y1 - top) / high))

    return image, [moved(each) for each in evidence]
