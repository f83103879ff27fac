"""One process at a time works on the folder of a batch. The system frees the lock with the process, however it ends."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from onelook.batch.database import LEDGER, exists
from onelook.errors import BatchError
from onelook.images.printable import printable

LOCK: Final = "batch.lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`, which is made where it is missing, until the block ends.

    Raises:
        BatchError: another process holds it, or the folder cannot be made, or it holds other files and no batch.
    """
    file = folder / LOCK
    try:
        _refuse_foreign(folder)
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file, blocking=False)
        lock.acquire()
        try:
            _owner_file(folder).write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        except OSError:
            lock.release()
            raise
    except Timeout:
        raise BatchError(
            f"{printable(str(folder))} is in use{_owner(file)}",
            hint="one process works on a folder; `onelook batch watch FOLDER` shows how far it is",
        ) from None
    except OSError as error:
        raise BatchError(
            f"{printable(str(folder))}: {error.strerror}", hint="name another folder with --out FOLDER"
        ) from None
    try:
        yield
    finally:
        _owner_file(folder).unlink(missing_ok=True)
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether a process works on the batch in `folder` now."""
    if not (folder / LOCK).exists():
        return False
    try:
        with FileLock(folder / LOCK, blocking=False):
            return False
    except Timeout:
        return True
    except OSError:  # a medium that cannot be written has no process at work on it
        return False


def _owner_file(folder: Path) -> Path:
    return folder / "batch.owner"


def _owner(file: Path) -> str:
    try:
        return f" by {_owner_file(file.parent).read_text(encoding='utf-8')}"
    except OSError:
        return ""


def _refuse_foreign(folder: Path) -> None:
    """A folder with other files and no batch is more likely a mistyped name than the place for one."""
    if not folder.exists() or (folder / LOCK).exists() or exists(folder):
        return
    if not folder.is_dir():
        raise BatchError(f"{printable(str(folder))} is a file", hint="name a new or an empty folder with --out FOLDER")
    if any(each.name != LEDGER for each in folder.iterdir()):  # an empty one is begun anew
        raise BatchError(
            f"{printable(str(folder))} holds other files and no batch",
            hint="name a new or an empty folder with --out FOLDER",
        )
