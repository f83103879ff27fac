"""CSV (RFC 4180) for spreadsheets: a value never becomes a formula, and Excel finds out that it is UTF-8."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from onelook.batch.export.columns import Column, Value

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a formula begins, in full width too (https://owasp.org/www-community/attacks/CSV_Injection)."""

SEPARATOR: Final = "+"


def write_csv(file: BinaryIO, columns: Sequence[Column], rows: Iterator[list[Value]], *, bom: bool = True) -> int:
    """How many pictures were written. Several values in a cell are joined with `+`; texts that a spreadsheet would take
    for a formula begin with an apostrophe. `bom`: begin with the mark by which Excel knows UTF-8."""
    if bom:
        file.write(codecs.BOM_UTF8)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    written = 0
    try:
        writer = csv.writer(text)
        writer.writerow(column.name for column in columns)
        for row in rows:
            writer.writerow(map(_cell, row))
            written += 1
        text.flush()
    finally:
        text.detach()
    return written


def _cell(value: Value) -> object:
    if isinstance(value, list):
        value = SEPARATOR.join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
