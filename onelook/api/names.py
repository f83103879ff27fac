"""Names that clients give to pictures, made safe to show: in a result, a terminal, a log."""

from __future__ import annotations

import ntpath
import unicodedata

LONGEST_NAME = 200


def shown_name(given: str) -> str:
    """The last part of a file's name, on one line; empty if nothing is left of it.

    Folders go (`/` and `\\`, because browsers on Windows have sent whole paths), and so do control characters, the
    marks that reorder text, unassigned characters, and what exceeds `LONGEST_NAME` characters.
    """
    printable = "".join(each for each in given if unicodedata.category(each)[0] != "C")
    name = " ".join(ntpath.basename(printable).split())
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
