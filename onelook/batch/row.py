"""One picture of an archive: the hash of its bytes, and its result. Every runner uses this; a failure is a result."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from onelook.answering.failure import failed_result
from onelook.errors import ImageError, ImageUnreachable
from onelook.images.limits import Limits
from onelook.images.source import describe, is_data_url, is_url, read
from onelook.result import TagResult
from onelook.settings.choices import complete
from onelook.tagger import Tagger
from onelook.types import Context, Reference

ATTEMPTS: Final = 3
"""A file that changes while it is read is read so many times."""

Stamp = tuple[int, int, int, int, int]
"""Device, inode, size and the times of its last change: a file that is written or replaced has another one."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is given to the tagger, and the SHA-256 of its bytes: None where they cannot be read, which the tagger
    reports. `stamp`: of the file when it was hashed."""

    subject: Reference
    sha256: bytes | None
    stamp: Stamp | None = None


async def identify(place: str, limits: Limits, *, whole: bool = False) -> Source:
    """A file is read here only for its hash, piece by piece, and again by the tagger when it is its turn to be decoded:
    from the system's cache, so that the pictures in flight take no memory; `is_still` then tells whether both read the
    same. What is behind a URL is downloaded once.

    `whole`: the tagger gets the bytes of a file too, so that its path is in no message.
    """
    if whole or is_url(place) or is_data_url(place):
        try:
            data = await read(place, limits)
        except ImageError:
            return Source(place, None)
        return Source(data, hashlib.sha256(data).digest()) if isinstance(data, bytes) else Source(place, None)
    return await asyncio.to_thread(_hashed, place, limits.max_bytes)


async def is_still(place: str, source: Source, limits: Limits) -> bool:
    """Whether the file at `place` has the bytes of `source` still, so that the tagger has read these too."""
    if source.stamp is None or source.stamp == await asyncio.to_thread(_stamp_of, place):
        return True
    return (await identify(place, limits)).sha256 == source.sha256


async def tag_file(
    tagger: Tagger, place: str, context: Context | None = None, *, attempts: int = ATTEMPTS
) -> tuple[bytes | None, TagResult]:
    """The hash of a picture's bytes, and the result for them: for runners that keep no answers by hash."""
    limits = tagger.services.limits
    source = await identify(place, limits)
    result = await tag_row(tagger, place, source, context)
    if await is_still(place, source, limits):
        return source.sha256, result
    if attempts == 1:
        return None, never_still(tagger, place, context)
    return await tag_file(tagger, place, context, attempts=attempts - 1)


def never_still(tagger: Tagger, name: str, context: Context | None) -> TagResult:
    """The result of a picture whose file changes as often as it is read."""
    error = ImageUnreachable(
        f"{describe(name)}: it changes while it is read", hint="is it being copied? Start again when it is complete"
    )
    result = failed_result(tagger.services, complete(context, tagger.services.run), error, "prepare")
    return result.model_copy(update={"source": describe(name)})


async def tag_row(tagger: Tagger, name: str, source: Source, context: Context | None = None) -> TagResult:
    """The result of a picture; a failure, and even a bug, is one. `name`: what it calls the picture.

    Raises:
        SettingsError: `context` chooses what this process does not have.
    """
    return await tagger.tag_or_report(source.subject, context, name=None if source.subject == name else name)


def _hashed(place: str, max_bytes: int) -> Source:
    """Without a hash for what is no file, cannot be read, or is larger than what would be tagged."""
    try:
        status = Path(place).stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > max_bytes:
            return Source(place, None)
        with Path(place).open("rb") as file:
            stamp = _stamp(os.fstat(file.fileno()))
            return Source(place, hashlib.file_digest(file, "sha256").digest(), stamp)
    except (OSError, ValueError):
        return Source(place, None)


def file_sha256(place: str) -> bytes | None:
    """None where it cannot be read."""
    return _hashed(place, sys.maxsize).sha256


def _stamp_of(place: str) -> Stamp | None:
    try:
        return _stamp(Path(place).stat())
    except OSError:
        return None


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
