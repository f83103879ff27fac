"""A list of pictures as people keep it: CSV, JSONL or Parquet with a column of paths or URLs, and maybe one of ids."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from onelook.errors import BatchError
from onelook.images.printable import printable
from onelook.images.source import is_data_url, is_url

SUFFIXES: Final = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"})
PATH_COLUMNS: Final = ("path", "file", "image", "picture", "url", "file_name", "filename", "image_path", "image_url")
ID_COLUMN: Final = "id"
ROWS_AT_ONCE: Final = 4096

Row = tuple[int, dict[str, Any]]
"""The number of its line, and its cells by column."""


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
        BatchError: the file cannot be read, it has no such column, or a row has no path; with the number of the line.
    """
    names: Sequence[str] | None = None
    with _failures_of(file), ExitStack() as opened:
        match file.suffix.lower():
            case ".parquet":
                rows, names = _parquet(file, columns, opened)
            case ".jsonl" | ".ndjson":
                rows = _jsonl(file, opened.enter_context(file.open("rb")))
            case suffix:
                lines = opened.enter_context(file.open(encoding="utf-8-sig", newline=""))
                reader = csv.DictReader(lines, delimiter="\t" if suffix == ".tsv" else ",", strict=True)
                rows, names = ((reader.line_num, row) for row in reader), reader.fieldnames or ()
        yield from _read(file, rows, names, columns)


@contextmanager
def _failures_of(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _wrong(file, error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise _wrong(file, f"is not UTF-8 (byte {error.start})", "save it as UTF-8") from None
    except csv.Error as error:
        raise _wrong(file, f"is no CSV: {error}") from None


def _read(file: Path, rows: Iterator[Row], names: Sequence[str] | None, columns: Columns) -> Iterator[ManifestRow]:
    root = str(columns.root or file.parent)
    path_column = id_column = None
    for line, row in rows:
        if path_column is None:
            path_column, id_column = _chosen(file, list(row) if names is None else names, columns)
        path, name = row.get(path_column), row.get(id_column) if id_column else None
        if not isinstance(path, str) or not path.strip():
            raise _wrong(file, f"line {line} has no {path_column}", "fill it in, or remove the line")
        if id_column and (name is None or name == ""):
            raise _wrong(file, f"line {line} has no {id_column}", "give every picture an id, or none")
        place = path if is_url(path) or is_data_url(path) else os.path.join(root, path)  # noqa: PTH118 - keeps "a/../b"
        yield ManifestRow(place, None if name is None else str(name), f"{printable(file.name)}, line {line}")


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


def _jsonl(file: Path, lines: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise _wrong(file, f"line {number} is no JSON: {error}") from None
        if not isinstance(row, dict):
            raise _wrong(file, f"line {number} is no JSON object", 'write {"path": "a.jpg"} on each line')
        yield number, row


def _parquet(file: Path, columns: Columns, opened: ExitStack) -> tuple[Iterator[Row], Sequence[str]]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise _wrong(file, "needs the package pyarrow", "pip install 'onelook[batch]'") from None

    def rows() -> Iterator[Row]:
        path, name = _chosen(file, names, columns)
        number = 0
        for batch in table.iter_batches(ROWS_AT_ONCE, columns=[path] if name is None else [path, name]):
            for row in batch.to_pylist():
                number += 1
                yield number, row

    try:
        table = opened.enter_context(ParquetFile(file))
    except ArrowException as error:
        raise _wrong(file, f"is no Parquet file: {error}") from None
    names = [str(name) for name in table.schema_arrow.names]
    return rows(), names


def _wrong(file: Path, what: str, hint: str = "correct the manifest") -> BatchError:
    return BatchError(f"{printable(str(file))} {what}", hint=hint)
