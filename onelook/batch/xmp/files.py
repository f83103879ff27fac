"""Replacing a sidecar: written aside, synced and renamed, so that a reader finds the old one whole, or the new."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from onelook.errors import MetadataError
from onelook.images.printable import printable

PART: Final = ".onelook-part"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file as it was read. `data` is None where there is none; `mark` changes when somebody writes it."""

    data: bytes | None
    mark: tuple[int, int, int] | None
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
            return Snapshot(None, None)
        if not stat.S_ISREG(status.st_mode):
            raise MetadataError("it is no regular file")
        return Snapshot(path.read_bytes(), _mark(status), status)


def replace(path: Path, data: bytes, before: Snapshot) -> None:
    """Put `data` in the place of the file, which keeps its owner and permissions; a link to it stays a link.

    Raises:
        Changed: it is no longer as it was in `before`.
        MetadataError: it, or its folder, cannot be written.
    """
    with reporting():
        check_writable(before)
        target = Path(os.path.realpath(path))
        part = target.with_name(f".{os.getpid()}{PART}")  # short: a picture's name may be as long as names can be
        try:
            part.unlink(missing_ok=True)
            with part.open("xb") as file:
                if before.status is not None:
                    with suppress(OSError):  # only an administrator gives files away
                        os.fchown(file.fileno(), before.status.st_uid, before.status.st_gid)
                    os.fchmod(file.fileno(), stat.S_IMODE(before.status.st_mode))
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
        check_writable(before)
        _check_same(path, before)
        path.unlink()
        sync_folder(path.parent)


def remove_left_over(folder: Path) -> None:
    """What a killed process left in this folder."""
    with suppress(OSError), os.scandir(folder) as listing:
        for each in listing:
            process = each.name.removesuffix(PART).removeprefix(".")
            if each.name.endswith(PART) and process.isdigit() and not psutil.pid_exists(int(process)):
                with suppress(OSError):
                    Path(each.path).unlink()


def sync_folder(folder: Path) -> None:
    """So that the new name survives a power cut. Windows opens no folders, and some network disks do not sync them."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


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


def check_writable(before: Snapshot) -> None:
    """Raises `MetadataError` for a read-only file, which a renamed one would replace all the same."""
    if before.status is not None and not before.status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise MetadataError("it is read-only", hint="allow writing (chmod u+w) if its tags may change")


def _check_same(path: Path, before: Snapshot) -> None:
    try:
        now = _mark(path.stat())
    except FileNotFoundError:
        now = None
    if now != before.mark:
        raise Changed


def _mark(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
