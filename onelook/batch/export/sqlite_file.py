"""A SQLite file for questions in SQL: a table of pictures, and one of tags, in which a picture has a row for each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from onelook.batch.export.columns import Column, Entry, Kind, Value
from onelook.batch.export.csv_file import SEPARATOR

TYPES: Final[dict[Kind, str]] = {
    "text": "TEXT",
    "texts": "TEXT",
    "number": "REAL",
    "integer": "INTEGER",
    "flag": "INTEGER",
}


def write_sqlite(path: Path, columns: Sequence[Column], entries: Iterable[Entry]) -> int:
    """How many pictures were written. Several values in a cell are joined with `+`, as in CSV."""
    written = 0

    def counted() -> Iterator[list[Value]]:
        nonlocal written
        for entry in entries:
            database.executemany("INSERT INTO tags VALUES (?, ?, ?, ?, ?)", _tags(written + 1, entry))
            written += 1
            yield [written, *(_cell(column.value(entry)) for column in columns)]

    described = ", ".join(f'"{column.name}" {TYPES[column.kind]}' for column in columns)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        # The file is synced as a whole, and thrown away if this fails.
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        database.execute(f"CREATE TABLE pictures (picture INTEGER PRIMARY KEY, {described}) STRICT")
        database.execute(
            "CREATE TABLE tags (picture INTEGER NOT NULL REFERENCES pictures, attribute TEXT NOT NULL,"
            " option TEXT NOT NULL, label TEXT NOT NULL, confidence REAL) STRICT"
        )
        places = ", ".join("?" for _ in range(len(columns) + 1))
        database.executemany(f"INSERT INTO pictures VALUES ({places})", counted())  # noqa: S608 - question marks
        database.execute("CREATE INDEX tags_of_picture ON tags (picture)")
        database.execute("CREATE INDEX pictures_with_tag ON tags (attribute, option)")
        database.execute("COMMIT")
    return written


def _tags(picture: int, entry: Entry) -> Iterator[tuple[int, str, str, str, float | None]]:
    """The category is an attribute like the others, called `category`."""
    category = entry.tags.category
    if category is None:
        return
    yield picture, "category", category.id, category.label, category.confidence
    for attribute, tags in entry.tags.details.items():
        for tag in tags:
            yield picture, f"{category.id}.{attribute}", tag.id, tag.label, tag.confidence


def _cell(value: Value) -> Value:
    return SEPARATOR.join(value) if isinstance(value, list) else value
