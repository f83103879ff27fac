"""A file is written beside its place and then renamed into it: whoever reads it finds the old one whole, or the new."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from onelook.batch.database import LEDGER
from onelook.errors import BatchError
from onelook.images.printable import printable

PART: Final = ".part"
FULL: Final = (errno.ENOSPC, errno.EDQUOT)


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
    part = target.with_name(f".{target.name}.{os.getpid()}{PART}")
    try:
        with reporting(out):
            _remove_left_over(target)
            part.unlink(missing_ok=True)
            yield part
            with part.open("rb+") as written:
                os.fsync(written.fileno())
            part.replace(target)
            _sync_folder(target.parent)
    except BaseException:
        _remove(part)
        raise


@contextmanager
def reporting(out: Path) -> Iterator[None]:
    """What cannot be done with the file `out` becomes a `BatchError`."""
    name = printable(str(out))
    try:
        yield
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


def _remove_left_over(target: Path) -> None:
    """The parts of exports that were killed: their process is gone."""
    beginning = f".{target.name}."
    for each in target.parent.iterdir():
        process = each.name.removeprefix(beginning).removesuffix(PART)
        if each.name == f"{beginning}{process}{PART}" and process.isdigit() and not psutil.pid_exists(int(process)):
            _remove(each)


def _remove(part: Path) -> None:
    """Not being able to is no reason to hide what went wrong before."""
    for each in (part, part.with_name(f"{part.name}-journal")):
        try:
            each.unlink(missing_ok=True)
        except OSError:
            return


def _sync_folder(folder: Path) -> None:
    """So that the new name survives a power cut. Windows opens no folders, and some network disks do not sync them."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(opened)
    except OSError:
        return
    finally:
        os.close(opened)
