"""From a reference (path, URL, data URL or bytes) to the bytes of a file, within limits and off the event loop."""

from __future__ import annotations

import asyncio
import re
import stat
from pathlib import Path

from pybase64 import b64decode

from onelook.errors import ImageNotFound, ImageRefused, ImageTooLarge, ImageUnreadable
from onelook.images.download import download, parse_url, shown
from onelook.images.limits import Limits
from onelook.ledger.stamps import span

SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
LONGEST_SHOWN = 200


async def read(reference: str | bytes, limits: Limits) -> bytes:
    """The bytes behind `reference`: a local path, an http(s) URL, a data URL, or the bytes themselves.

    Raises:
        ImageNotFound: no such file; nothing behind the URL.
        ImageRefused: another scheme, not a regular file, or a URL that `limits` do not allow.
        ImageTooLarge: over `limits.max_bytes`, found before reading wherever the size is known.
        ImageUnreadable: a folder, an empty or unreadable file, a broken data URL.
        ImageUnreachable: the download failed in a way that may pass.
    """
    if isinstance(reference, str) and _is_url(reference):
        if not limits.allow_urls:
            raise ImageRefused("pictures by URL are turned off", hint="set ONELOOK_ALLOW_URLS=true to allow them")
        with span("download"):
            data = await download(reference, limits)
    elif isinstance(reference, bytes):  # only their number is looked at: a thread would cost more than that
        with span("read"):
            data = _read_local(reference, limits)
    else:
        with span("read"):
            data = await asyncio.to_thread(_read_local, reference, limits)
    if not data:
        raise ImageUnreadable(f"{describe(reference)}: zero bytes", hint="was it copied or downloaded completely?")
    return data


def describe(reference: str | bytes) -> str:
    """How a message names the picture: short, and without a URL's password or query."""
    if isinstance(reference, bytes):
        return "the given bytes"
    if _is_data_url(reference):
        return "data URL"
    if _is_url(reference):
        try:
            reference = shown(parse_url(reference))
        except ImageRefused:
            return "URL"
    printable = reference.encode(errors="backslashreplace").decode()  # a file name need not be valid Unicode
    return printable if len(printable) <= LONGEST_SHOWN else f"{printable[:LONGEST_SHOWN]}…"


def _is_url(reference: str) -> bool:
    return reference[:8].lower().startswith(("http://", "https://"))


def _is_data_url(reference: str) -> bool:
    return reference[:5].lower() == "data:"


def _read_local(reference: str | bytes, limits: Limits) -> bytes:
    if isinstance(reference, bytes):
        _check_size(len(reference), reference, limits)
        return reference
    if _is_data_url(reference):
        return _decode_data_url(reference, limits)
    if scheme := SCHEME.match(reference):
        raise ImageRefused(
            f"{describe(reference)}: '{scheme[1]}' addresses are not read",
            hint="give a plain path, an http(s) URL or a data URL",
        )
    if not reference:
        raise ImageNotFound("no picture was named", hint="give a path, an http(s) URL, a data URL or bytes")
    return _read_file(reference, limits)


def _read_file(path: str, limits: Limits) -> bytes:
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageUnreadable(f"{describe(path)} is a folder", hint="name the pictures in it")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for a writer, a device may never end
            raise ImageRefused(f"{describe(path)} is not a regular file", hint="copy the picture into a file")
        _check_size(status.st_size, path, limits)
        with Path(path).open("rb") as file:
            data = file.read(status.st_size + 1)
    except FileNotFoundError:
        raise ImageNotFound(f"{describe(path)}: no such file", hint="is the path right, seen from here?") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL or half a surrogate pair in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise ImageUnreadable(
            f"{describe(path)}: cannot be read: {reason}", hint="check path and permissions"
        ) from None
    _check_size(len(data), path, limits)
    return data


def _decode_data_url(url: str, limits: Limits) -> bytes:
    head, comma, payload = url.partition(",")
    if not comma:
        raise ImageUnreadable("data URL without a comma", hint="write it as data:image/jpeg;base64,…")
    if not head.lower().endswith(";base64"):
        raise ImageUnreadable("data URL without base64", hint="write it as data:image/jpeg;base64,…")
    _check_size(len(payload) // 4 * 3 - 2, url, limits)
    try:
        return b64decode(payload, validate=True)
    except ValueError as error:
        raise ImageUnreadable(f"data URL: broken base64: {error}", hint="was it cut off?") from None


def _check_size(size: int, reference: str | bytes, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise ImageTooLarge(
            f"{describe(reference)}: {size / 1e6:.1f} MB, over the limit of {limits.max_bytes / 1e6:g} MB",
            hint="use a smaller file or raise ONELOOK_MAX_IMAGE_MB",
        )
