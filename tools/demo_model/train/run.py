"""The record of a training that can be interrupted: its options, and the models that are done."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from onelook.types import Frozen

FOLDER = "run"
RECORD = "run.json"


class TrainOptions(Frozen):
    """The options of a call. `start` None: from scratch. `seed` None: the next one."""

    models: tuple[str, ...]
    start: Path | None
    out: Path
    pictures: int
    effort: float
    seed: int | None


class Run(Frozen):
    """One training. Its folder holds this record and the state of the stages; it is deleted at the end."""

    options: TrainOptions
    seed: int
    done: tuple[str, ...] = ()

    @classmethod
    def find(cls, work: Path) -> Self | None:
        """The unfinished training in `work`, if there is one."""
        record = cls.folder(work) / RECORD
        return cls.model_validate_json(record.read_text(encoding="utf-8")) if record.is_file() else None

    @staticmethod
    def folder(work: Path) -> Path:
        return work / FOLDER

    def with_done(self, name: str) -> Self:
        return self.model_copy(update={"done": (*self.done, name)})

    def save(self, work: Path) -> None:
        """Write the record atomically."""
        folder = self.folder(work)
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{RECORD}"
        unfinished.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        unfinished.rename(folder / RECORD)
