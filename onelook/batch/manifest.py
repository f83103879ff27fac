"""A list of pictures as people keep it: CSV, JSONL or Parquet with a column of paths or URLs, and maybe one of ids."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
        BatchError: it has no such column, or a row is broken or has no path; with the number of the line.
    """
    with open_table(file) as table:
        yield from _read(file, table, columns)


def _read(file: Path, table: Table, columns: Columns) -> Iterator[ManifestRow]:
    root = str(columns.root or file.parent)
    chosen = _chosen(file, table.names, columns) if table.names else None
    for row in table.rows(chosen and [name for name in chosen if name is not None]):
        if row.mistake is not None:
            raise _wrong(file, f"line {row.line} {row.mistake}", 'in JSONL, write {"path": "a.jpg"} on each line')
        if chosen is None:
            chosen = _chosen(file, list(row.cells), columns)
        path_column, id_column = chosen
        path, name = row.cells.get(path_column), row.cells.get(id_column) if id_column else None
        if not isinstance(path, str) or not path.strip():
            raise _wrong(file, f"line {row.line} has no {path_column}", "fill it in, or remove the line")
        if id_column and (name is None or name == ""):
            raise _wrong(file, f"line {row.line} has no {id_column}", "give every picture an id, or none")
        place = path if is_url(path) or is_data_url(path) else os.path.join(root, path)  # noqa: PTH118 - keeps "a/../b"
        yield ManifestRow(place, None if name is None else str(name), f"{printable(file.name)}, line {row.line}")


def _chosen(file: Path, names: Sequence[str], columns: Columns) -> tuple[str, str | None]:
    """The columns of paths and of ids, both by the name they have in the file."""
    found = ", ".join(map(printable, names))
    if columns.path is not None and columns.path not in names:
        raise _wrong(file, f"has no column {columns.path!r}; it has: {found}", "name one of them with --path-column")
    if columns.id is not None and columns.id not in names:
        raise _wrong(file, f"has no column {columns.id!r}; it has: {found}", "name one of them with --id-column")
    by_lower = {name.lower(): name for name in reversed(names)}
    path = columns.path or next((by_lower[each] for each in PATH_COLUMNS if each in by_lower), None)
    if path is None:
        raise _wrong(file, f"has no column of paths ({', '.join(PATH_COLUMNS)}); it has: {found}", "--path-column NAME")
    return path, columns.id or by_lower.get(ID_COLUMN)


def _wrong(file: Path, what: str, hint: str) -> BatchError:
    return BatchError(f"{printable(str(file))} {what}", hint=hint)
