"""JSONL: an object a line, with every key on every line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import orjson

from onelook.batch.export.columns import Column, Value


def write_jsonl(file: BinaryIO, columns: Sequence[Column], rows: Iterator[list[Value]]) -> int:
    """How many pictures were written."""
    names = [column.name for column in columns]
    written = 0
    for row in rows:
        file.write(orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE))
        written += 1
    return written
