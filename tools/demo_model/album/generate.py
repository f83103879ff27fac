"""Draws a picture from a seed, which determines its category, labels, size and augmentation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image

from onelook.errors import UserError
from onelook.types import Answer
from tools.demo_model.album import animal, building, diagram, document, food, landscape, other, plant, portrait
from tools.demo_model.album.augmentation import augmented
from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.evidence import Evidence
from tools.demo_model.album.palette import WHITE
from tools.demo_model.album.rng import Rng
from tools.demo_model.album.truth import CATEGORIES, Brief, Category, as_category, truth_of

Split = Literal["train", "validation", "heldout"]

# Disjoint, and each starts with a new round through the categories.
FIRST_SEED: Final[dict[Split, int]] = {
    "train": 0,
    "validation": 100_000_000 * len(CATEGORIES),
    "heldout": 101_000_000 * len(CATEGORIES),
}
LAST_SEED: Final = 102_000_000 * len(CATEGORIES)

LONG_SIDE: Final = (224, 1024)
SHORTEST_SIDE: Final = 160
FINEST_NEEDS: Final = 1024
"""Long side in pixels that the finest documents and diagrams have at least."""

WIDE, TALL = (4 / 3, 3 / 2, 16 / 9), (9 / 16, 2 / 3, 3 / 4)
FINE: Final[tuple[Category, ...]] = ("document", "diagram")

PAINTERS: Final[dict[Category, Callable[[Canvas, Rng, Brief], str]]] = {
    "portrait": portrait.paint,
    "animal": animal.paint,
    "landscape": landscape.paint,
    "food": food.paint,
    "building": building.paint,
    "plant": plant.paint,
    "document": document.paint,
    "diagram": diagram.paint,
    "other": other.paint,
}


@dataclass(frozen=True, slots=True)
class Notes:
    """Information about a drawing that is not part of its labels."""

    subject: str
    fineness: float
    augmentation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """`image` is RGB; `truth` is in the ids of the default taxonomy, options in its order; `evidence`: the parts
    of the picture that show some of them."""

    seed: int
    image: Image.Image
    truth: Answer
    evidence: tuple[Evidence, ...]
    notes: Notes


def seeds(split: Split, n: int) -> range:
    """The first `n` seeds of a split. Splits are disjoint; len(CATEGORIES) seeds in a row have each category once.

    Raises:
        UserError: the split has fewer seeds.
    """
    first = FIRST_SEED[split]
    after = min([start for start in FIRST_SEED.values() if start > first], default=LAST_SEED)
    if not 0 <= n <= after - first:
        raise UserError(f"the split {split!r} has {after - first} seeds, not {n}", hint="use fewer")
    return range(first, first + n)


def draw(seed: int, *, category: str | None = None, long_side: int | None = None) -> Drawing:
    """The picture of this seed: the same pixels in every process.

    `category`: draw this one instead of the seed's own. `long_side`: in pixels, instead of the seed's own (224 to
    1024); the scene stays the same, so the finest details of documents and diagrams are lost at a small size.

    Raises:
        UserError: no such category, a negative seed, or a long side under 224.
    """
    chosen = as_category(category) if category is not None else CATEGORIES[seed % len(CATEGORIES)]
    if chosen is None:
        raise UserError(f"no category {category!r} in the album", hint=f"use one of {', '.join(CATEGORIES)}")
    if seed < 0:
        raise UserError(f"the seed is {seed}", hint="seeds are whole numbers from 0")
    if long_side is not None and long_side < LONG_SIDE[0]:
        raise UserError(f"the long side is {long_side} pixels", hint=f"use at least {LONG_SIDE[0]}")
    truth = truth_of(chosen, seed)
    frame, content, camera = (Rng(seed, stream) for stream in range(3))
    fineness = frame.between(0, 1) if chosen in FINE else 0.0
    aspect = frame.pick(_aspects(chosen, truth))
    natural = _long_side(frame, aspect, fineness)
    canvas = Canvas.blank(natural if long_side is None else long_side, aspect, WHITE)
    subject = PAINTERS[chosen](canvas, content, Brief(truth.details, fineness))
    image, steps = augmented(canvas.finished(), camera, gentle=chosen in FINE)
    return Drawing(seed, image, truth, tuple(canvas.evidence), Notes(subject, fineness, steps))


def _long_side(rng: Rng, aspect: float, fineness: float) -> int:
    """In pixels, log-uniform. Finer details have a larger minimum."""
    least, most = LONG_SIDE
    least = round(least * math.pow(FINEST_NEEDS / least, fineness))
    natural = least * math.pow(most / least, rng.between(0, 1))
    return round(min(most, max(natural, SHORTEST_SIDE * max(aspect, 1 / aspect))))


def _aspects(category: Category, truth: Answer) -> tuple[float, ...]:
    """Aspect ratios that fit the subject: wide for groups, tall for pages."""
    if category == "portrait":
        composition = truth.details["composition"]
        if "group" in composition:
            return (1.0, *WIDE)
        return (*TALL, 1.0, 4 / 3) if "full_body" in composition else (2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2)
    if category == "document":
        return (*TALL, 3 / 4, 1.0) if truth.details["kind"] != ("receipt",) else (*TALL, 9 / 16)
    if category == "diagram":
        return (3 / 4, 1.0, *WIDE, *WIDE)
    return (*TALL, 1.0, 1.0, *WIDE)
