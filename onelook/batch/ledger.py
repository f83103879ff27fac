"""Writing what a batch has done, into one SQLite file. One thread at a time uses a `Ledger`."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from onelook.batch.database import connect, exists, make, reporting, transaction
from onelook.batch.entries import Added, How, Kept, Listed, State, file_is_missing, state_of
from onelook.batch.fingerprint import Fingerprint
from onelook.batch.ledger_reader import LedgerReader
from onelook.batch.listing import add_pictures
from onelook.batch.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION, UPGRADES, statements
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
            fresh = not exists(folder) or _is_unfinished(folder)
        except OSError as error:
            raise BatchError(
                f"{printable(str(folder))}: {error.strerror}", hint="name another folder with --out FOLDER"
            ) from None
        if fresh:
            make(folder, [*statements(SCHEMA), *_stamp(SCHEMA_VERSION)])
        connection = connect(folder, "mode=rw")
        with reporting(folder):
            ledger = cls(connection, folder)
            ledger._upgrade(ledger._check())
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        return ledger

    def _upgrade(self, found: int) -> None:
        """From the schema of version `found` to the newest, all at once or not at all."""
        if found == SCHEMA_VERSION:
            return
        self._connection.execute("PRAGMA foreign_keys = OFF")  # a table that others refer to is made anew
        with transaction(self._connection):
            for version in range(found, SCHEMA_VERSION):
                for each in statements(UPGRADES[version]):
                    self._connection.execute(each)
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._connection.execute("PRAGMA foreign_keys = ON")

    def add(self, pictures: Iterable[Listed], *, keep: bool = True) -> Added:
        """Add `pictures`, all or none. A file with another size or date now is to be hashed again; one that is not
        there any more stays as it was.

        `keep=False`: count only, and leave the ledger as it is.

        Raises:
            BatchError: an id is given to two pictures.
        """
        with reporting(self.folder), transaction(self._connection, keep=keep):
            return add_pictures(self._connection, pictures)

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

    def record(
        self, version: int, picture: int, sha256: bytes | None, result: TagResult, *, from_file: bool = False
    ) -> None:
        """Keep the outcome of a picture, in the place of an earlier one. `sha256`: None where its bytes are unknown.

        A file that is missing has an outcome only where there is no answer. `from_file`: see `state_of`; the picture
        may have other bytes by now.
        """
        state, kept = state_of(result, from_file=from_file), result.model_dump_json(exclude_defaults=True)
        with reporting(self.folder), transaction(self._connection):
            if sha256 is None and file_is_missing(result):
                self._connection.execute(
                    "INSERT INTO outcome (version, picture, state, failure) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET state = excluded.state, failure = excluded.failure, sha256 = NULL"
                    " WHERE answer IS NULL",
                    (version, picture, state, kept),
                )
                return
            self._hash(picture, sha256, from_file)
            if result.status == "failed":
                self._outcome(version, picture, state, None, kept, sha256)
                return
            (answer,) = self._connection.execute(
                "INSERT INTO answer (version, sha256, result) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET result = excluded.result RETURNING id",
                (version, sha256, kept),
            ).fetchone()
            self._outcome(version, picture, state, answer, None, sha256)

    def point(
        self, version: int, picture: int, sha256: bytes, kept: Kept, state: State, *, from_file: bool = False
    ) -> None:
        """Give a picture the answer that is there for the same bytes. `from_file`: as in `record`."""
        with reporting(self.folder), transaction(self._connection):
            self._hash(picture, sha256, from_file)
            self._outcome(version, picture, state, kept.id, None, sha256)

    def _hash(self, picture: int, sha256: bytes | None, from_file: bool) -> None:
        if sha256 is None:  # nothing is known of its bytes, or still nothing since its file has changed
            return
        self._connection.execute(
            "UPDATE picture SET sha256 = ?, unchecked = 0 WHERE id = ? AND NOT (? AND unchecked)",
            (sha256, picture, from_file),
        )

    def _outcome(
        self, version: int, picture: int, state: State, answer: int | None, failure: str | None, sha256: bytes | None
    ) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO outcome (version, picture, state, answer, failure, sha256)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (version, picture, state, answer, failure, sha256),
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


def _is_unfinished(folder: Path) -> bool:
    """Whether the ledger was begun and has no table yet, as by earlier releases on a full disk."""
    with reporting(folder), closing(connect(folder, "mode=ro")) as connection:
        (owner,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return bool(owner == 0 and tables == 0)


def _stamp(version: int) -> list[str]:
    return [f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {version}"]
