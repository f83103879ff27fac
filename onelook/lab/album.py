"""Reads an album: a folder with pictures and a labels.jsonl."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from onelook.errors import ImageNotFound, UserError
from onelook.types import Answer, Frozen

LABELS: Final = "labels.jsonl"
SHAPE_HINT = (
    'one object per line: {"file": "a.jpg", "category": "food", "details": {"kind": ["cake"], "served_in": ["cup"]}}'
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and its true labels; `seed` if it was drawn. `where`: file and line of the labels."""

    path: Path
    truth: Answer
    seed: int | None
    where: str


class LabelLine(Frozen):
    file: str
    category: str
    details: dict[str, tuple[str, ...]] = Field({})
    seed: int | None = None


def read_labels(album: Path) -> list[Labelled]:
    """The pictures of `album`, a folder with labels.jsonl or such a file, in the order of its lines. Ids are not
    checked against a taxonomy, because an album can have its own.

    Raises:
        ImageNotFound: a line names a picture that does not exist.
        UserError: labels.jsonl is missing, empty or malformed, or it names a picture twice.
    """
    labels = album if album.is_file() else album / LABELS
    folder = labels.parent
    if not labels.is_file():
        raise UserError(
            f"no {LABELS} in {folder}",
            hint="name a folder with pictures and labels.jsonl, or such a file",
        )
    try:
        lines = labels.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{labels} is not UTF-8 text: {error}", hint=SHAPE_HINT) from None
    labelled: dict[Path, Labelled] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        each = _labelled(folder, line, f"{labels}, line {number}")
        if each.path in labelled:
            raise UserError(f"{each.where}: {each.path.name} is named twice", hint="remove one of the two lines")
        labelled[each.path] = each
    if not labelled:
        raise UserError(f"{labels} names no picture", hint=SHAPE_HINT)
    return list(labelled.values())


def _labelled(folder: Path, line: str, where: str) -> Labelled:
    try:
        label = LabelLine.model_validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise UserError(f"{where}: {f'{key}: ' if key else ''}{problem['msg']}", hint=SHAPE_HINT) from None
    path = folder / label.file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UserError(
            f"{where}: {label.file} is outside of {folder}", hint=f"move the pictures into the folder of {LABELS}"
        )
    if not path.is_file():
        raise ImageNotFound(f"{where}: no picture {path}", hint="restore the file or remove the line")
    return Labelled(path, Answer(category=label.category, details=label.details), label.seed, where)
