"""Tables as people keep them: CSV, JSONL or Parquet, row by row with the number of each line."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

from onelook.errors import TableError
from onelook.images.printable import printable

SUFFIXES: Final = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
PATH_COLUMNS: Final = ("path", "file", "image", "picture", "url", "file_name", "filename", "image_path", "image_url")
DELIMITERS: Final = ",;\t"
"""Excel writes a semicolon where the comma is the decimal sign, and a tab into "Unicode Text"."""

ROWS_AT_ONCE: Final = 4096


@dataclass(frozen=True, slots=True)
class Row:
    """`line`: where the row ends in the file; in Parquet, its number. `mistake`: why it has no cells."""

    line: int
    cells: Mapping[str, Any]
    mistake: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """`names`: of the columns; None where every row has its own, in JSONL. `rows`: once, and of Parquet the named
    columns only."""

    names: Sequence[str] | None
    rows: Callable[[Sequence[str] | None], Iterator[Row]]


@contextmanager
def open_table(file: Path) -> Iterator[Table]:
    """The table in `file`, by its suffix. It is read as it is iterated over: a million rows take no more memory than a
    few thousand.

    Raises:
        TableError: the file cannot be opened or decoded, or is not what its suffix says.
    """
    try:
        with ExitStack() as opened:
            match file.suffix.lower():
                case ".parquet":
                    yield _parquet(file, opened)
                case ".jsonl" | ".ndjson":
                    lines = opened.enter_context(file.open("rb"))
                    yield Table(None, lambda names: _jsonl(lines))
                case ".csv" | ".tsv":
                    yield _csv(file, opened)
                case suffix:
                    raise _wrong(
                        file,
                        f"is no table: {suffix or 'no suffix'} is none of {', '.join(SUFFIXES)}",
                        "save a spreadsheet as CSV UTF-8, or give the file its suffix",
                    )
    except OSError as error:
        raise _wrong(file, error.strerror or str(error), "correct its name, or its permissions") from None
    except UnicodeDecodeError:
        raise _not_utf8(file) from None
    except csv.Error as error:
        raise _wrong(file, f"is no CSV: {error}", "correct its quotes") from None


def _csv(file: Path, opened: ExitStack) -> Table:
    lines = opened.enter_context(file.open(encoding=_encoding(file), newline=""))
    header = lines.readline()
    lines.seek(0)
    delimiter = max(DELIMITERS, key=header.count)
    reader = csv.DictReader(lines, delimiter=delimiter, restkey="", strict=True)
    return Table(reader.fieldnames or (), lambda names: _cells(reader, delimiter))


def _cells(reader: csv.DictReader[str], delimiter: str) -> Iterator[Row]:
    for cells in reader:
        if not any(cells.values()):  # Excel writes such lines where a sheet once had rows
            continue
        if any(cells.pop("", None) or ()):
            words = f"has more cells than the header has columns: put a cell with {delimiter!r} in it into quotes"
            yield Row(reader.line_num, {}, words)
        else:
            yield Row(reader.line_num, cells)


def _jsonl(lines: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if not text.strip():
            continue
        decoded = text.decode()  # if it is not UTF-8, no line of the file can be trusted
        try:
            cells = json.loads(decoded)  # slower than orjson, and an id of 30 digits stays what it is
        except (ValueError, RecursionError) as error:
            yield Row(number, {}, f"is no JSON: {error}")
            continue
        yield Row(number, cells) if isinstance(cells, dict) else Row(number, {}, "is no JSON object")


def _parquet(file: Path, opened: ExitStack) -> Table:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise _wrong(file, "needs the package pyarrow", "pip install 'onelook[batch]'") from None
    try:
        table = opened.enter_context(ParquetFile(file))
    except ArrowException as error:
        raise _wrong(file, f"is no Parquet file: {error}", "write it again") from None
    except OSError as error:
        if error.errno is not None:  # no such file
            raise
        raise _wrong(file, f"is no Parquet file: {error}", "write it again") from None
    return Table([str(name) for name in table.schema_arrow.names], partial(_batches, file, table))


def _batches(file: Path, table: Any, names: Sequence[str] | None) -> Iterator[Row]:
    """Arrow's own errors are `ValueError`, and `OSError` without a number."""
    number = 0
    batches = table.iter_batches(ROWS_AT_ONCE, columns=None if names is None else list(names))
    while True:
        try:
            batch = next(batches, None)
        except (ValueError, OSError) as error:
            raise _wrong(file, f"is broken after row {number}: {error}", "write it again") from None
        if batch is None:
            return
        try:
            rows = batch.to_pylist()
        except UnicodeDecodeError as error:
            where = f"rows {number + 1} to {number + batch.num_rows}"
            raise _wrong(
                file, f"has a text in {where} that is not UTF-8: {error}", "write such texts as binary"
            ) from None
        for cells in rows:
            number += 1
            yield Row(number, cells)


def _encoding(file: Path) -> str:
    with file.open("rb") as opened:
        return "utf-16" if _begins_as_utf16(opened) else "utf-8-sig"


def _begins_as_utf16(file: BinaryIO) -> bool:
    return file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _not_utf8(file: Path) -> TableError:
    data = file.read_bytes()
    try:
        data.decode()
        where = ""
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f" (line {line}, byte {error.start})"
    try:
        data.decode("gb18030")
        convert = f"; if it is GBK: iconv -f GB18030 -t UTF-8 {file.name} > utf8-{file.name}"
    except UnicodeDecodeError:
        convert = ""
    return _wrong(file, f"is not UTF-8{where}", f"save it as UTF-8; in Excel as CSV UTF-8{convert}")


def _wrong(file: Path, what: str, hint: str) -> TableError:
    return TableError(f"{printable(str(file))} {what}", hint=hint)
