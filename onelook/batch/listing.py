"""Adding pictures to a ledger's list. The pictures of one call are first gathered and then compared as a whole, so that
two of them may exchange their ids, and one place may have several."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final

from onelook.batch.entries import Added, Listed, shown
from onelook.batch.schema import statements
from onelook.errors import BatchError

_GATHERING: Final = """
CREATE TEMP TABLE listing (
    number INTEGER PRIMARY KEY,
    place BLOB NOT NULL,
    name TEXT,
    size INTEGER,
    mtime_ns INTEGER,
    line TEXT,      -- where a manifest has it
    picture INTEGER -- the row with this place and name
);
CREATE UNIQUE INDEX temp.listing_once ON listing (place, coalesce(name, ''));
CREATE INDEX temp.listing_name ON listing (name) WHERE name IS NOT NULL;
CREATE TEMP TABLE renaming (picture INTEGER PRIMARY KEY, name TEXT NOT NULL);
"""

# A row of a place whose id this call does not give takes an id that it gives and that has no row yet.
_RENAME: Final = """
WITH
wanted AS (
    SELECT place, name, row_number() OVER (PARTITION BY place ORDER BY number) AS turn FROM temp.listing
    WHERE name IS NOT NULL AND picture IS NULL
    AND EXISTS (SELECT 1 FROM picture WHERE picture.place = listing.place)
),
free AS (
    SELECT id, place, row_number() OVER (PARTITION BY place ORDER BY id) AS turn FROM picture
    WHERE place IN (SELECT place FROM wanted)
    AND NOT EXISTS (
        SELECT 1 FROM temp.listing WHERE listing.place = picture.place AND coalesce(listing.name, '') = picture.name
    )
)
INSERT INTO temp.renaming SELECT free.id, wanted.name FROM wanted JOIN free USING (place, turn)
"""

_INSERT: Final = """
INSERT INTO picture (place, name, size, mtime_ns)
SELECT place, name, size, mtime_ns FROM temp.listing AS own
WHERE picture IS NULL AND NOT EXISTS (SELECT 1 FROM picture WHERE place = own.place AND name = own.name)
AND (
    name IS NOT NULL
    OR NOT EXISTS (SELECT 1 FROM picture WHERE place = own.place)
    AND NOT EXISTS (SELECT 1 FROM temp.listing AS other WHERE other.place = own.place AND other.name IS NOT NULL)
)
ORDER BY number
"""

_STAT_DIFFERS: Final = "(picture.size, picture.mtime_ns) IS NOT (listing.size, listing.mtime_ns)"


def add_pictures(connection: sqlite3.Connection, pictures: Iterable[Listed]) -> Added:
    """In the transaction of the caller, who rolls it back after an error. A file with another size or date is marked as
    unchecked; nothing is forgotten.

    Raises:
        BatchError: an id is given to two pictures.
    """
    for each in statements(_GATHERING):
        connection.execute(each)
    total = _gather(connection, pictures)
    _refuse_shared_id(connection)
    connection.execute(
        "UPDATE temp.listing SET picture ="
        " (SELECT id FROM picture WHERE picture.place = listing.place AND picture.name = listing.name)"
        " WHERE name IS NOT NULL"
    )
    renamed = _rename(connection)
    changed, missing = _compare_files(connection)
    new = connection.execute(_INSERT).rowcount
    connection.execute("DROP TABLE temp.listing")
    connection.execute("DROP TABLE temp.renaming")
    return Added(new, changed, total - new - changed - missing, missing, renamed)


def _gather(connection: sqlite3.Connection, pictures: Iterable[Listed]) -> int:
    total = 0

    def rows() -> Iterator[tuple[object, ...]]:
        nonlocal total
        for each in pictures:
            total += 1
            yield each.place, each.name, each.size, each.mtime_ns, each.where

    connection.executemany(
        "INSERT OR IGNORE INTO temp.listing (place, name, size, mtime_ns, line) VALUES (?, ?, ?, ?, ?)", rows()
    )
    return total


def _refuse_shared_id(connection: sqlite3.Connection) -> None:
    """Two pictures of this call."""
    found = connection.execute(
        """SELECT later.name, earlier.place, earlier.line, later.place, later.line FROM temp.listing AS later
           CROSS JOIN temp.listing AS earlier ON earlier.name = later.name AND earlier.number < later.number
           WHERE later.name IS NOT NULL ORDER BY later.number LIMIT 1"""
    ).fetchone()
    if found is not None:
        raise _shared_id(*found)


def _rename(connection: sqlite3.Connection) -> int:
    """How many pictures had another id before."""
    connection.execute(_RENAME)
    found = connection.execute(
        """SELECT listing.name, picture.place, NULL, listing.place, listing.line FROM temp.listing
           CROSS JOIN picture ON picture.name = listing.name
           WHERE picture.place <> listing.place AND picture.id NOT IN (SELECT picture FROM temp.renaming)
           ORDER BY listing.number LIMIT 1"""
    ).fetchone()
    if found is not None:
        raise _shared_id(*found)
    # First all lose their ids, and then each gets its new one: two may exchange theirs.
    renamed = connection.execute(
        "UPDATE picture SET name = NULL WHERE name IS NOT NULL AND id IN (SELECT picture FROM temp.renaming)"
    ).rowcount
    connection.execute(
        "UPDATE picture SET name = (SELECT name FROM temp.renaming WHERE renaming.picture = picture.id)"
        " WHERE id IN (SELECT picture FROM temp.renaming)"
    )
    return renamed


def _compare_files(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many of the listed files have changed, and how many are not there any more: those stay as they were."""
    changed, missing = connection.execute(
        f"""SELECT count(DISTINCT CASE WHEN listing.size IS NOT NULL THEN number END),
                   count(DISTINCT CASE WHEN listing.size IS NULL THEN number END)
            FROM temp.listing CROSS JOIN picture ON picture.place = listing.place WHERE {_STAT_DIFFERS}"""  # noqa: S608
    ).fetchone()
    if changed:
        connection.execute(
            f"""UPDATE picture SET unchecked = 1, (size, mtime_ns) = (
                    SELECT size, mtime_ns FROM temp.listing
                    WHERE listing.place = picture.place AND listing.size IS NOT NULL
                )
                WHERE id IN (
                    SELECT picture.id FROM temp.listing CROSS JOIN picture ON picture.place = listing.place
                    WHERE listing.size IS NOT NULL AND {_STAT_DIFFERS}
                )"""  # noqa: S608 - a constant
        )
    return changed, missing


def _shared_id(name: str, one: bytes, line: str | None, other: bytes, other_line: str | None) -> BatchError:
    return BatchError(
        f"two pictures have the id {name!r}: {_with_line(one, line)} and {_with_line(other, other_line)}",
        hint="give each its own id, or name another column with --id-column",
    )


def _with_line(place: bytes, line: str | None) -> str:
    return f"{shown(place)} ({line})" if line else shown(place)
