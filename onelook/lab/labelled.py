"""A labelled picture, and an album of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onelook.types import Answer


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and its true labels. An attribute that `truth` does not have is not known; an empty one has no option.

    `seed` if it was drawn. `where`: file and line of the labels. `cells`: texts and numbers of its row, by column.
    """

    path: Path
    truth: Answer
    seed: int | None
    where: str
    cells: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Album:
    """`notes`: what a reader of any figure must know about these labels."""

    pictures: list[Labelled]
    notes: tuple[str, ...] = ()
