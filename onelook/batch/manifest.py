"""A list of pictures as people keep it: CSV, JSONL or Parquet with a column of paths or URLs, and maybe one of ids."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from onelook.batch.places import place_of
from onelook.errors import BatchError
from onelook.images.printable import printable
from onelook.images.source import is_data_url, is_url
from onelook.table import PATH_COLUMNS, SUFFIXES, Table, open_table

ID_COLUMN: Final = "id"


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a manifest are read. None: the first of `PATH_COLUMNS` that there is; `id`, if there is one.

    `root`: the folder that relative paths begin in. None: the folder of the manifest.
    """

    path: str | None = None
    id: str | None = None
    root: Path | None = None


@dataclass(frozen=True, slots=True)
class ManifestRow:
    place: str
    name: str | None
    where: str


def is_manifest(word: str) -> bool:
    return Path(word).suffix.lower() in SUFFIXES and Path(word).is_file()


def read_manifest(file: Path, columns: Columns) -> Iterator[ManifestRow]:
    """Each row in turn; a million rows take no more memory than a few thousand.

    Raises:
        TableError: the file cannot be read as a table.
        BatchError: it has no such column, or two, or a row is broken, has no path or one with a scheme that is not
            read; with the number of the line.
    """
    with open_table(file) as table:
        yield from _read(file, table, columns)


def _read(file: Path, table: Table, columns: Columns) -> Iterator[ManifestRow]:
    root = str(file.parent if columns.root is None else columns.root.expanduser())
    chosen = _chosen(file, table.names, columns) if table.names else None
    for row in table.rows(chosen and [name for name in chosen if name is not None]):
        if row.mistake is not None:
            raise _wrong(file, f"line {row.line} {row.mistake}", 'in JSONL, write {"path": "a.jpg"} on each line')
        if chosen is None:
            chosen = _chosen(file, list(row.cells), columns)
        path_column, id_column = chosen
        path, name = _text(row.cells.get(path_column)), row.cells.get(id_column) if id_column else None
        where = f"{printable(file.name)}, line {row.line}"
        if path is None or not path.strip():
            raise _wrong(file, f"line {row.line} has no {path_column}", "fill it in, or remove the line")
        if id_column and (name is None or name == ""):
            raise _wrong(file, f"line {row.line} has no {id_column}", "give every picture an id, or none")
        place = place_of(path, where)
        if not is_url(place) and not is_data_url(place):
            place = os.path.join(root, place)  # noqa: PTH118 - keeps "a/../b"
        yield ManifestRow(place, None if name is None else _text(name) or str(name), where)


def _text(cell: object) -> str | None:
    """Parquet has paths as bytes too, because they need not be Unicode."""
    if isinstance(cell, bytes):
        return os.fsdecode(cell)
    return cell if isinstance(cell, str) else None


def _chosen(file: Path, names: Sequence[str], columns: Columns) -> tuple[str, str | None]:
    """The columns of paths and of ids, both by the name they have in the file."""
    found = ", ".join(map(printable, names))
    if columns.path is not None and columns.path not in names:
        raise _wrong(file, f"has no column {columns.path!r}; it has: {found}", "name one of them with --path-column")
    if columns.id is not None and columns.id not in names:
        raise _wrong(file, f"has no column {columns.id!r}; it has: {found}", "name one of them with --id-column")
    lower = [name.lower() for name in names]
    path = columns.path or next((names[lower.index(each)] for each in PATH_COLUMNS if each in lower), None)
    if path is None:
        raise _wrong(file, f"has no column of paths ({', '.join(PATH_COLUMNS)}); it has: {found}", "--path-column NAME")
    id_ = columns.id or (names[lower.index(ID_COLUMN)] if ID_COLUMN in lower else None)
    for each, named in ((path, columns.path), (id_, columns.id)):
        same = [name for name in names if name == each or (each and not named and name.lower() == each.lower())]
        if len(same) > 1:
            raise _wrong(file, f"has {len(same)} columns {each!r}; it has: {found}", "give each its own name")
    return path, id_


def _wrong(file: Path, what: str, hint: str) -> BatchError:
    return BatchError(f"{printable(str(file))} {what}", hint=hint)
