"""A file is written beside its place and then renamed into it: whoever reads it finds the old one whole, or the new."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

PART: Final = ".part"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path to write to; after the block its file is synced and takes the place of `target`. What a killed process
    left beside `target` is removed.

    Raises:
        OSError: it cannot be written; `target` is as it was.
    """
    for each in list(_left_over(target)):
        _remove(each)
    part = target.with_name(f".{target.name}.{os.getpid()}{PART}")
    try:
        part.unlink(missing_ok=True)
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(target)
        sync_folder(target.parent)
    except BaseException:
        _remove(part)
        raise


def left_over(target: Path) -> Path | None:
    """What a killed process has written for `target`, if anything."""
    return next(_left_over(target), None)


def _left_over(target: Path) -> Iterator[Path]:
    """The parts of processes that are gone."""
    beginning = f".{target.name}."
    for each in target.parent.iterdir():
        process = each.name.removeprefix(beginning).removesuffix(PART)
        if each.name == f"{beginning}{process}{PART}" and process.isdigit() and not psutil.pid_exists(int(process)):
            yield each


def _remove(part: Path) -> None:
    """Not being able to is no reason to hide what went wrong before."""
    for each in (part, part.with_name(f"{part.name}-journal")):
        with suppress(OSError):
            each.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """So that the new name survives a power cut. Windows opens no folders, and some network disks do not sync them."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
