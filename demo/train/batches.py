"""Batches of pictures of one size, from small to large as training goes on."""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import log

from PIL import Image, ImageEnhance, ImageOps

from demo.train.pictures import Pictures, grid
from demo.train.tower import SIDE
from graph.schema import Answer

UNFLIPPED = ("document", "diagram")  # writing runs one way


@dataclass(frozen=True, slots=True)
class Batch:
    """`images` have one size in pixels, a multiple of 28 each way."""

    images: list[Image.Image]
    truths: list[Answer]


class Batches:
    """Draws batches from `pictures`, in which all have about the same shape."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self.members: dict[float, dict[str, list[int]]] = {}
        for index in range(len(pictures)):
            aspect = pictures.aspect(index)
            nearest = min(SHAPES, key=lambda shape: abs(log(shape / aspect)))
            self.members.setdefault(nearest, {}).setdefault(pictures.truth(index).category, []).append(index)

    def draw(self, chance: random.Random, size: int, tokens: int, category: str | None = None) -> Batch:
        """At most `size` pictures of `tokens` image tokens, of one category if it is named, slightly changed."""
        members = {
            shape: [index for each in ([category] if category else by_category) for index in by_category.get(each, ())]
            for shape, by_category in self.members.items()
        }
        (shape,) = chance.choices(list(members), [len(each) for each in members.values()])
        chosen = chance.sample(members[shape], min(size, len(members[shape])))
        columns, rows = grid(shape, tokens)
        truths = [self.pictures.truth(index) for index in chosen]
        images = [
            changed(self.pictures.image(index), chance, (columns * SIDE, rows * SIDE), truth)
            for index, truth in zip(chosen, truths, strict=True)
        ]
        return Batch(images, truths)


SHAPES = (9 / 16, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 16 / 9)
"""Width by height of what the album draws."""


def changed(image: Image.Image, chance: random.Random, size: tuple[int, int], truth: Answer) -> Image.Image:
    """The picture at `size`, mirrored, shifted and toned a little, so that no two epochs are the same."""
    if chance.random() < 0.5 and truth.category not in UNFLIPPED:
        image = ImageOps.mirror(image)
    trim = [chance.uniform(0, 0.03) for _ in range(4)]
    box = (
        trim[0] * image.width, trim[1] * image.height, (1 - trim[2]) * image.width, (1 - trim[3]) * image.height
    )  # fmt: skip
    image = image.resize(size, Image.Resampling.BICUBIC, box=box)
    if chance.random() < 0.5:
        image = ImageEnhance.Brightness(image).enhance(chance.uniform(0.85, 1.15))
    if chance.random() < 0.3:
        image = ImageEnhance.Color(image).enhance(chance.uniform(0.7, 1.3))
    return image
