"""Reading what a batch has done and has still to do, beside a run as well. One thread at a time uses a reader."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from onelook.batch.database import LEDGER, exists, read_only, reporting
from onelook.batch.entries import Kept, Row, Run, State, Todo, Version
from onelook.batch.schema import APPLICATION_ID, AS_NEWEST, SCHEMA_VERSION, statements
from onelook.errors import BatchError
from onelook.images.printable import printable
from onelook.prompts.taxonomy.model import Taxonomy


class LedgerReader:
    """`LedgerReader.read` opens the ledger of a folder."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._connection = connection
        self.folder = folder

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises `BatchError` where there is none, or it is another program's or of a newer onelook."""
        if not exists(folder):
            raise BatchError(
                f"{printable(str(folder))} holds no batch", hint="`onelook batch PICTURES… --out FOLDER` begins one"
            )
        ledger = cls(read_only(folder), folder)
        with reporting(folder):
            for each in statements(AS_NEWEST.get(ledger._check(), "")):
                ledger._connection.execute(each)
        return ledger

    @property
    def connection(self) -> sqlite3.Connection:
        """For the parts of the ledger that have a class of their own."""
        return self._connection

    def close(self) -> None:
        self._connection.close()

    def _check(self) -> int:
        """The version of its schema."""
        (owner,) = self._connection.execute("PRAGMA application_id").fetchone()
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if owner != APPLICATION_ID:
            raise BatchError(
                f"{printable(str(self.folder / LEDGER))} is not a ledger of onelook",
                hint="name another folder",
            )
        if found > SCHEMA_VERSION:
            raise BatchError(
                f"{printable(str(self.folder / LEDGER))} was written by a newer onelook (version {found} of the ledger,"
                f" this one reads {SCHEMA_VERSION})",
                hint="upgrade with `pip install --upgrade onelook`, or name another folder",
            )
        return int(found)

    def versions(self) -> list[Version]:
        """From the oldest to the newest."""
        rows = self._connection.execute("SELECT id, fingerprint, made_from, begun, taxonomy FROM version ORDER BY id")
        return [
            Version(
                id_,
                digest,
                json.loads(made_from),
                begun,
                None if taxonomy is None else Taxonomy.model_validate_json(taxonomy),
            )
            for id_, digest, made_from, begun, taxonomy in rows
        ]

    def todo(self, version: int, *, after: int, at_most: int, again: Sequence[State] = ()) -> list[Todo]:
        """The next pictures in the order of listing, after the picture `after`: those without an outcome, those whose
        outcome is one of `again` or is about other bytes, and those whose file is to be hashed again."""
        rows = self._connection.execute(
            f"SELECT picture.id, picture.place, picture.unchecked {_to_do(again)}"
            " AND picture.id > ? ORDER BY picture.id LIMIT ?",
            (version, *again, after, at_most),
        )
        return [Todo(picture, place, bool(unchecked)) for picture, place, unchecked in rows]

    def count_todo(self, version: int | None, again: Sequence[State] = ()) -> int:
        """How many pictures `todo` gives."""
        (found,) = self._connection.execute(f"SELECT count(*) {_to_do(again)}", (version, *again)).fetchone()
        return int(found)

    def count(self, version: int | None) -> Counter[str]:
        """How many pictures have each outcome under `version`, and `todo`: those that have none."""
        (listed,) = self._connection.execute("SELECT count(*) FROM picture").fetchone()
        counts = Counter[str](
            dict(
                self._connection.execute(
                    "SELECT state, count(*) FROM outcome WHERE version = ? GROUP BY state", (version,)
                )
            )
        )
        counts["todo"] = listed - counts.total()
        return counts

    def answer(self, version: int, sha256: bytes) -> Kept | None:
        """The answer under `version` for a picture with these bytes, if there is one."""
        row = self._connection.execute(
            "SELECT id, result FROM answer WHERE version = ? AND sha256 = ?", (version, sha256)
        ).fetchone()
        return None if row is None else Kept(*row)

    def rows(self, version: int) -> Iterator[Row]:
        """Each picture in the order of listing."""
        rows = self._connection.execute(
            """SELECT picture.id, picture.place, picture.name,
                      coalesce(outcome.sha256, picture.sha256), outcome.state,
                      coalesce(answer.result, outcome.failure), first.id, first.name
               FROM picture
               LEFT JOIN outcome ON outcome.version = ? AND outcome.picture = picture.id
               LEFT JOIN answer ON answer.id = outcome.answer
               LEFT JOIN picture AS first ON first.id = (
                   SELECT min(twin.picture) FROM outcome AS twin
                   WHERE twin.answer = outcome.answer AND twin.version = outcome.version
               )
               ORDER BY picture.id""",
            (version,),
        )
        return (Row(*each) for each in rows)

    def has_names(self) -> bool:
        """Whether a manifest has given a picture its id."""
        return self._connection.execute("SELECT 1 FROM picture WHERE name IS NOT NULL LIMIT 1").fetchone() is not None

    def is_name(self, text: str) -> bool:
        """Whether a manifest has given a picture this id."""
        return self._connection.execute("SELECT 1 FROM picture WHERE name = ?", (text,)).fetchone() is not None

    def failures(self, version: int) -> Iterator[tuple[State, str]]:
        """Outcome and JSON of each picture that failed."""
        return iter(
            self._connection.execute(
                "SELECT state, failure FROM outcome WHERE version = ? AND failure IS NOT NULL", (version,)
            )
        )

    def last_run(self) -> Run | None:
        """The last one that had something to do; if none had, the last."""
        row = self._connection.execute(
            """SELECT id, version, process, begun, ended, how, left_out, progress FROM run
               ORDER BY coalesce(json_extract(progress, '$.todo'), 1) > 0 DESC, id DESC LIMIT 1"""
        ).fetchone()
        if row is None:
            return None
        id_, version, process, begun, ended, how, left_out, progress = row
        return Run(id_, version, process, begun, ended, how, json.loads(left_out), json.loads(progress))


def _to_do(again: Sequence[State]) -> str:
    """Its parameters: the version, and each state of `again`."""
    return f"""FROM picture LEFT JOIN outcome ON outcome.version = ? AND outcome.picture = picture.id
        WHERE (
            outcome.state IS NULL OR outcome.state IN ({", ".join("?" for _ in again)})
            OR picture.unchecked OR outcome.sha256 <> picture.sha256
        )"""
