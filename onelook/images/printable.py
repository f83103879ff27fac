"""Names as people read them: whatever a file is called, a message about it is one line and moves no cursor."""

from __future__ import annotations

import os
import re

UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters: a terminal obeys them
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # line ends and directions: a name would look like another
    "\ud800-\udfff]"  # bytes that are no UTF-8, as `os.fsdecode` has them
)


def printable(name: str) -> str:
    r"""`name` with its control characters and the bytes that are no UTF-8 written as \x1b, \u202e, \xe9."""
    return UNPRINTABLE.sub(_escaped, name)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        code = os.fsencode(found[0])[0]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
