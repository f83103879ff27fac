"""From a reference (path, URL, bytes, pixels, …) to a file's bytes or to pixels, within limits, off the event loop."""

from __future__ import annotations

import asyncio
import re
import stat
from pathlib import Path
from urllib.parse import unquote

from PIL.Image import Image
from pybase64 import b64decode

from onelook.errors import ImageNotFound, ImageRefused, ImageUnreadable
from onelook.images.limits import Limits
from onelook.images.memory import InMemory, check_bytes, describe_object, path_of, read_object
from onelook.images.printable import printable
from onelook.ledger.stamps import span

SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
LONGEST_SHOWN = 200
URL_SAFE = str.maketrans("-_", "+/")

Loaded = bytes | Image
"""The bytes of a file, or pixels that were in memory already."""


async def read(reference: object, limits: Limits) -> Loaded:
    """What is behind `reference` (see `onelook.types.Reference`): the bytes of a file, or pixels.

    Raises:
        ImageNotFound: no such file; nothing behind the URL.
        ImageRefused: another scheme, not a regular file, or a URL that `limits` do not allow.
        ImageTooLarge: over `limits.max_bytes`, found before reading wherever the size is known.
        ImageUnreadable: not a picture, a folder, an empty or unreadable file, a broken data URL.
        ImageUnreachable: the download failed in a way that may pass.
    """
    if isinstance(reference, str) and is_url(reference):
        if not limits.allow_urls:
            raise ImageRefused("pictures by URL are turned off", hint="set ONELOOK_ALLOW_URLS=true to allow them")
        from onelook.images.download import download  # aiohttp takes a quarter of a second; most runs need none

        with span("download"):
            return _not_empty(await download(reference, limits), describe(reference))
    with span("read"):
        inner = reference.reference if isinstance(reference, InMemory) else reference
        if isinstance(inner, bytes):  # only their number is looked at: a thread would cost more than that
            return read_local(reference, limits)
        return await asyncio.to_thread(read_local, reference, limits)


def read_local(reference: object, limits: Limits) -> Loaded:
    """`read` for what needs no network, in the thread of the caller."""
    name = describe(reference)
    while isinstance(reference, InMemory):
        reference = reference.reference
    if isinstance(reference, str):
        data: Loaded = (
            _decode_data_url(reference, name, limits) if is_data_url(reference) else _read_text(reference, limits)
        )
    elif (path := path_of(reference)) is not None:
        data = _read_file(path, limits)
    else:
        data = read_object(reference, name, limits)
    return _not_empty(data, name) if isinstance(data, bytes) else data


def describe(reference: object) -> str:
    """How a message names the picture: short, and without a URL's password or query."""
    if isinstance(reference, InMemory):
        return describe(reference.reference) if reference.given_name is None else reference.given_name
    if (path := path_of(reference)) is not None:
        name = path
    elif not isinstance(reference, str):
        name = describe_object(reference)
    elif is_data_url(reference):
        return "data URL"
    elif is_url(reference):
        from onelook.images.urls import parse_url, shown

        try:
            name = shown(parse_url(reference))
        except ImageRefused:
            return "URL"
    else:
        name = reference
    shown_name = printable(name)
    return shown_name if len(shown_name) <= LONGEST_SHOWN else f"{shown_name[:LONGEST_SHOWN]}…"


def is_url(reference: str) -> bool:
    """Whether it has to be downloaded."""
    return reference[:8].lower().startswith(("http://", "https://"))


def is_data_url(reference: str) -> bool:
    """Whether it holds the picture itself."""
    return reference[:5].lower() == "data:"


def _not_empty(data: bytes, name: str) -> bytes:
    if not data:
        raise ImageUnreadable(f"{name}: zero bytes", hint="was it copied or downloaded completely?")
    return data


def _read_text(reference: str, limits: Limits) -> bytes:
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
        check_bytes(status.st_size, describe(path), limits)
        with Path(path).open("rb") as file:
            data = file.read(status.st_size + 1)
    except FileNotFoundError:
        raise ImageNotFound(f"{describe(path)}: no such file", hint="is the path right, seen from here?") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL or half a surrogate pair in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise ImageUnreadable(
            f"{describe(path)}: cannot be read: {reason}", hint="check path and permissions"
        ) from None
    check_bytes(len(data), describe(path), limits)
    return data


def _decode_data_url(url: str, name: str, limits: Limits) -> bytes:
    head, comma, payload = url.partition(",")
    if not comma:
        raise ImageUnreadable(f"{name}: a data URL without a comma", hint="write it as data:image/jpeg;base64,…")
    if not head.lower().endswith(";base64"):
        raise ImageUnreadable(f"{name}: a data URL without base64", hint="write it as data:image/jpeg;base64,…")
    check_bytes(len(payload) // 4 * 3 - 2, name, limits)
    # Line breaks (MIME), the URL-safe alphabet and missing padding (RFC 4648, sections 3.1, 3.2 and 5) lose nothing.
    payload = unquote("".join(payload.split())).translate(URL_SAFE).rstrip("=")
    try:
        return b64decode(payload + "=" * (-len(payload) % 4), validate=True)
    except ValueError as error:
        raise ImageUnreadable(f"{name}: broken base64: {error}", hint="was it cut off?") from None
