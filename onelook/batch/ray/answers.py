"""The answers' Parquet files: their columns are those of `onelook batch export`. An id is in them once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def answer_columns(taxonomy: Taxonomy) -> list[Column]:
    return columns_of(taxonomy, CHOICES)


def answer_schema(taxonomy: Taxonomy) -> pyarrow.Schema:
    schema: pyarrow.Schema = arrow_schema(answer_columns(taxonomy))
    return schema


def answer_table(taxonomy: Taxonomy, done: list[tuple[str, str, bytes | None, TagResult]]) -> pyarrow.Table:
    """A row for each picture: its id, place, SHA-256 and result."""
    columns = answer_columns(taxonomy)
    found = rows((_entry(*each) for each in done), columns)
    schema = answer_schema(taxonomy)
    arrays = [pyarrow.array(values, field.type) for values, field in zip(zip(*found, strict=True), schema, strict=True)]
    return pyarrow.Table.from_arrays(arrays, schema=schema)


def _entry(id_: str, place: str, sha256: bytes | None, result: TagResult) -> Entry:
    record = Record(
        id=0,
        place=place,
        name=id_,
        sha256=None if sha256 is None else sha256.hex(),
        state=state_of(result),
        result=result.model_copy(update={"source": describe(place)}),
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
        if kept.num_rows == 0:
            file.unlink()
            continue
        with aside(file, folder.parent) as part:
            parquet.write_table(kept, part, compression="zstd")
    return dropped


def count_answers(folder: Path) -> Counter[str]:
    """Pictures by status."""
    counts = Counter[str]()
    for file in answer_files(folder):
        found = parquet.read_table(file, columns=["status"])["status"].value_counts().to_pylist()
        counts.update({each["values"]: each["counts"] for each in found})
    return counts


def to_place(place: Any) -> str:
    """A place of the list: bytes, because a path need not be Unicode."""
    return os.fsdecode(place)
