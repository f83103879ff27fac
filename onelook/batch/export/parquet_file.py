"""Parquet through pyarrow, in row groups: a million pictures take no more memory than one group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final

from onelook.batch.export.columns import Column, Value
from onelook.errors import BatchError

ROWS_AT_ONCE: Final = 4096
BATCHES_IN_A_GROUP: Final = 16
"""65,536 rows: groups that readers can skip, and whose dictionaries are worth it."""


def arrow_schema(columns: Sequence[Column]) -> Any:
    """The `pyarrow.Schema` of these columns; pyarrow must be installed."""
    import pyarrow

    types = {
        "text": pyarrow.string(),
        "texts": pyarrow.list_(pyarrow.string()),
        "number": pyarrow.float64(),
        "integer": pyarrow.int64(),
        "flag": pyarrow.bool_(),
    }
    return pyarrow.schema([(column.name, types[column.kind]) for column in columns])


def write_parquet(
    file: BinaryIO, columns: Sequence[Column], rows: Iterator[list[Value]], *, metadata: Mapping[str, str]
) -> int:
    """How many pictures were written. Every column has its type, also where all its values are null.

    Raises:
        BatchError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow.parquet import ParquetWriter
    except ImportError:
        raise BatchError(
            "Parquet needs the package pyarrow, which is not installed", hint="pip install 'onelook[batch]'"
        ) from None
    schema = arrow_schema(columns).with_metadata(dict(metadata))
    written, group = 0, list[Any]()
    with ParquetWriter(file, schema, compression="zstd") as writer:
        while chunk := list(islice(rows, ROWS_AT_ONCE)):
            arrays = [
                pyarrow.array(values, field.type)
                for values, field in zip(zip(*chunk, strict=True), schema, strict=True)
            ]
            group.append(pyarrow.RecordBatch.from_arrays(arrays, schema=schema))
            written += len(chunk)
            if len(group) == BATCHES_IN_A_GROUP:
                writer.write_table(pyarrow.Table.from_batches(group))
                group.clear()
        if group:
            writer.write_table(pyarrow.Table.from_batches(group))
    return written
