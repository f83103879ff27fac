"""Sample pictures: the drawings of `make demo`, with their labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from onelook.demo.checkpoint import DRAWINGS
from onelook.lab.album import read_labels
from onelook.types import Answer

MEDIA_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Sample:
    path: Path
    truth: Answer

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.path.suffix]


@cache
def samples() -> dict[str, Sample]:
    """The samples by name. A requested name is looked up here and never becomes part of a path."""
    return {each.path.name: Sample(each.path, each.truth) for each in read_labels(DRAWINGS)}
