"""A packet's bytes as text and back: UTF-8, UTF-16, UTF-32, or what its XML declaration names."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from typing import Final

from onelook.errors import MetadataError

BEGINNINGS: Final = (
    (BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (BOM_UTF32_BE, "utf-32-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (BOM_UTF16_LE, "utf-16-le"),
    (BOM_UTF16_BE, "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
"""https://www.w3.org/TR/xml/#sec-guessing. A byte order mark stays in the text, so that it is written again."""

DECLARED: Final = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]{1,200}?encoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]*)[\"']")


def decode(data: bytes) -> tuple[str, str]:
    """The text, and the encoding that turns it into the same bytes again.

    Raises:
        MetadataError: the encoding is unknown, or the bytes are not in it.
    """
    encoding = next((name for beginning, name in BEGINNINGS if data.startswith(beginning)), None)
    if encoding is None:
        found = DECLARED.match(data)
        encoding = "utf-8" if found is None else found[1].decode("ascii")
    try:
        text = data.decode(encoding)
        if text.encode(encoding) == data:
            return text, encoding
    except LookupError:
        raise MetadataError(f"its encoding {encoding} is unknown", hint="save it as UTF-8") from None
    except UnicodeError:
        pass
    raise MetadataError(f"its bytes are not in its encoding {encoding}", hint="save it as UTF-8")


def encode(text: str, encoding: str) -> bytes:
    """What the encoding has no character for becomes a character reference."""
    return text.encode(encoding, "xmlcharrefreplace")
