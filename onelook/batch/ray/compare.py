"""The list of pictures beside the answers: which files have changed, which answers are duplicates, what is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import compute, parquet

from onelook.batch.ray.answers import STAMP, answer_files, to_place, write_again
from onelook.batch.row import file_sha256


def read_list(file: Path) -> pyarrow.Table:
    """`id`, `place`, `size`, `mtime_ns`, and `number` in the order of listing. A list of an earlier release has no
    sizes and dates: it is written anew with none."""
    listed = parquet.read_table(file)
    if "size" not in listed.column_names:
        for name in ("size", "mtime_ns"):
            listed = listed.append_column(name, pyarrow.nulls(listed.num_rows, pyarrow.int64()))
        write_again(file, listed)
    return listed.append_column("number", pyarrow.array(range(listed.num_rows), pyarrow.int64()))


def drop_changed(folder: Path, listed: pyarrow.Table) -> int:
    """Remove the answers about files that have other bytes now, so that they are asked about again; how many.

    Only files with another size or date are hashed. One that is missing keeps its answer.
    """
    found = _read(folder, ["id", "sha256", *STAMP])
    joined = found.join(listed, "id", join_type="inner")
    same = compute.and_(
        compute.equal(joined["size"], joined[STAMP[0]]), compute.equal(joined["mtime_ns"], joined[STAMP[1]])
    )
    differ = compute.and_(joined["size"].is_valid(), compute.invert(compute.fill_null(same, False)))
    dropped = 0
    for file, rows in _by_file(joined.filter(differ)).items():
        checked = {row["id"]: row for row in rows}
        table = parquet.read_table(file)
        keep, stamps = list[bool](), list[tuple[int | None, int | None]]()
        for id_, *stamp in zip(*(table[name].to_pylist() for name in ("id", *STAMP)), strict=True):
            row = checked.get(id_)
            keep.append(row is None or (row["sha256"] is not None and _sha256(row["place"]) == row["sha256"]))
            stamps.append((stamp[0], stamp[1]) if row is None else (row["size"], row["mtime_ns"]))
        for name, values in zip(STAMP, zip(*stamps, strict=True), strict=True):
            index = table.schema.get_field_index(name)
            table = table.set_column(index, name, pyarrow.array(values, pyarrow.int64()))
        write_again(file, table.filter(pyarrow.array(keep)))
        dropped += keep.count(False)
    return dropped


def mark_duplicates(folder: Path, listed: pyarrow.Table) -> None:
    """Give each answer in `duplicate_of` the id of the first picture of the list with the same bytes."""
    found = _read(folder, ["id", "sha256", "duplicate_of"])
    if found.num_rows == 0:
        return
    counted = found["sha256"].drop_null().value_counts()
    several = counted.field("values").filter(compute.greater(counted.field("counts"), 1))
    of_interest = compute.or_(compute.is_in(found["sha256"], value_set=several), found["duplicate_of"].is_valid())
    twins = found.filter(of_interest).join(listed.select(["id", "number"]), "id", join_type="left outer")
    first = dict[str, str]()
    rows = sorted(twins.to_pylist(), key=lambda row: (row["number"] is None, row["number"] or 0, row["id"]))
    changed = dict[str, dict[str, str | None]]()
    for row in rows:
        original = first.setdefault(row["sha256"], row["id"])
        duplicate_of = None if original == row["id"] else original
        if duplicate_of != row["duplicate_of"]:
            changed.setdefault(row["file"], {})[row["id"]] = duplicate_of
    for file, new in changed.items():
        table = parquet.read_table(file)
        pairs = zip(table["id"].to_pylist(), table["duplicate_of"].to_pylist(), strict=True)
        values = pyarrow.array([new.get(id_, old) for id_, old in pairs], pyarrow.string())
        index = table.schema.get_field_index("duplicate_of")
        write_again(Path(file), table.set_column(index, table.schema.field(index), values))


def count_answers(folder: Path, listed: pyarrow.Table) -> Counter[str]:
    """The pictures of the list by status, `todo` without an answer; `others`: answers about pictures that are in it no
    more."""
    found = _read(folder, ["id", "status"])
    inside = found.filter(compute.is_in(found["id"], value_set=listed["id"].combine_chunks()))
    counts = Counter[str]({row["values"]: row["counts"] for row in inside["status"].value_counts().to_pylist()})
    counts["todo"] = listed.num_rows - inside.num_rows
    counts["others"] = found.num_rows - inside.num_rows
    return counts


def _read(folder: Path, columns: Sequence[str]) -> pyarrow.Table:
    """Of all answers, with the name of the `file` of each; files of an earlier release, which have not all of these
    columns, are left out."""
    tables = []
    for file in answer_files(folder):
        if set(columns) <= set(parquet.read_schema(file).names):
            table = parquet.read_table(file, columns=list(columns))
            tables.append(table.append_column("file", pyarrow.array([str(file)] * table.num_rows)))
    types = {name: pyarrow.int64() if name in STAMP else pyarrow.string() for name in [*columns, "file"]}
    return pyarrow.concat_tables(tables) if tables else pyarrow.schema(list(types.items())).empty_table()


def _by_file(table: pyarrow.Table) -> dict[Path, list[dict[str, Any]]]:
    found = dict[Path, list[dict[str, Any]]]()
    for row in table.to_pylist():
        found.setdefault(Path(row["file"]), []).append(row)
    return found


def _sha256(place: bytes) -> str | None:
    found = file_sha256(to_place(place))
    return None if found is None else found.hex()
