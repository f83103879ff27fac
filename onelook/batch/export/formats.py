"""Which formats there are, and how a batch is written in one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Literal, get_args

from onelook.batch.export.aside import aside, reporting
from onelook.batch.export.batch import Batch
from onelook.batch.export.columns import Choices, Column, Entry, columns_of, rows, taxonomy_of
from onelook.batch.export.csv_file import write_csv
from onelook.batch.export.jsonl_file import write_jsonl
from onelook.batch.export.parquet_file import write_parquet
from onelook.batch.export.sqlite_file import write_sqlite
from onelook.errors import BatchError
from onelook.images.printable import printable

Format = Literal["parquet", "csv", "jsonl", "sqlite", "html"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
STREAMED: Final = ("csv", "jsonl")
"""Formats that can be written to a pipe."""

SUFFIXES: Final[dict[str, Format]] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".sqlite": "sqlite",
    ".db": "sqlite",
    ".html": "html",
    ".htm": "html",
}


BEGINNINGS: Final[dict[Format, tuple[bytes, ...]]] = {
    "parquet": (b"PAR1",),
    "csv": (b"\xef\xbb\xbfid,", b"id,"),
    "jsonl": (b'{"id":',),
    "sqlite": (b"SQLite format 3\0",),
    "html": (b"<!doctype html>",),
}


def check_replaceable(out: Path, to: Format) -> None:
    """An export takes the place of an earlier one, and of a file that is called like one, but of no photograph whose
    name was taken by mistake.

    Raises:
        BatchError: another file is there.
    """
    if SUFFIXES.get(out.suffix.lower()) == to or not out.is_file():
        return
    with reporting(out), out.open("rb") as file:
        begins = file.read(32)
    if begins and not begins.lower().startswith(tuple(each.lower() for each in BEGINNINGS[to])):
        raise BatchError(f"{printable(str(out))} is there, and is no {to}", hint="name another file with --out FILE")


def format_of(out: Path) -> Format:
    """Raises `BatchError` for a name that ends like none."""
    found = SUFFIXES.get(out.suffix.lower())
    if found is None:
        raise BatchError(f"{out.name} does not say which format is meant", hint=f"--to {'|'.join(FORMATS)}")
    return found


def write_table(
    batch: Batch,
    to: Literal["parquet", "csv", "jsonl", "sqlite"],
    out: Path,
    choices: Choices,
    *,
    bom: bool = True,
    on_entry: Callable[[], None] = lambda: None,
) -> int:
    """Write the batch to the file `out` as a table, and return how many pictures that were. `bom`: see `write_csv`.

    Raises:
        BatchError: it cannot be written; a file that was there is as it was.
    """
    columns = columns_of(taxonomy_of(batch.version), choices)
    entries = batch.entries(choices, on_entry)
    with aside(out, batch.folder) as part:
        if to == "sqlite":
            return write_sqlite(part, columns, entries)
        with part.open("wb") as file:
            if to == "parquet":
                return write_parquet(file, columns, rows(entries, columns), metadata=batch.metadata())
            return _write_lines(to, file, columns, entries, bom=bom)


def write_stream(batch: Batch, to: Literal["csv", "jsonl"], file: BinaryIO, choices: Choices, *, bom: bool) -> int:
    """The same to an open file, such as standard output."""
    columns = columns_of(taxonomy_of(batch.version), choices)
    with reporting(Path("standard output")):
        return _write_lines(to, file, columns, batch.entries(choices), bom=bom)


def _write_lines(to: str, file: BinaryIO, columns: list[Column], entries: Iterator[Entry], *, bom: bool) -> int:
    if to == "csv":
        return write_csv(file, columns, rows(entries, columns), bom=bom)
    return write_jsonl(file, columns, rows(entries, columns))
