"""The SQLite file of a folder: opening it, transactions, and its failures in words."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from onelook.batch.replacing import replacing
from onelook.errors import BatchError, DiskFull, LedgerDamaged
from onelook.images.printable import printable

LEDGER: Final = "ledger.sqlite"
BUSY_S = 60.0
FULL: Final = (errno.ENOSPC, errno.EDQUOT)
"""What the system reports of a disk, or a user's share of it, that has no room left."""


def exists(folder: Path) -> bool:
    """A file without a byte is none: some copies and full disks leave one."""
    try:
        return (folder / LEDGER).stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def make(folder: Path, statements: Sequence[str]) -> None:
    """A ledger, made by `statements` beside its place and then renamed: it is there as a whole or not at all.

    Raises:
        BatchError: it cannot be written.
    """
    try:
        for left_over in ("-wal", "-shm", "-journal"):  # of a file that is gone: SQLite would take it for this one's
            (folder / f"{LEDGER}{left_over}").unlink(missing_ok=True)
        with (
            replacing(folder / LEDGER) as part,
            reporting(folder),
            closing(sqlite3.connect(part, isolation_level=None)) as connection,
            transaction(connection),
        ):
            for each in statements:
                connection.execute(each)
    except OSError as error:
        kind = DiskFull if error.errno in FULL else BatchError
        raise kind(
            f"{printable(str(folder / LEDGER))} cannot be made: {error.strerror}",
            hint="free some space and start it again, or name another folder with --out FOLDER",
        ) from None


class _Connection(sqlite3.Connection):
    """Of the ledger in `folder`. What SQLite cannot do is a `BatchError`, wherever a row is read: a damaged page is
    found when its row is."""

    folder: Path

    def execute(self, sql: str, parameters: Any = (), /) -> _Cursor:
        return self.cursor(_Cursor).execute(sql, parameters)


class _Cursor(sqlite3.Cursor):
    connection: _Connection

    def execute(self, sql: str, parameters: Any = (), /) -> _Cursor:
        try:
            super().execute(sql, parameters)
        except sqlite3.DatabaseError as error:
            raise _reported(error, self.connection) from None
        return self

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except sqlite3.DatabaseError as error:
            raise _reported(error, self.connection) from None

    def fetchone(self) -> Any:
        return next(self, None)

    def fetchall(self) -> list[Any]:
        return list(self)


def _reported(error: sqlite3.DatabaseError, connection: _Connection) -> Exception:
    return error if isinstance(error, sqlite3.IntegrityError) else _refusal(error, connection.folder)


def connect(folder: Path, parameters: str) -> sqlite3.Connection:
    """`parameters`: of SQLite's URI, such as `mode=ro`. One thread at a time uses the connection.

    Raises:
        BatchError: the file cannot be opened.
    """
    with reporting(folder):
        address = f"{(folder.absolute() / LEDGER).as_uri()}?{parameters}"
        connection = sqlite3.connect(
            address, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_S, factory=_Connection
        )
        connection.folder = folder
        connection.execute("PRAGMA foreign_keys = ON")
    return connection


def read_only(folder: Path) -> sqlite3.Connection:
    """For reading beside a run, or from a medium that cannot be written: there, readers have no room for the memory
    that they share while there is a write-ahead log."""
    immutable = not os.access(folder, os.W_OK) and not (folder / f"{LEDGER}-wal").exists()
    return connect(folder, "mode=ro&immutable=1" if immutable else "mode=ro")


@contextmanager
def transaction(connection: sqlite3.Connection, *, keep: bool = True) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # SQLite itself has rolled back where the disk is full
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT" if keep else "ROLLBACK")


@contextmanager
def reporting(folder: Path) -> Iterator[None]:
    """What SQLite cannot do with the files of `folder` becomes a `BatchError`."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _refusal(error, folder) from None


def _refusal(error: sqlite3.DatabaseError, folder: Path) -> BatchError:
    name = error.sqlite_errorname if hasattr(error, "sqlite_errorname") else ""
    file = printable(str(folder / LEDGER))
    if name.startswith("SQLITE_FULL"):
        return DiskFull(
            f"{file}: the disk is full; what is done so far is kept", hint="free some space and start it again"
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return BatchError(f"{file}: cannot be written", hint="check its permissions, or name another folder")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")) or "decode to UTF-8" in str(error):
        return LedgerDamaged(f"{file} is no ledger, or is damaged", hint="restore it, or name another folder")
    if name.startswith("SQLITE_BUSY"):
        return BatchError(f"{file} is in use by another process", hint="wait for it, or end it")
    return BatchError(f"{file}: {error}", hint="is its disk full, or was it removed?")
