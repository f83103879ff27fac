"""From the words on the command line to the pictures that are meant, and how output calls them."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from onelook.cli.failure import fail
from onelook.errors import SettingsError
from onelook.images.printable import printable
from onelook.images.source import SCHEME
from onelook.images.walk import Found, find_pictures


def named_pictures(words: Sequence[str]) -> Found:
    """The pictures that `words` mean, `-` being a list on standard input; ends the command where there is none."""
    found = find_pictures(words, sys.stdin.buffer.read)
    if not found.pictures:
        where = "standard input" if list(words) == ["-"] else ", ".join(words)
        reasons = [left_out_line(found.left_out)] if found.left_out else []
        reasons += [f"{reason}" for reason in found.closed]
        fail(
            SettingsError(
                printable(f"no pictures in {where}" + "".join(f"; {reason}" for reason in reasons)),
                hint="name files, or folders that hold JPEG, PNG, WebP, HEIC …",
            )
        )
    return found


def left_out_line(left_out: Counter[str]) -> str:
    """How many entries were left out, and why."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.most_common())
    return f"left out {left_out.total()}: {reasons}"


def name_in_json(names: Sequence[str]) -> dict[str, object]:
    r"""What a program finds the pictures of a result by.

    `image` is the name as it was given, so that it can be opened. JSON is Unicode, and a name of bytes that are no
    UTF-8 is not: these bytes are then written as \xe9, and `image_uris` has the file URI of each picture, which keeps
    every byte (`caf%E9.jpg`).
    """
    name = " + ".join(names)
    raw = os.fsencode(name)
    readable = raw.decode(errors="backslashreplace")
    if readable == name:
        return {"image": name}
    return {"image": readable, "image_uris": [each if SCHEME.match(each) else _uri(each) for each in names]}


def _uri(name: str) -> str:
    return Path(name).absolute().as_uri()
