"""From the words of a command line to the pictures that a batch lists: one after another, so that millions fit."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from glob import has_magic, iglob
from pathlib import Path

from onelook.batch.entries import Listed
from onelook.batch.manifest import Columns, is_manifest, read_manifest
from onelook.batch.places import place_of
from onelook.errors import BatchError
from onelook.images.printable import printable
from onelook.images.source import is_data_url, is_url
from onelook.images.walk import STANDARD_INPUT, Found, meant_pictures


def listed_pictures(
    words: Iterable[str], found: Found, *, columns: Columns, read_list: Callable[[], bytes] = bytes
) -> Iterator[Listed]:
    """The pictures that `words` mean: files, URLs, folders with all that is below them, patterns such as
    `2024/**/*.jpg`, manifests (CSV, JSONL, Parquet), and for `-` the names in `read_list()`.

    Paths are made absolute, so that a batch goes on from any folder. What is left out of folders is counted in `found`.

    Raises, at once:
        BatchError: a word names nothing, or has a scheme that is not read.
    Raises, at its turn:
        SettingsError: a word is empty.
        BatchError: a manifest cannot be read; see `read_manifest`.
    """
    return _listed_pictures([_named(word) for word in words], found, columns, read_list)


def _named(word: str) -> str:
    """The word as a place that there is: a typo is no picture. Names in lists are, and fail with their reason."""
    place = place_of(word)
    if place in ("", STANDARD_INPUT) or is_url(place) or is_data_url(place):
        return place
    try:
        there = os.path.lexists(place) or (has_magic(place) and next(iglob(place, recursive=True), None) is not None)  # noqa: PTH207 - as below
    except ValueError:  # a NUL
        there = False
    if there:
        return place
    what = "matches nothing" if has_magic(place) else "no such file or folder"
    raise BatchError(
        f"{printable(word)}: {what}",
        hint="correct its name, or leave PICTURES out to go on with what --out FOLDER lists",
    )


def _listed_pictures(
    places: Iterable[str], found: Found, columns: Columns, read_list: Callable[[], bytes]
) -> Iterator[Listed]:
    for place in places:
        if is_manifest(place):
            for row in read_manifest(Path(place), columns):
                yield _listed(row.place, row.name, row.where)
        else:
            for path, _ in meant_pictures(_matching(place), found, read_list):
                yield _listed(place_of(path, "standard input"))


def _matching(word: str) -> Iterable[str]:
    """The shell has replaced a pattern already, if it was not quoted."""
    if not has_magic(word) or is_url(word) or is_data_url(word) or os.path.lexists(word):
        return [word]
    return sorted(iglob(word, recursive=True)) or [word]  # noqa: PTH207 - Path.glob takes no absolute pattern


def _listed(reference: str, name: str | None = None, where: str | None = None) -> Listed:
    if is_url(reference) or is_data_url(reference):
        return Listed(reference.encode(errors="surrogateescape"), name, where=where)
    place = os.fsencode(Path(reference).absolute())
    try:
        status = Path(reference).stat()
    except (OSError, ValueError):  # nothing there, or a name that no file can have: it fails with the reason
        return Listed(place, name, where=where)
    if not stat.S_ISREG(status.st_mode):
        return Listed(place, name, where=where)
    return Listed(place, name, status.st_size, status.st_mtime_ns, where)
