"""Read an album: any folder with pictures and a labels.jsonl, drawn or one's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from onelook.errors import ImageNotFound, UserError
from onelook.types import Answer, Frozen

LABELS: Final = "labels.jsonl"
SHAPE_HINT = (
    'a line is one object: {"file": "a.jpg", "category": "food", "details": {"kind": ["cake"], "served_in": ["cup"]}}'
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and its truth; `seed` if it was drawn. `where`: the file and line that say so."""

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
    """The pictures of `album`, a folder with labels.jsonl or such a file, in the order of its labels. Ids are not held
    against a taxonomy: the album may have its own.

    Raises:
        ImageNotFound: a picture that a line names is not there.
        UserError: no labels.jsonl, nothing in it, a line that is not a label, or a picture named twice.
    """
    labels = album if album.is_file() else album / LABELS
    folder = labels.parent
    if not labels.is_file():
        raise UserError(
            f"no {LABELS} in {folder}",
            hint=f"`python -m tools.demo_model.album {folder}` draws an album; or name another folder",
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
            raise UserError(f"{each.where}: {each.path.name} is named twice", hint="keep one of the lines")
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
        raise UserError(f"{where}: {label.file} lies outside of {folder}", hint="keep the pictures beside their labels")
    if not path.is_file():
        raise ImageNotFound(f"{where}: no picture {path}", hint="restore the file or remove its line")
    return Labelled(path, Answer(category=label.category, details=label.details), label.seed, where)
