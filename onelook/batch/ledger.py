"""What a batch has done and has still to do, in one SQLite file. One thread at a time uses a `Ledger`."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Self, get_args

from onelook.batch.database import LEDGER, connect, exists, read_only, reporting, transaction
from onelook.batch.fingerprint import Fingerprint
from onelook.batch.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION
from onelook.errors import BatchError
from onelook.images.printable import printable
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import TagResult

State = Literal["ok", "needs_review", "failed", "may_pass"]
"""An outcome. `may_pass`: it failed, and the same question may be answered later."""

STATES: Final[tuple[State, ...]] = get_args(State)
How = Literal["finished", "stopped", "failures", "limit"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A picture as a source names it. `place`: an absolute path in the system's bytes, or a URL. `size` in bytes, and
    `mtime_ns`, of the file; None for a URL and where there is no file. `where`: its line in a manifest, for messages.
    """

    place: bytes
    name: str | None = None
    size: int | None = None
    mtime_ns: int | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """How many of the pictures that were listed are new, have changed since, and were there before."""

    new: int = 0
    changed: int = 0
    known: int = 0


@dataclass(frozen=True, slots=True)
class Todo:
    picture: int
    place: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that is in the ledger."""

    id: int
    result: str


class Row(NamedTuple):
    """A picture, its outcome and the JSON of its result; `first`: the picture that its answer was given for."""

    picture: int
    place: bytes
    name: str | None
    sha256: bytes | None
    state: State | None
    result: str | None
    first: int | None
    first_name: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """Answers of one fingerprint. `begun`: in seconds since 1970. `taxonomy`: with the labels that it had last."""

    id: int
    fingerprint: str
    made_from: dict[str, Any]
    begun: float
    taxonomy: Taxonomy | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a batch. `ended` is None while it runs, and after it was killed."""

    id: int
    version: int
    process: int
    begun: float
    ended: float | None
    how: How | None
    left_out: dict[str, int]
    progress: dict[str, Any]


class Ledger:
    """`Ledger.create` makes or opens one for writing, `Ledger.read` opens one for reading beside a run.

    A commit survives the death of the process; after a power cut the last ones may be gone, as a whole, and are asked
    again (WAL with synchronous=NORMAL, https://www.sqlite.org/wal.html).
    """

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._connection = connection
        self.folder = folder

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

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises `BatchError` where there is none, or it is another program's or of a newer onelook."""
        if not exists(folder):
            raise BatchError(
                f"{printable(str(folder))} holds no batch", hint="`onelook batch PICTURES… --out FOLDER` begins one"
            )
        ledger = cls(read_only(folder), folder)
        with reporting(folder):
            ledger._check()
        return ledger

    @property
    def connection(self) -> sqlite3.Connection:
        """For the parts of the ledger that have a class of their own."""
        return self._connection

    def close(self) -> None:
        self._connection.close()

    def _check(self) -> None:
        (owner,) = self._connection.execute("PRAGMA application_id").fetchone()
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if owner != APPLICATION_ID:
            raise BatchError(
                f"{printable(str(self.folder / LEDGER))} is not a ledger of onelook",
                hint="name another folder with --out FOLDER",
            )
        if found > SCHEMA_VERSION:
            raise BatchError(
                f"{printable(str(self.folder / LEDGER))} was written by a newer onelook (version {found} of the ledger,"
                f" this one reads {SCHEMA_VERSION})",
                hint="upgrade with `pip install --upgrade onelook`, or name another folder with --out FOLDER",
            )

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
        """The next pictures in the order of listing, after the picture `after`: those without an outcome, and those
        whose outcome is one of `again`."""
        states = ", ".join("?" for _ in again)
        rows = self._connection.execute(
            f"""SELECT picture.id, picture.place FROM picture
                LEFT JOIN outcome ON outcome.version = ? AND outcome.picture = picture.id
                WHERE picture.id > ? AND (outcome.state IS NULL OR outcome.state IN ({states}))
                ORDER BY picture.id LIMIT ?""",  # noqa: S608 - question marks only
            (version, after, *again, at_most),
        )
        return [Todo(*row) for row in rows]

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

    def rows(self, version: int) -> Iterator[Row]:
        """Each picture in the order of listing."""
        rows = self._connection.execute(
            """SELECT picture.id, picture.place, picture.name, picture.sha256, outcome.state,
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

    def failures(self, version: int) -> Iterator[tuple[State, str]]:
        """Outcome and JSON of each picture that failed."""
        return iter(
            self._connection.execute(
                "SELECT state, failure FROM outcome WHERE version = ? AND failure IS NOT NULL", (version,)
            )
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

    def last_run(self) -> Run | None:
        row = self._connection.execute(
            "SELECT id, version, process, begun, ended, how, left_out, progress FROM run ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        id_, version, process, begun, ended, how, left_out, progress = row
        return Run(id_, version, process, begun, ended, how, json.loads(left_out), json.loads(progress))


def state_of(result: TagResult) -> State:
    """The outcome of a picture with this result."""
    if result.status == "failed" and result.errors and result.errors[-1].retryable:
        return "may_pass"
    return result.status


def shown(place: bytes) -> str:
    """A place for people."""
    return printable(place.decode(errors="surrogateescape"))
