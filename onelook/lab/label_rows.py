"""Labels from a table: written by a person, saved by a spreadsheet, or answers of onelook that somebody corrected."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import combinations, groupby
from pathlib import Path
from typing import Any

import orjson

from onelook.errors import LabelsError
from onelook.images.printable import printable
from onelook.lab.label_columns import DETAILS, LabelColumns, LabelOptions, label_columns
from onelook.lab.label_mistakes import Mistakes
from onelook.lab.label_paths import picture_path
from onelook.lab.label_words import Details, Mistake, Vocabulary, options_in, text_of
from onelook.lab.labelled import Album, Labelled
from onelook.table import Row, open_table
from onelook.types import Answer

RowPicture = tuple[Row, Labelled]


def read_rows(table: Path, options: LabelOptions, vocabulary: Vocabulary | None) -> Album:
    """The labelled pictures of `table`; see `read_album`.

    Raises:
        LabelsError: it names no picture, or some rows are wrong; all mistakes with their lines.
        TableError: it cannot be read.
    """
    with open_table(table) as opened:
        rows = list(opened.rows(None))
        names = opened.names or list(dict.fromkeys(name for row in rows for name in row.cells))
    if not rows:
        raise LabelsError(
            f"{printable(str(table))} names no picture", hint="write a row for each, with path and category"
        )
    mistakes = Mistakes(table, None if vocabulary is None else vocabulary.taxonomy)
    if all(row.mistake for row in rows):
        for row in rows:
            mistakes.add(f"line {row.line}", row.mistake or "")
        mistakes.refuse('in JSONL, write {"file": "a.jpg", "category": "food"} on each line')
    columns = label_columns(table, names, options, vocabulary)
    folders = [folder for folder in (options.pictures, table.parent) if folder is not None]
    pictures: dict[str, RowPicture] = {}
    without: list[int] = []
    for row in rows:
        where = f"line {row.line}"
        if row.mistake is not None:
            mistakes.add(where, row.mistake)
            continue
        word = _category_word(row.cells, columns)
        if word is None:
            without.append(row.line)
            continue
        truth = _truth(row, word, columns, vocabulary, mistakes)
        try:
            path = picture_path(_path_word(row.cells, columns), row.cells, folders)
        except Mistake as mistake:
            mistakes.add(where, str(mistake))
            continue
        if truth is None:
            continue
        labelled = Labelled(path, truth, _seed(row.cells), f"{table}, {where}", _texts(row.cells))
        first_row, first = pictures.setdefault(os.path.realpath(path), (row, labelled))
        if first_row is not row:
            other = ", with other labels" if first.truth != truth else ""
            mistakes.add(where, f"{path.name} is named twice, first in line {first_row.line}{other}: remove one line")
    for (earlier, first), (later, second) in _same_bytes(list(pictures.values())):
        same = f"{second.path.name} is the same picture as {first.path.name} in line {earlier.line}"
        mistakes.add(f"line {later.line}", f"{same}, with other labels: correct one of them")
    mistakes.refuse("correct these lines, or remove them")
    if not pictures:
        raise LabelsError(
            f"{printable(str(table))}: no row has a category", hint=f"fill in the column {columns.category!r}"
        )
    return Album([each for _, each in pictures.values()], tuple(_notes(rows, names, columns, without)))


def _category_word(cells: Mapping[str, Any], columns: LabelColumns) -> Any:
    """None where the row has none."""
    for column in (columns.category, columns.category_label):
        value = cells.get(column)
        if value is not None and str(value).strip():
            return value
    return None


def _truth(
    row: Row, word: Any, columns: LabelColumns, vocabulary: Vocabulary | None, mistakes: Mistakes
) -> Answer | None:
    """None where its category is wrong; every mistake is added to `mistakes`."""
    where = f"line {row.line}"
    try:
        if vocabulary is None:
            plain = {name: tuple(options_in(value) or ()) for name, value in _details(row.cells)}
            return Answer(category=text_of(word), details=plain)
        if version := _taxonomy_version(row.cells):
            mistakes.versions.add(version)
        category = vocabulary.categories.id(text_of(word))
    except Mistake as mistake:
        mistakes.unknown_category(where, str(mistake))
        return None
    mistakes.known_categories += 1
    label = word.get("label") if isinstance(word, Mapping) else row.cells.get(columns.category_label)
    meant = vocabulary.categories.ids(str(label)) if label else ()
    if meant and category not in meant:
        remedy = f"correct both, or remove {columns.category_label}"
        mistakes.add(where, f"the category is {category}, but its label {str(label)!r} is that of {meant[0]}: {remedy}")
    details: Details = {}
    try:
        details, wrong = vocabulary.details(category, _values(row.cells, category, columns, vocabulary))
    except Mistake as mistake:
        wrong = [str(mistake)]
    for each in wrong:
        mistakes.add(where, each)
    return Answer(category=category, details=details)


def _values(
    cells: Mapping[str, Any], category: str, columns: LabelColumns, vocabulary: Vocabulary
) -> Iterator[tuple[str, Any]]:
    """What the row says of the attributes of its category. Columns of other categories say nothing, so that a category
    can be corrected without emptying them."""
    yield from _details(cells)
    for column, (of, attribute) in columns.attributes.items():
        if of == category or (of is None and vocabulary.attributes[category].ids(attribute)):
            yield attribute, cells.get(column)


def _details(cells: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Those that are not null; a Parquet file has every key in every row."""
    details = cells.get(DETAILS)
    if isinstance(details, str) and details.strip().startswith("{"):
        try:
            details = orjson.loads(details)
        except orjson.JSONDecodeError as error:
            raise Mistake(f"{DETAILS}: is no JSON: {error}") from None
    if details is None or details == "":
        return
    if not isinstance(details, Mapping):
        raise Mistake(f'{DETAILS}: expected an object such as {{"species": ["dog"]}}, not {details!r}')
    yield from ((str(name), value) for name, value in details.items() if value is not None)


def _path_word(cells: Mapping[str, Any], columns: LabelColumns) -> str:
    name = cells.get(columns.path)
    if not isinstance(name, str) or not name.strip():
        raise Mistake(f"has no {columns.path}: fill it in, or remove the line")
    return name


def _taxonomy_version(cells: Mapping[str, Any]) -> str | None:
    """The version that an answer of onelook was given with."""
    versions = cells.get("versions")
    version = versions.get("taxonomy") if isinstance(versions, Mapping) else cells.get("taxonomy")
    return version if isinstance(version, str) and version else None


def _seed(cells: Mapping[str, Any]) -> int | None:
    seed = cells.get("seed")
    return seed if isinstance(seed, int) else None


def _texts(cells: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(value).strip()
        for name, value in cells.items()
        if isinstance(value, str | int | float | bool) and str(value).strip()
    }


def _same_bytes(
    pictures: Sequence[RowPicture],
) -> Iterator[tuple[RowPicture, RowPicture]]:
    """Pairs of files with the same bytes and different labels. Only files of equal size are read."""

    def size(each: RowPicture) -> int:
        return each[1].path.stat().st_size

    for _, group in groupby(sorted(pictures, key=lambda each: (size(each), each[0].line)), size):
        members = list(group)
        if len(members) == 1 or all(each[1].truth == members[0][1].truth for each in members):
            continue
        hashes = {each[0].line: sha256(each[1].path.read_bytes()).digest() for each in members}
        for one, other in combinations(members, 2):
            if hashes[one[0].line] == hashes[other[0].line] and one[1].truth != other[1].truth:
                yield one, other


def _notes(rows: Sequence[Row], names: Sequence[str], columns: LabelColumns, without: Sequence[int]) -> Iterator[str]:
    yield from columns.notes
    if without:
        yield f"{len(without)} of {len(rows)} rows have no category and are left out, first line {without[0]}"
    if {"status", "model"} <= {*names}:
        yield "the labels are answers of a model: each that nobody has corrected counts as right"
