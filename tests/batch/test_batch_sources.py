"""What a batch lists: folders, patterns, lists on standard input, manifests, and names of any bytes."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from onelook.batch.entries import Listed
from onelook.batch.manifest import Columns
from onelook.batch.sources import listed_pictures
from onelook.errors import BatchError, TableError, UserError
from onelook.images.walk import Found
from tests.batch.pictures import paint


def listed(*words: str | Path, columns: Columns | None = None, standard_input: bytes = b"") -> list[Listed]:
    return list(
        listed_pictures(map(str, words), Found(), columns=columns or Columns(), read_list=lambda: standard_input)
    )


def names(pictures: list[Listed]) -> list[str]:
    return [os.fsdecode(each.place).rsplit("/", 1)[-1] for each in pictures]


def test_paths_are_absolute_and_have_size_and_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = paint(tmp_path, 1)
    monkeypatch.chdir(tmp_path)
    (found,) = listed(".")
    status = path.stat()
    assert found == Listed(os.fsencode(path), None, status.st_size, status.st_mtime_ns)


def test_names_of_any_bytes_and_of_several_lines(tmp_path: Path) -> None:
    (path,) = paint(tmp_path / "one", 1)
    strange = [b"line\nbreak.jpg", b"caf\xe9.jpg", "😀.jpg".encode()]
    for name in strange:
        os.link(path, os.fsencode(tmp_path) + b"/" + name)
    assert {each.place.rsplit(b"/", 1)[-1] for each in listed(tmp_path)} == {*strange, b"000.jpg"}
    joined = b"\0".join(os.fsencode(tmp_path) + b"/" + name for name in strange)
    assert [each.place.rsplit(b"/", 1)[-1] for each in listed("-", standard_input=joined)] == strange


def test_a_pattern_that_the_shell_left_alone(tmp_path: Path) -> None:
    paint(tmp_path / "a" / "b", 2)
    paint(tmp_path / "c", 1, first=7)
    assert names(listed(f"{tmp_path}/**/*.jpg")) == ["000.jpg", "001.jpg", "007.jpg"]
    assert names(listed(f"{tmp_path}/none*.jpg")) == ["none*.jpg"]  # fails later, by its name
    (tmp_path / "c" / "[1].jpg").write_bytes(b"")
    assert names(listed(f"{tmp_path}/c/[1].jpg")) == ["[1].jpg"]  # a file that is called so


def test_what_is_not_there_is_listed_and_has_no_size(tmp_path: Path) -> None:
    (found,) = listed(tmp_path / "none.jpg")
    assert (found.size, found.mtime_ns) == (None, None)


def test_urls_stay_as_they_are() -> None:
    assert [each.place for each in listed("https://example.org/a.jpg?b=1")] == [b"https://example.org/a.jpg?b=1"]


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_a_manifest_names_pictures_and_ids(kind: str, tmp_path: Path) -> None:
    paint(tmp_path, 2)
    file = tmp_path / f"list.{kind}"
    match kind:
        case "csv" | "tsv":
            separator = "," if kind == "csv" else "\t"
            rows = [["id", "Path", "note"], ["a", "000.jpg", '"x, y"'], ["b", "https://example.org/b.jpg", ""]]
            file.write_text("\ufeff" + "\n".join(separator.join(row) for row in rows))
        case "jsonl":
            file.write_text('{"id":"a","path":"000.jpg"}\n\n{"id":"b","path":"https://example.org/b.jpg"}\n')
        case "parquet":
            table = pyarrow.table({"id": ["a", "b"], "path": ["000.jpg", "https://example.org/b.jpg"], "x": [1, 2]})
            parquet.write_table(table, file)
    first, second = listed(file)
    assert (first.place, first.name) == (os.fsencode(tmp_path / "000.jpg"), "a")
    assert first.size
    assert (second.place, second.name) == (b"https://example.org/b.jpg", "b")


def test_the_columns_of_a_manifest_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("sku,photo\n17,a.jpg\n")
    (found,) = listed(file, columns=Columns(path="photo", id="sku", root=Path("/photos")))
    assert (found.place, found.name) == (b"/photos/a.jpg", "17")


@pytest.mark.parametrize(
    ("name", "content", "columns", "words"),
    [
        ("a.csv", b"name,size\nx,1\n", Columns(), ["no column of paths", "name, size", "--path-column"]),
        ("a.csv", b"path\nx\n", Columns(path="photo"), ["no column 'photo'", "it has: path"]),
        ("a.csv", b"path\nx\n", Columns(id="sku"), ["no column 'sku'", "--id-column"]),
        ("a.csv", b"path,id\nx,1\n,2\n", Columns(), ["line 3 has no path"]),
        ("a.csv", b"path,id\nx,1\ny,\n", Columns(), ["line 3 has no id"]),
        ("a.csv", b'path\n"x\n', Columns(), ["is no CSV"]),
        ("a.csv", b"path\n\xff\n", Columns(), ["is not UTF-8"]),
        ("a.csv", b"", Columns(), []),
        ("a.jsonl", b'{"path":"a"}\n{"path":\n', Columns(), ["line 2 is no JSON"]),
        ("a.jsonl", b"[1]\n", Columns(), ["line 1 is no JSON object"]),
        ("a.jsonl", b'{"path":7}\n', Columns(), ["line 1 has no path"]),
        ("a.parquet", b"PAR1", Columns(), ["is no Parquet file"]),
    ],
    ids=lambda value: str(value) if isinstance(value, list) else "",
)
def test_a_manifest_that_cannot_be_read_says_where(
    name: str, content: bytes, columns: Columns, words: list[str], tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    if not words:  # nothing in it
        assert listed(file, columns=columns) == []
        return
    is_table = not any(word in words[0] for word in ("is no CSV", "is not UTF-8", "is no Parquet"))
    expected: type[UserError] = BatchError if is_table else TableError
    with pytest.raises(expected) as refused:
        listed(file, columns=columns)
    assert str(file) in refused.value.message
    for word in words:
        assert word in f"{refused.value.message} {refused.value.hint}"
