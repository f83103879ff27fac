"""Which formats there are, and how a batch is written in one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path
from typing import BinaryIO, Final, Literal, get_args

import orjson

from onelook.batch.export.aside import aside, reporting
from onelook.batch.export.columns import Choices, Column, Entry, columns_of, rows, taxonomy_of
from onelook.batch.export.csv_file import write_csv
from onelook.batch.export.jsonl_file import write_jsonl
from onelook.batch.export.parquet_file import write_parquet
from onelook.batch.export.sqlite_file import write_sqlite
from onelook.batch.ledger import Ledger, Version
from onelook.batch.records import choose_version, records
from onelook.errors import BatchError

Format = Literal["parquet", "csv", "jsonl", "sqlite"]
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
}


@dataclass(frozen=True, slots=True)
class Batch:
    """One version of the answers of the batch in `folder`, as an export reads it: beside a run, or after it.

    `listed`: how many pictures there are, `todo` of them still without an outcome.
    """

    folder: Path
    version: Version
    listed: int
    todo: int

    @classmethod
    def read(cls, folder: Path, version: int | None = None) -> Batch:
        """`version`: the number that people write as `FOLDER@2`; None: the newest.

        Raises:
            BatchError: no batch is there, or it has no such version.
        """
        with closing(Ledger.read(folder)) as ledger:
            chosen = choose_version(ledger, version)
            counts = ledger.count(chosen.id)
        return cls(folder, chosen, counts.total(), counts["todo"])

    def entries(self, choices: Choices, on_entry: Callable[[], None] = lambda: None) -> Iterator[Entry]:
        """Each picture in the order of listing; `on_entry` is called for each."""
        for record in records(self.folder, self.version.id):
            yield Entry.of(record, choices.min_confidence)
            on_entry()

    def metadata(self) -> dict[str, str]:
        """What the answers come from, for formats that have room for it."""
        return {
            "onelook": version_of("onelook"),
            "onelook.fingerprint": self.version.fingerprint,
            "onelook.made_from": orjson.dumps(self.version.made_from).decode(),
        }


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
