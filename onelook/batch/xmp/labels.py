"""Words that can stand in every list of keywords: no separators, nothing that XML forbids."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

SEPARATORS: Final = str.maketrans({"/": "／", "|": "｜", ",": "，"})
"""None of the formats has an escape. `/` parts levels in digiKam:TagsList and Immich, `|` in lr:hierarchicalSubject;
darktable splits entries at `,`, and PhotoPrism and Lightroom show keywords with commas between them. The full-width
forms of Unicode look alike and part nothing."""

FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What the production Char of XML 1.0 leaves out: control characters, surrogates, U+FFFE and U+FFFF."""

REPLACEMENT: Final = "\ufffd"


def line(text: str) -> str:
    """`text` as one line that XML can hold, with U+FFFD for what it cannot."""
    return " ".join(FORBIDDEN.sub(REPLACEMENT, text).split())


def clean(label: str) -> str:
    """`label` as such a line in Unicode's composed form, with full-width separators."""
    return unicodedata.normalize("NFC", line(label)).translate(SEPARATORS)


def split_path(entry: str, separator: str) -> tuple[str, ...]:
    """The levels of an entry of a list of paths, each cleaned: the same path is equal, whichever list it is from."""
    return tuple(level for part in entry.split(separator) if (level := clean(part)))
