"""From the words on the command line to the pictures that are meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from onelook.errors import SettingsError

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".tif", ".tiff", ".bmp", ".heic", ".heif", ".apng", ".jfif"}
)


def expand(words: Iterable[str]) -> Iterator[str]:
    """A folder becomes the pictures in it and below it, in order of name; anything else stays as it is.

    A word that names nothing stays as well: its picture then fails, with the reason, and the others go on.
    """
    for word in words:
        folder = Path(word)
        if "://" in word or not folder.is_dir():
            yield word
            continue
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                yield str(path)


def no_pictures(words: Iterable[str]) -> SettingsError:
    """The error where `expand` yields nothing."""
    return SettingsError(
        f"no pictures in {', '.join(words)}", hint="name files, or folders that hold JPEG, PNG, WebP, HEIC …"
    )
