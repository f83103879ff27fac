"""Writing what a batch has done, into one SQLite file. One thread at a time uses a `Ledger`."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Self

from onelook.batch.database import connect, exists, reporting, transaction
from onelook.batch.entries import Added, How, Kept, Listed, State, shown, state_of
from onelook.batch.fingerprint import Fingerprint
from onelook.batch.ledger_reader import LedgerReader
from onelook.batch.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION
from onelook.errors import BatchError
from onelook.images.printable import printable
from onelook.result import TagResult


class Ledger(LedgerReader):
    """`Ledger.create` makes one, or opens it for writing.

    A commit survives the death of the process; after a power cut the last ones may be gone, as a whole, and are asked
    again (WAL with synchronous=NORMAL, https://www.sqlite.org/wal.html).
    """

    @classmethod
    def create(cls, folder: Path) -> Self:
        """The ledger of `folder`, which is made where it is missing. Its caller holds the folder's lock.

        Raises:
            BatchError: the folder is another program's, or of a newer onelook, or cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            fresh = not exists(folder)
        except OSError as error:
            raise BatchError(
                f"{printable(str(folder))}: {error.strerror}", hint="name another folder with --out FOLDER"
            ) from None
        connection = connect(folder, "mode=rwc")
        with reporting(folder):
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if fresh:
                with transaction(connection):
                    for statement in SCHEMA.split(";\n"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            ledger = cls(connection, folder)
            ledger._check()
        return ledger

    def add(self, pictures: Iterable[Listed], *, keep: bool = True) -> Added:
        """Add `pictures`, all or none. What was done with a file that has another size or date now is to do again.

        `keep=False`: count only, and leave the ledger as it is.

        Raises:
            BatchError: an id is given to two pictures.
        """
        counts = Counter[str]()
        with reporting(self.folder), transaction(self._connection, keep=keep):
            for each in pictures:
                counts[self._list(each)] += 1
        return Added(**counts)

    def _list(self, listed: Listed) -> Literal["new", "changed", "known"]:
        row = self._connection.execute(
            "SELECT id, size, mtime_ns, name FROM picture WHERE place = ?", (listed.place,)
        ).fetchone()
        try:
            if row is None:
                self._connection.execute(
                    "INSERT INTO picture (place, name, size, mtime_ns) VALUES (?, ?, ?, ?)",
                    (listed.place, listed.name, listed.size, listed.mtime_ns),
                )
                return "new"
            picture, size, mtime_ns, name = row
            if listed.name is not None and listed.name != name:
                self._connection.execute("UPDATE picture SET name = ? WHERE id = ?", (listed.name, picture))
        except sqlite3.IntegrityError:
            (other,) = self._connection.execute("SELECT place FROM picture WHERE name = ?", (listed.name,)).fetchone()
            where = f" ({listed.where})" if listed.where else ""
            raise BatchError(
                f"two pictures have the id {listed.name!r}: {shown(other)} and {shown(listed.place)}{where}",
                hint="give each its own id, or name another column with --id-column",
            ) from None
        if (size, mtime_ns) == (listed.size, listed.mtime_ns):
            return "known"
        self._connection.execute(
            "UPDATE picture SET size = ?, mtime_ns = ?, sha256 = NULL WHERE id = ?",
            (listed.size, listed.mtime_ns, picture),
        )
        self._connection.execute("DELETE FROM outcome WHERE picture = ?", (picture,))
        self._connection.execute("DELETE FROM request WHERE picture = ?", (picture,))
        return "changed"

    def version(self, fingerprint: Fingerprint) -> int:
        """The id of the version with this fingerprint, which is made where it is missing."""
        taxonomy = None if fingerprint.taxonomy is None else fingerprint.taxonomy.model_dump_json()
        with reporting(self.folder), transaction(self._connection):
            self._connection.execute(
                "INSERT INTO version (fingerprint, made_from, begun, taxonomy) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET taxonomy = coalesce(excluded.taxonomy, taxonomy)",
                (fingerprint.digest, json.dumps(fingerprint.made_from, ensure_ascii=False), time.time(), taxonomy),
            )
            (version,) = self._connection.execute(
                "SELECT id FROM version WHERE fingerprint = ?", (fingerprint.digest,)
            ).fetchone()
        return int(version)

    def record(self, version: int, picture: int, sha256: bytes | None, result: TagResult) -> None:
        """Keep the outcome of a picture, in the place of an earlier one. `sha256`: None where its bytes are unknown."""
        with reporting(self.folder), transaction(self._connection):
            self._hash(picture, sha256)
            if result.status == "failed":
                self._outcome(version, picture, state_of(result), None, result.model_dump_json(exclude_defaults=True))
                return
            (answer,) = self._connection.execute(
                "INSERT INTO answer (version, sha256, result) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET result = excluded.result RETURNING id",
                (version, sha256, result.model_dump_json(exclude_defaults=True)),
            ).fetchone()
            self._outcome(version, picture, result.status, answer, None)

    def point(self, version: int, picture: int, sha256: bytes, kept: Kept, state: State) -> None:
        """Give a picture the answer that is there for the same bytes."""
        with reporting(self.folder), transaction(self._connection):
            self._hash(picture, sha256)
            self._outcome(version, picture, state, kept.id, None)

    def _hash(self, picture: int, sha256: bytes | None) -> None:
        self._connection.execute("UPDATE picture SET sha256 = ? WHERE id = ?", (sha256, picture))

    def _outcome(self, version: int, picture: int, state: State, answer: int | None, failure: str | None) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO outcome (version, picture, state, answer, failure) VALUES (?, ?, ?, ?, ?)",
            (version, picture, state, answer, failure),
        )

    def begin_run(self, version: int, process: int, left_out: Counter[str]) -> int:
        with reporting(self.folder), transaction(self._connection):
            cursor = self._connection.execute(
                "INSERT INTO run (version, process, begun, left_out, progress) VALUES (?, ?, ?, ?, '{}')",
                (version, process, time.time(), json.dumps(left_out)),
            )
        return int(cursor.lastrowid or 0)

    def renew_run(self, run: int, progress: dict[str, Any], how: How | None = None) -> None:
        """Keep how far the run is; with `how`, that it has ended."""
        with reporting(self.folder), transaction(self._connection):
            self._connection.execute(
                "UPDATE run SET progress = ?, ended = ?, how = ? WHERE id = ?",
                (json.dumps(progress), None if how is None else time.time(), how, run),
            )
