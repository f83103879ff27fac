"""The labels of a drawing, as ids of prompts/taxonomy/photos.yaml (a test compares the two)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar, get_args

from onelook.types import Answer

T = TypeVar("T")
Choice = tuple[str, ...]
"""The chosen options of one attribute, in taxonomy order."""

Category = Literal["portrait", "animal", "landscape", "food", "building", "plant", "document", "diagram", "other"]
CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)

OPTIONS: Final[dict[Category, dict[str, tuple[str, ...]]]] = {
    "portrait": {
        "gender": ("male", "female", "unclear"),
        "composition": ("selfie", "half_body", "full_body", "group"),
        "mood": ("happy", "calm", "sad"),
        "scene": ("indoor", "outdoor"),
    },
    "animal": {
        "species": ("cat", "dog", "bird", "fish", "other_species"),
        "count": ("one", "several"),
    },
    "landscape": {
        "terrain": ("mountain", "water", "forest", "desert"),
        "time": ("day", "dusk", "night"),
        "weather": ("clear", "cloudy", "rain", "snow"),
    },
    "food": {
        "kind": ("fruit", "noodles", "cake", "drink", "other_food"),
        "served_in": ("plate", "bowl", "cup", "none"),
    },
    "building": {},
    "plant": {},
    "document": {
        "kind": ("letter", "receipt", "form"),
        "contains": ("title", "table", "stamp", "signature"),
    },
    "diagram": {
        "kind": ("flowchart", "bar_chart", "line_chart", "pie_chart"),
        "contains": ("heading", "legend", "grid"),
    },
    "other": {},
}
"""Attributes and options of each category, in taxonomy order."""


@dataclass(frozen=True, slots=True)
class Brief:
    """The input of a painter. `fineness` (0 coarse to 1 fine): how small the details of documents and diagrams are,
    relative to the picture. The finest are readable from a long side of about 800 pixels."""

    details: Mapping[str, Choice]
    fineness: float = 0.0


# Combinations that a picture can show. Repeats balance the frequency of the options.
COMPOSITIONS: Final[tuple[Choice, ...]] = (
    ("selfie",), ("selfie", "half_body"), ("half_body",), ("full_body",), ("full_body",), ("full_body", "group"),
    ("half_body", "group"), ("selfie", "group"),
)  # fmt: skip
TERRAINS: Final[tuple[Choice, ...]] = (
    ("mountain",), ("water",), ("forest",), ("desert",), ("desert",), ("mountain", "water"), ("mountain", "forest"),
    ("water", "forest"), ("mountain", "desert"), ("mountain", "water", "forest"),
)  # fmt: skip
SERVED_IN: Final[dict[str, tuple[str, ...]]] = {
    "fruit": ("plate", "bowl", "cup", "none"),
    "noodles": ("plate", "bowl", "cup", "none"),
    "cake": ("plate", "bowl", "cup", "none"),
    "drink": ("cup", "cup", "none", "bowl"),
    "other_food": ("plate", "bowl", "cup", "none"),
}

# Roberts (2018), "The unreasonable effectiveness of quasirandom sequences": the powers of 1/g fill the four-dimensional
# cube evenly, where g is the root of x^5 = x + 1. So options are balanced even in a few dozen drawings.
_ROOT: Final = 1.1673039782614187


def truth_of(category: Category, seed: int) -> Answer:
    """The labels of this seed's drawing of this category, options in taxonomy order."""
    shares = [(0.5 + seed * _ROOT**-power) % 1 for power in range(1, 5)]

    def one(attribute: str, share: float) -> Choice:
        return (_at(OPTIONS[category][attribute], share),)

    details: dict[str, Choice]
    match category:
        case "portrait":
            details = {
                "gender": one("gender", shares[0]),
                "composition": _at(COMPOSITIONS, shares[1]),
                "mood": one("mood", shares[2]),
                "scene": one("scene", shares[3]),
            }
        case "animal":
            details = {"species": one("species", shares[0]), "count": one("count", shares[1])}
        case "landscape":
            details = {
                "terrain": _at(TERRAINS, shares[0]),
                "time": one("time", shares[1]),
                "weather": one("weather", shares[2]),
            }
        case "food":
            kind = one("kind", shares[0])
            details = {"kind": kind, "served_in": (_at(SERVED_IN[kind[0]], shares[1]),)}
        case "document" | "diagram":
            parts = _subsets(OPTIONS[category]["contains"])
            details = {"kind": one("kind", shares[0]), "contains": _at(parts, shares[1])}
        case "building" | "plant" | "other":
            details = {}
    return Answer(category=category, details=details)


def as_category(name: str) -> Category | None:
    """The name as a category of the album, if it is one."""
    return next((category for category in CATEGORIES if category == name), None)


def _at(options: Sequence[T], share: float) -> T:
    return options[int(share * len(options))]


def _subsets(options: Choice) -> tuple[Choice, ...]:
    """All subsets, with the empty one: a letter can have text only."""
    return tuple(
        tuple(option for index, option in enumerate(options) if mask >> index & 1) for mask in range(2 ** len(options))
    )
