"""Which questions are in files, as the ledger keeps it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onelook.batch.database import reporting, transaction
from onelook.batch.ledger import Ledger

_CUSTOM_ID = re.compile(r"([0-9a-f]{12})-([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """A picture whose question is in a file. `width` and `height`: as it was sent, in pixels."""

    picture: int
    sha256: bytes
    width: int
    height: int


def custom_id(fingerprint: str, sha256: bytes) -> str:
    """What a question is found again by: what its answer depends on, and nothing of this machine."""
    return f"{fingerprint}-{sha256.hex()}"


def read_custom_id(text: str) -> tuple[str, bytes] | None:
    """Fingerprint and SHA-256; None for an id that is not ours."""
    found = _CUSTOM_ID.fullmatch(text)
    return None if found is None else (found[1], bytes.fromhex(found[2]))


class Requests:
    """Those of one version of the answers."""

    def __init__(self, ledger: Ledger, version: int) -> None:
        self._connection, self._folder, self._version = ledger.connection, ledger.folder, version

    def keep(self, file: str, asked: Iterable[Asked]) -> None:
        """The questions about these pictures are in `file`, in the place of an earlier one; a failure that may pass and
        what is known of other bytes are forgotten, because the picture waits for an answer again."""
        asked = list(asked)
        with reporting(self._folder), transaction(self._connection):
            self._connection.executemany(
                "DELETE FROM outcome WHERE version = ? AND picture = ? AND (state = 'may_pass' OR sha256 <> ?)",
                [(self._version, each.picture, each.sha256) for each in asked],
            )
            self._connection.executemany(
                "DELETE FROM request WHERE version = ? AND picture = ? AND sha256 <> ?",
                [(self._version, each.picture, each.sha256) for each in asked],
            )
            self._connection.executemany(
                "UPDATE picture SET sha256 = ?, unchecked = 0 WHERE id = ?",
                [(each.sha256, each.picture) for each in asked],
            )
            self._connection.executemany(
                "INSERT OR REPLACE INTO request (version, sha256, picture, file, width, height)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [(self._version, each.sha256, each.picture, file, each.width, each.height) for each in asked],
            )

    def forget(self, file: str) -> None:
        """There is no such file after all."""
        with reporting(self._folder), transaction(self._connection):
            self._connection.execute("DELETE FROM request WHERE version = ? AND file = ?", (self._version, file))

    def files(self) -> list[str]:
        """The names of all files with questions."""
        rows = self._connection.execute(
            "SELECT DISTINCT file FROM request WHERE version = ? ORDER BY file", (self._version,)
        )
        return [str(name) for (name,) in rows]

    def file_of(self, picture: int) -> str | None:
        """The file in which the question about this picture waits for its answer."""
        row = self._connection.execute(
            """SELECT file FROM request WHERE picture = ?1 AND version = ?2
               AND NOT EXISTS (SELECT 1 FROM outcome WHERE version = ?2 AND picture = ?1)""",
            (picture, self._version),
        ).fetchone()
        return None if row is None else str(row[0])

    def file_with(self, sha256: bytes) -> str | None:
        """The file in which the question about these bytes waits for its answer."""
        row = self._connection.execute(
            """SELECT file FROM request WHERE version = ?1 AND sha256 = ?2 AND NOT EXISTS (
                   SELECT 1 FROM outcome WHERE version = ?1 AND outcome.picture = request.picture
               ) ORDER BY picture LIMIT 1""",
            (self._version, sha256),
        ).fetchone()
        return None if row is None else str(row[0])

    def asked(self, sha256: bytes) -> list[Asked]:
        """The pictures with these bytes whose question is in a file, and whose file has not changed since."""
        rows = self._connection.execute(
            """SELECT picture, request.sha256, width, height FROM request
               JOIN picture ON picture.id = request.picture AND NOT picture.unchecked
               WHERE version = ? AND request.sha256 = ? ORDER BY picture""",
            (self._version, sha256),
        )
        return [Asked(*row) for row in rows]

    def unanswered(self) -> Iterator[tuple[str, bytes, bytes]]:
        """File, SHA-256 and place of each picture whose question is in a file and that has no outcome, file by file."""
        return iter(
            self._connection.execute(
                """SELECT request.file, request.sha256, picture.place FROM request
                   JOIN picture ON picture.id = request.picture
                   WHERE request.version = ? AND NOT EXISTS (
                       SELECT 1 FROM outcome
                       WHERE outcome.version = request.version AND outcome.picture = request.picture
                   )
                   ORDER BY request.file, request.picture""",
                (self._version,),
            )
        )
