"""One picture of an archive: the hash of its bytes, and its result. Every runner uses this; a failure is a result."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path

from onelook.errors import ImageError
from onelook.images.limits import Limits
from onelook.images.source import is_data_url, is_url, read
from onelook.result import TagResult
from onelook.tagger import Tagger
from onelook.types import Context, Reference


@dataclass(frozen=True, slots=True)
class Source:
    """What is given to the tagger, and the SHA-256 of its bytes: None where they cannot be read, which the tagger
    reports."""

    subject: Reference
    sha256: bytes | None


async def identify(place: str, limits: Limits, *, whole: bool = False) -> Source:
    """A file is read here only for its hash, piece by piece, and again by the tagger when it is its turn to be decoded:
    from the system's cache, so that the pictures in flight take no memory. What is behind a URL is downloaded once.

    `whole`: the tagger gets the bytes of a file too, so that its path is in no message.
    """
    if whole or is_url(place) or is_data_url(place):
        try:
            data = await read(place, limits)
        except ImageError:
            return Source(place, None)
        return Source(data, hashlib.sha256(data).digest()) if isinstance(data, bytes) else Source(place, None)
    return Source(place, await asyncio.to_thread(_file_sha256, place, limits.max_bytes))


async def tag_row(tagger: Tagger, name: str, source: Source, context: Context | None = None) -> TagResult:
    """The result of a picture; a failure, and even a bug, is one. `name`: what it calls the picture.

    Raises:
        SettingsError: `context` chooses what this process does not have.
    """
    return await tagger.tag_or_report(source.subject, context, name=None if source.subject == name else name)


def _file_sha256(place: str, max_bytes: int) -> bytes | None:
    """None for what is no file, cannot be read, or is larger than what would be tagged."""
    try:
        status = Path(place).stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > max_bytes:
            return None
        with Path(place).open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except (OSError, ValueError):
        return None
