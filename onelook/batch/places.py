"""Where a picture is, in the words of people: paths, `~`, file URIs and URLs."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

from onelook.errors import BatchError
from onelook.images.printable import printable
from onelook.images.source import SCHEME, is_data_url, is_url


def place_of(reference: str, where: str | None = None) -> str:
    """A path, or an http(s) or data URL. `where`: the line of a list that has it, for messages.

    Raises:
        BatchError: it has another scheme, or is a file URI of another machine.
    """
    if is_url(reference) or is_data_url(reference):
        return reference
    if reference == "~" or reference.startswith("~/"):
        return str(Path(reference).expanduser())
    scheme = SCHEME.match(reference)
    if scheme is None:
        return reference
    at = f"{where}: " if where else ""
    if scheme[1].lower() != "file":
        raise BatchError(
            f"{at}{printable(reference)}: '{scheme[1]}' addresses are not read",
            hint="give paths or http(s) URLs: mount the store, copy the pictures, or use signed URLs",
        )
    host, _, path = reference[scheme.end() :].partition("/")
    if host.lower() not in ("", "localhost"):
        raise BatchError(
            f"{at}{printable(reference)}: a file of another machine, {printable(host)}",
            hint="give the path at which this machine sees it; a file URI of this one begins with file:///",
        )
    return os.fsdecode(unquote_to_bytes(f"/{path}"))
