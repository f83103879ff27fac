"""The answers' Parquet files: their columns are those of `onelook batch export`. An id is in them once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow
from pyarrow import compute, parquet

from onelook.batch.entries import State, state_of
from onelook.batch.export.aside import aside
from onelook.batch.export.columns import Choices, Column, Entry, columns_of, rows
from onelook.batch.export.parquet_file import arrow_schema
from onelook.batch.records import Record
from onelook.images.source import describe
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import TagResult

CHOICES = Choices(confidences=True, timing=True)

STAMP = ("file_size", "file_mtime_ns")
"""Columns beside those of an export: of the file when it was listed, so that a changed one is found."""


class ListRow(NamedTuple):
    """A picture of the list: its id, its place, and size in bytes and date of its file, None where there is none."""

    id: str
    place: str
    size: int | None
    mtime_ns: int | None


Done = tuple[ListRow, bytes | None, TagResult]
"""A picture, the SHA-256 of its bytes, and its result."""


def answer_columns(taxonomy: Taxonomy) -> list[Column]:
    return columns_of(taxonomy, CHOICES)


def answer_schema(taxonomy: Taxonomy) -> pyarrow.Schema:
    schema: pyarrow.Schema = arrow_schema(answer_columns(taxonomy))
    for name in STAMP:
        schema = schema.append(pyarrow.field(name, pyarrow.int64()))
    return schema


def answer_table(taxonomy: Taxonomy, done: list[Done]) -> pyarrow.Table:
    """A row for each picture."""
    found = rows((_entry(*each) for each in done), answer_columns(taxonomy))
    stamped = [[*values, each.size, each.mtime_ns] for values, (each, _, _) in zip(found, done, strict=True)]
    schema = answer_schema(taxonomy)
    columns = zip(*stamped, strict=True)
    arrays = [pyarrow.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pyarrow.Table.from_arrays(arrays, schema=schema)


def _entry(row: ListRow, sha256: bytes | None, result: TagResult) -> Entry:
    record = Record(
        id=0,
        place=row.place,
        name=row.id,
        sha256=None if sha256 is None else sha256.hex(),
        state=state_of(result),
        result=result.model_copy(update={"source": describe(row.place)}),
    )
    return Entry.of(record)


def answer_files(folder: Path) -> Iterator[Path]:
    """The whole ones. What a killed writer left has no end, and is removed."""
    for file in sorted(folder.glob("**/*.parquet")):
        try:
            parquet.read_metadata(file)
        except (pyarrow.ArrowInvalid, OSError):
            file.unlink(missing_ok=True)
        else:
            yield file


def drop_to_retry(folder: Path, states: tuple[State, ...]) -> int:
    """Remove the rows of failures that are to be tried again, so that an id stays in the answers once.

    `states`: `may_pass`, or also `failed`. Each file is written aside and renamed.
    """
    dropped = 0
    for file in list(answer_files(folder)):
        table = parquet.read_table(file)
        failed = compute.equal(table["status"], "failed")
        again = failed if "failed" in states else compute.and_(failed, compute.fill_null(table["may_pass"], False))
        kept = table.filter(compute.invert(again))
        if kept.num_rows == table.num_rows:
            continue
        dropped += table.num_rows - kept.num_rows
        write_again(file, kept)
    return dropped


def write_again(file: Path, table: pyarrow.Table) -> None:
    """Aside and renamed; a file without a row is removed."""
    if table.num_rows == 0:
        file.unlink()
        return
    with aside(file, file.parent.parent) as part:
        parquet.write_table(table, part, compression="zstd")


def to_place(place: Any) -> str:
    """A place of the list: bytes, because a path need not be Unicode."""
    return os.fsdecode(place)
