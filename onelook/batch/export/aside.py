"""Where an export may be written, and what can go wrong there."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onelook.batch.database import FULL, LEDGER
from onelook.batch.replacing import replacing
from onelook.errors import BatchError
from onelook.images.printable import printable


@contextmanager
def aside(out: Path, folder: Path) -> Iterator[Path]:
    """A path to write to; after the block its file is synced and takes the place of `out`.

    `folder`: of the batch, whose ledger is never replaced. What a killed export left beside `out` is removed.

    Raises:
        BatchError: `out` is a folder, or a file of the ledger, or it cannot be written.
    """
    target = Path(os.path.realpath(out))
    if target.is_dir():
        raise BatchError(f"{printable(str(out))} is a folder", hint="name a file with --out FILE")
    if target.parent == Path(os.path.realpath(folder)) and target.name.startswith((LEDGER, "batch.")):
        raise BatchError(f"{printable(str(out))} belongs to the batch itself", hint="name another file with --out FILE")
    with reporting(out), replacing(target) as part:
        yield part


@contextmanager
def reporting(out: Path) -> Iterator[None]:
    """What cannot be done with the file `out` becomes a `BatchError`, except that the reader of a pipe has gone."""
    name = printable(str(out))
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise _full(name) from None
        if error.errno == errno.ENOENT:
            raise BatchError(f"{name}: its folder does not exist", hint="make it, or name another --out FILE") from None
        raise BatchError(
            f"{name} cannot be written: {error.strerror or error}", hint="name another file with --out FILE"
        ) from None
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            raise _full(name) from None
        raise BatchError(f"{name} cannot be written: {error}", hint="name another file with --out FILE") from None


def _full(name: str) -> BatchError:
    return BatchError(
        f"{name}: the disk is full; the file that was there is as it was",
        hint="free some space, or name a file on another disk with --out FILE",
    )
