"""From names, folders and lists of names to the pictures that are meant, with a reason for each entry left out."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from onelook.errors import SettingsError
from onelook.images.formats import OPENERS, identify
from onelook.images.source import SCHEME, is_data_url

STANDARD_INPUT = "-"
FIRST_BYTES = 512

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".tif", ".tiff", ".bmp", ".heic", ".heif", ".apng", ".jfif"}
)
"""A file of a folder with another suffix, or with none, is a picture if its first bytes are those of one."""

SYSTEM_NAMES = frozenset(
    {
        "@eadir",
        "#recycle",
        "__macosx",
        "$recycle.bin",
        "desktop.ini",
        "lost+found",
        "system volume information",
        "thumbs.db",
    }
)
"""What systems put beside pictures, lower case. Names that begin with a dot (`.thumbnails`, `._cat.jpg`) as well."""

HIDDEN = "hidden or of the system"
NOT_PICTURES = "not a picture"
REPEATED = "given before"
DANGLING = "link to nothing"
FOLDER_LINK = "link to a folder, which is not followed"
SPECIAL = "pipe, socket or device"
CLOSED = "cannot be opened"
BACKUP = "ExifTool's backup of a picture"

BACKUP_ENDING = "_original"
"""What ExifTool adds to the name of a file that it changes, for the file as it was."""


@dataclass(slots=True)
class Found:
    """`pictures`: each once, in the order given, a folder's in order of name. `left_out`: how many entries for each
    reason. `closed`: names of the folders and files that could not be opened, with the system's reason."""

    pictures: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    closed: list[str] = field(default_factory=list)


def find_pictures(words: Iterable[str], read_list: Callable[[], bytes] = bytes) -> Found:
    """All that `meant_pictures` yields, each picture once.

    Raises:
        SettingsError: a word is empty.
    """
    found = Found()
    seen: set[str] = set()
    for path, identity in meant_pictures(words, found, read_list):
        if identity in seen:
            found.left_out[REPEATED] += 1
        else:
            seen.add(identity)
            found.pictures.append(path)
    return found


def meant_pictures(
    words: Iterable[str], found: Found, read_list: Callable[[], bytes] = bytes
) -> Iterator[tuple[str, str]]:
    """The pictures that `words` mean, each with what makes it the same as another: files, URLs and data URLs as they
    are; folders with all that is below them; and for `-` the names in `read_list()`, one a line, or separated by NUL
    bytes if there are any. What is left out is counted in `found`.

    A word that names nothing is kept: its picture then fails, with the reason, and the others go on. In folders, the
    bytes of a name that are no UTF-8 become half surrogate pairs (`os.fsdecode`), with which the file can be opened.

    Raises:
        SettingsError: a word is empty.
    """
    for word in words:
        if not word:
            raise SettingsError(
                "the name of a picture is empty", hint='is a variable of the shell empty? "." is the current folder'
            )
        for name in _listed(read_list()) if word == STANDARD_INPUT else [word]:
            yield from _meant(name, found)


def _listed(data: bytes) -> Iterator[str]:
    """The names of a list, such as `find -print0` and `ls` write it."""
    names = data.split(b"\0") if b"\0" in data else (line.rstrip(b"\r") for line in data.split(b"\n"))
    return (os.fsdecode(name) for name in names if name)


def _meant(word: str, found: Found) -> Iterator[tuple[str, str]]:
    """The pictures of one word, each with what makes it the same as another."""
    if is_data_url(word) or SCHEME.match(word):
        yield word, word
        return
    try:
        folder = stat.S_ISDIR(Path(word).stat().st_mode)
        identity = os.path.realpath(word)
    except (OSError, ValueError):  # a name that no file can have: its picture fails with the reason
        folder, identity = False, word
    if folder:
        yield from _below(word, found)
    else:
        yield word, identity


def _below(top: str, found: Found) -> Iterator[tuple[str, str]]:
    """The pictures in a folder and below it, in order of name; what is left out is counted in `found`."""
    waiting: list[tuple[str, str, os.DirEntry[str] | None]] = [(top, os.path.realpath(top), None)]
    while waiting:
        path, real, entry = waiting.pop()
        if entry is not None and not entry.is_dir(follow_symlinks=False):
            yield path, os.path.realpath(path) if entry.is_symlink() else real
            continue
        try:
            with os.scandir(path) as entries:
                inside = sorted(entries, key=lambda each: each.name, reverse=True)
        except OSError as error:
            _closed(path, error, found)
            continue
        for each in inside:
            try:
                reason = _why_not(each)
            except OSError as error:
                _closed(each.path, error, found)
                continue
            if reason is None:
                waiting.append((each.path, str(Path(real, each.name)), each))
            else:
                found.left_out[reason] += 1


def is_hidden(name: str) -> bool:
    """Whether an entry of a folder is hidden or of the system by its name, so that it is not looked at."""
    return name.startswith(".") or name.lower() in SYSTEM_NAMES


def is_backup(path: Path) -> bool:
    """Whether this is ExifTool's `photo.jpg_original`, beside the `photo.jpg` that it was made of."""
    name = path.name.removesuffix(BACKUP_ENDING)
    return name not in ("", path.name) and path.with_name(name).is_file()


def _why_not(entry: os.DirEntry[str]) -> str | None:
    """Why an entry of a folder is not looked at; None for folders and pictures."""
    if is_hidden(entry.name):
        return HIDDEN
    if entry.is_dir(follow_symlinks=False):
        return None
    if entry.name.endswith(BACKUP_ENDING) and is_backup(Path(entry.path)):
        return BACKUP
    if entry.is_symlink():
        if not Path(entry.path).exists():
            return DANGLING
        if entry.is_dir():
            return FOLDER_LINK
    if not entry.is_file():
        return SPECIAL
    if Path(entry.name).suffix.lower() in SUFFIXES:
        return None
    with Path(entry.path).open("rb") as file:
        start = file.read(FIRST_BYTES)
    return None if _is_picture(start) else NOT_PICTURES


def _is_picture(start: bytes) -> bool:
    """Two letters make no BMP where the suffix does not say so: its header has four zeros that texts have not."""
    name = identify(start)
    return name in OPENERS and (name != "BMP" or start[6:10] == bytes(4))


def _closed(path: str, error: OSError, found: Found) -> None:
    found.left_out[CLOSED] += 1
    found.closed.append(f"{path}: {error.strerror}")
