"""Small pictures for the gallery. Each is made once, into `thumbnails/`: a report can do without the album."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final

from onelook.batch.export.thumbnails import encoded
from onelook.errors import ImageError, ImageNotFound
from onelook.images.limits import Limits
from onelook.images.source import read_local
from onelook.images.threads import cores
from onelook.lab.experiment.design import DesignPicture
from onelook.lab.experiment.report.recorded import Recorded

FOLDER: Final = "thumbnails"
LONG_EDGE: Final = 160
MOST: Final = 2000
"""So many pictures have a thumbnail in the report, some 3 kB each: first those whose arms differ, or are wrong."""


class Missing(StrEnum):
    """Why a picture has no thumbnail."""

    MOVED = "moved"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    LEFT_OUT = "left_out"


def thumbnails(folder: Path, recorded: Recorded, limits: Limits, most: int = MOST) -> dict[str, bytes | Missing]:
    """A WebP by the name of each picture, for the `most` that a reader wants to see first; what is missing says why.

    A picture is read where the last run found it. One whose bytes are not those of the design is not shown.
    """
    album = _album(recorded)
    ordered = sorted(recorded.design.pictures, key=lambda each: _rank(recorded, each))
    chosen = {each.sha256: each for each in reversed(ordered[:most])}  # the same bytes have one thumbnail
    with ThreadPoolExecutor(cores(), thread_name_prefix="onelook-thumbnail") as pool:
        made = pool.map(lambda each: _thumbnail(folder / FOLDER, album, each, limits), chosen.values())
        found = dict(zip(chosen, made, strict=True))
    return {each.name: found.get(each.sha256, Missing.LEFT_OUT) for each in recorded.design.pictures}


def _album(recorded: Recorded) -> Path | None:
    if not recorded.runs.sessions:
        return None
    album = Path(recorded.runs.sessions[-1].album)
    return album.parent if album.is_file() else album


def _rank(recorded: Recorded, picture: DesignPicture) -> int:
    """0: one arm is right and another is wrong, or they answer differently; 1: all are wrong; 2: the rest."""
    outcomes = [recorded.by_key.get((recorded.first, picture.name, arm)) for arm in recorded.arms]
    answers = [each and each.answer for each in outcomes]
    if any(each != answers[0] for each in answers):
        return 0
    return 2 if picture.truth is None or answers[0] == picture.truth else 1


def _thumbnail(stored: Path, album: Path | None, picture: DesignPicture, limits: Limits) -> bytes | Missing:
    file = stored / f"{picture.sha256}.webp"
    if file.is_file():
        return file.read_bytes()
    if album is None:
        return Missing.MOVED
    try:
        data = read_local(str(album / picture.name), limits)
        if not isinstance(data, bytes) or sha256(data).hexdigest() != picture.sha256:
            return Missing.CHANGED
        small = encoded(data, picture.name, limits, LONG_EDGE)
    except ImageNotFound:
        return Missing.MOVED
    except ImageError:
        return Missing.UNREADABLE
    stored.mkdir(exist_ok=True)
    part = file.with_suffix(".part")
    part.write_bytes(small)
    part.replace(file)
    return small
