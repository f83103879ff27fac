"""Labelled pictures: a table of labels (JSONL, CSV, Parquet), or a folder for each category."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from onelook.errors import LabelsError
from onelook.images.printable import printable
from onelook.images.walk import find_pictures, is_hidden
from onelook.lab.label_columns import LabelOptions
from onelook.lab.label_mistakes import Mistakes
from onelook.lab.label_rows import read_rows
from onelook.lab.label_words import Mistake, Vocabulary
from onelook.lab.labelled import Album, Labelled
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.table import SUFFIXES
from onelook.types import Answer

__all__ = ["LABELS", "Album", "Labelled", "has_labels", "labels_file", "read_album", "read_labels"]

LABELS: Final = "labels.jsonl"
EXAMPLE: Final = '{"file": "a.jpg", "category": "food", "details": {"kind": ["cake"], "served_in": ["cup"]}}'


def read_labels(labels: Path) -> list[Labelled]:
    """The pictures of `read_album` without a taxonomy: an album can have its own."""
    return read_album(labels, None).pictures


def read_album(labels: Path, taxonomy: Taxonomy | None, options: LabelOptions | None = None) -> Album:
    """The labelled pictures of `labels`, in its order: a table, a folder with a table called `labels`, or a folder with
    a folder for each category.

    Categories, attributes and options are ids or labels in any language of `taxonomy`; ids are returned. Without a
    taxonomy words stay as they are. Attributes may be missing. Rows without a category are left out, with a note.

    A relative path is looked for in `options.pictures`, then beside the table.

    Raises:
        LabelsError: there are no labels, or some are wrong; all mistakes with their lines.
        TableError: the table cannot be read.
    """
    options = options or LabelOptions()
    vocabulary = None if taxonomy is None else Vocabulary.of(taxonomy)
    table = labels_file(labels)
    if table is not None:
        album = read_rows(table, options, vocabulary)
    elif vocabulary is not None and (folders := category_folders(labels)):
        album = _by_folder(labels, folders, vocabulary)
    else:
        raise LabelsError(
            f"no labels of pictures in {printable(str(labels))}",
            hint=f"name a table ({', '.join(SUFFIXES)}), a folder with {LABELS} or labels.csv, or one with a folder for"
            f" each category. A line of {LABELS}: {EXAMPLE}",
        )
    return Album(album.pictures, (*album.notes, *_known_in_part(album.pictures, taxonomy)))


def has_labels(album: Path, taxonomy: Taxonomy) -> bool:
    """Whether `album` is or has a table of labels, or all its folders are called like categories."""
    if labels_file(album) is not None:
        return True
    words = Vocabulary.of(taxonomy).categories
    folders = category_folders(album)
    return bool(folders) and all(words.ids(folder.name) for folder in folders)


def labels_file(labels: Path) -> Path | None:
    """The table that is meant: `labels` itself, or the one called `labels` in that folder; None if there is none.

    Raises:
        LabelsError: the folder has several.
    """
    if not labels.is_dir():
        return labels if labels.is_file() else None
    found = [labels / f"labels{suffix}" for suffix in SUFFIXES if (labels / f"labels{suffix}").is_file()]
    if len(found) > 1:
        raise LabelsError(
            f"{printable(str(labels))} has {' and '.join(each.name for each in found)}",
            hint="name one of them",
        )
    return found[0] if found else None


def category_folders(album: Path) -> dict[Path, list[Path]]:
    """The folders in `album` that have pictures, in or below them, in order of name."""
    if not album.is_dir():
        return {}
    inside = sorted(each for each in album.iterdir() if each.is_dir() and not is_hidden(each.name))
    found = {folder: [Path(name) for name in find_pictures([str(folder)]).pictures] for folder in inside}
    return {folder: pictures for folder, pictures in found.items() if pictures}


def _by_folder(album: Path, folders: Mapping[Path, list[Path]], vocabulary: Vocabulary) -> Album:
    mistakes = Mistakes(album, vocabulary.taxonomy)
    pictures: list[Labelled] = []
    for folder, files in folders.items():
        try:
            category = vocabulary.categories.id(folder.name)
        except Mistake as mistake:
            mistakes.unknown_category(f"the folder {printable(folder.name)}", str(mistake))
            continue
        mistakes.known_categories += 1
        truth = Answer(category=category)
        pictures += [Labelled(file, truth, None, printable(str(file))) for file in files]
    mistakes.refuse("rename these folders, or move them away")
    beside = [each for each in find_pictures([str(album)]).pictures if Path(each).parent == album]
    notes = (f"{len(beside)} pictures beside the category folders are left out, first {beside[0]}",) if beside else ()
    return Album(pictures, notes)


def _known_in_part(pictures: list[Labelled], taxonomy: Taxonomy | None) -> tuple[str, ...]:
    """Which attributes are not labelled in every picture of their category, with the numbers."""
    if taxonomy is None:
        return ()
    parts: list[str] = []
    for id_, category in taxonomy.categories.items():
        members = [each.truth.details for each in pictures if each.truth.category == id_]
        for name in category.details:
            known = sum(name in details for details in members)
            if known < len(members):
                parts.append(f"{id_}.{name} {known} of {len(members)}")
    if not parts:
        return ()
    if all(not each.truth.details for each in pictures):
        return ("only categories are labelled, so nothing is known of the accuracy of details",)
    return (f"labelled in part, and scored where known: {', '.join(parts)}",)
