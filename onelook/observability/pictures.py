"""Removes picture data from text that is stored elsewhere."""

from __future__ import annotations

import re

PICTURE_DATA = re.compile(
    r"""
    (?:data:image/[\w.+-]+;base64,)?
    [A-Za-z0-9+/_-]{120,}={0,2}          # base64; words, paths and hashes are shorter
    | \\+x[0-9a-f]{2}(?:[^\\]{0,120}\\+(?:x[0-9a-f]{2}|.)){15,}  # bytes as Python writes them
    """,
    re.VERBOSE,
)


def without_pictures(text: str) -> str:
    """`text` with everything that can be picture data replaced by its length in characters."""
    return PICTURE_DATA.sub(lambda found: f"[{len(found[0])} characters of data]", text)
