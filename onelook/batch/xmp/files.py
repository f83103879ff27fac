"""Replacing a sidecar: written aside, synced and renamed, so that a reader finds the old one whole, or the new."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final

from onelook.batch.replacing import sync_folder
from onelook.errors import MetadataError
from onelook.images.printable import printable

PART: Final = ".onelook-part"
LEFT_OVER_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file as it was read; both are None where there is none."""

    data: bytes | None
    status: os.stat_result | None = None


class Changed(Exception):
    """Somebody wrote the file since it was read."""


def read(path: Path) -> Snapshot:
    """Raises `MetadataError` for what is no file, cannot be read, or is a link to another folder."""
    with reporting():
        check_link(path)
        try:
            status = path.stat()
        except FileNotFoundError:
            return Snapshot(None)
        if not stat.S_ISREG(status.st_mode):
            raise MetadataError("it is no regular file")
        return Snapshot(path.read_bytes(), status)


def replace(path: Path, data: bytes, before: Snapshot) -> None:
    """Put `data` in the place of the file, which keeps its owner and permissions; a link to it stays a link.

    Raises:
        Changed: it is no longer as it was in `before`.
        MetadataError: it, or its folder, cannot be written.
    """
    with reporting():
        check_writable(before.status)
        target = Path(os.path.realpath(path))
        part = target.with_name(f".{token_hex(8)}{PART}")  # short: a picture's name may be as long as names can be
        try:
            with part.open("xb") as file:
                if before.status is not None:
                    # Only an administrator gives files away, and Windows has no owners.
                    with suppress(OSError, AttributeError):
                        os.chown(part, before.status.st_uid, before.status.st_gid)
                    part.chmod(stat.S_IMODE(before.status.st_mode))
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _check_same(path, before)
            part.replace(target)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
        sync_folder(target.parent)


def remove(path: Path, before: Snapshot) -> None:
    """Raises as `replace`."""
    with reporting():
        check_writable(before.status)
        _check_same(path, before)
        path.unlink()
        sync_folder(path.parent)


def remove_left_over(folder: Path) -> None:
    """What a killed process left in this folder: by its age, because other machines may be writing here."""
    with suppress(OSError), os.scandir(folder) as listing:
        for each in listing:
            if each.name.endswith(PART):
                with suppress(OSError):
                    if each.stat().st_mtime < time.time() - LEFT_OVER_S:
                        Path(each.path).unlink()


@contextmanager
def reporting() -> Iterator[None]:
    """What the operating system refuses becomes a `MetadataError`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MetadataError("the disk is full; the file is as it was", hint="free some space") from None
        reason = error.strerror or str(error)
        raise MetadataError(f"it cannot be read or written: {reason}", hint="check its permissions") from None


def check_link(path: Path) -> None:
    """Raises `MetadataError` where `path` is a link to another folder's file, which may be outside of the archive."""
    target = Path(os.path.realpath(path))
    if path.is_symlink() and target.parent != Path(os.path.realpath(path.parent)):
        raise MetadataError(
            f"it is a link to {printable(str(target))}, in another folder",
            hint="put a copy of the file in the place of the link, if its tags may change",
        )


def check_writable(status: os.stat_result | None) -> None:
    """Raises `MetadataError` for a read-only file, which a renamed one would replace all the same."""
    if status is not None and not status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise MetadataError("it is read-only", hint="allow writing (chmod u+w) if its tags may change")


def _check_same(path: Path, before: Snapshot) -> None:
    try:
        now = path.stat()
    except FileNotFoundError:
        now = None
    if _mark(now) != _mark(before.status):
        raise Changed


def _mark(status: os.stat_result | None) -> tuple[int, int, int] | None:
    """What changes when somebody writes the file."""
    return None if status is None else (status.st_ino, status.st_size, status.st_mtime_ns)
