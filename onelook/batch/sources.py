"""From the words of a command line to the pictures that a batch lists: one after another, so that millions fit."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from glob import has_magic, iglob
from pathlib import Path

from onelook.batch.entries import Listed
from onelook.batch.manifest import Columns, is_manifest, read_manifest
from onelook.images.source import is_data_url, is_url
from onelook.images.walk import Found, meant_pictures


def listed_pictures(
    words: Iterable[str], found: Found, *, columns: Columns, read_list: Callable[[], bytes] = bytes
) -> Iterator[Listed]:
    """The pictures that `words` mean: files, URLs, folders with all that is below them, patterns such as
    `2024/**/*.jpg`, manifests (CSV, JSONL, Parquet), and for `-` the names in `read_list()`.

    Paths are made absolute, so that a batch goes on from any folder. What is left out of folders is counted in `found`.

    Raises:
        SettingsError: a word is empty.
        BatchError: a manifest cannot be read; see `read_manifest`.
    """
    for word in words:
        if is_manifest(word):
            for row in read_manifest(Path(word), columns):
                yield _listed(row.place, row.name, row.where)
        else:
            for path, _ in meant_pictures(_matching(word), found, read_list):
                yield _listed(path)


def _matching(word: str) -> Iterable[str]:
    """The shell has replaced a pattern already, if it was not quoted. One that matches nothing stays, and fails."""
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
