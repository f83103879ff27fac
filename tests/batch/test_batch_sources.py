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
    with pytest.raises(BatchError, match=r"none\*\.jpg: matches nothing"):
        listed(f"{tmp_path}/none*.jpg")
    (tmp_path / "c" / "[1].jpg").write_bytes(b"")
    assert names(listed(f"{tmp_path}/c/[1].jpg")) == ["[1].jpg"]  # a file that is called so


def test_a_name_in_a_list_that_is_not_there_is_listed_and_has_no_size(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path\nnone.jpg\n")
    found = [*listed(tmp_path / "list.csv"), *listed("-", standard_input=os.fsencode(tmp_path / "none.jpg"))]
    assert found == [Listed(os.fsencode(tmp_path / "none.jpg"), where="list.csv, line 2"), Listed(found[0].place)]


@pytest.mark.parametrize("word", ["none.jpg", "photso/", "lsit.csv", "nul\0.jpg"])
def test_a_word_that_names_nothing_is_a_mistake(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found before anything is listed, whatever is named beside it."""
    paint(tmp_path, 1)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BatchError, match="no such file or folder"):
        listed_pictures(["000.jpg", word], Found(), columns=Columns())


def test_a_link_to_nothing_is_there(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to(tmp_path / "none")
    assert names(listed(tmp_path / "link.jpg")) == ["link.jpg"]


def test_file_uris_and_the_home_folder_are_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint(tmp_path / "my photos", 2)
    strange = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    Path(os.fsdecode(strange)).write_bytes(b"")
    monkeypatch.setenv("HOME", str(tmp_path))
    first, second = (os.fsencode(tmp_path / "my photos" / name) for name in ("000.jpg", "001.jpg"))
    uri = (tmp_path / "my photos").as_uri()
    assert [each.place for each in listed("~/my photos")] == [first, second]
    assert [each.place for each in listed(uri)] == [first, second]
    assert [each.place for each in listed(f"file://localhost{tmp_path}/caf%E9.jpg")] == [strange]
    (tmp_path / "list.csv").write_text(f"path\n~/my photos/000.jpg\n{uri}/001.jpg\n")
    assert [(each.place, each.size is None) for each in listed(tmp_path / "list.csv")] == [
        (first, False),
        (second, False),
    ]
    standard_input = f"{uri}/000.jpg\n~/my photos/001.jpg\n".encode()
    assert [each.place for each in listed("-", standard_input=standard_input)] == [first, second]


@pytest.mark.parametrize(
    ("reference", "words"),
    [("s3://bucket/a.jpg", "'s3' addresses are not read"), ("file://nas/a.jpg", "a file of another machine, nas")],
)
def test_other_schemes_are_refused_where_they_are_named(reference: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BatchError) as refused:
        listed(reference)
    assert refused.value.message == f"{reference}: {words}"
    (tmp_path / "list.csv").write_text(f"path\nhttps://example.org/a.jpg\n{reference}\n")
    with pytest.raises(BatchError) as refused:
        listed(tmp_path / "list.csv")
    assert refused.value.message == f"list.csv, line 3: {reference}: {words}"
    with pytest.raises(BatchError) as refused:
        listed("-", standard_input=reference.encode())
    assert refused.value.message == f"standard input: {reference}: {words}"


def test_ids_of_any_length_and_paths_of_any_bytes(tmp_path: Path) -> None:
    (tmp_path / "list.jsonl").write_text('{"id": 12345678901234567890123456789, "path": "a.jpg"}\n')
    (found,) = listed(tmp_path / "list.jsonl")
    assert found.name == "12345678901234567890123456789"
    table = pyarrow.table({"id": [b"a", b"b"], "path": [b"caf\xe9.jpg", b"b.jpg"]})
    parquet.write_table(table, tmp_path / "list.parquet")
    folder = os.fsencode(tmp_path)
    assert [(each.place, each.name) for each in listed(tmp_path / "list.parquet")] == [
        (folder + b"/caf\xe9.jpg", "a"),
        (folder + b"/b.jpg", "b"),
    ]


def test_a_broken_parquet_file_says_what_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "list.parquet"
    parquet.write_table(pyarrow.table({"path": [f"{number}.jpg" for number in range(9000)]}), file, compression="none")
    data = bytearray(file.read_bytes())
    data[4:200] = bytes(196)
    file.write_bytes(data)
    with pytest.raises(TableError, match="is broken after row 0") as refused:
        listed(file)
    assert refused.value.hint == "write it again"

    text = pyarrow.Array.from_buffers(
        pyarrow.string(), 1, [None, pyarrow.array([0, 1], "int32").buffers()[1], pyarrow.py_buffer(b"\xff")]
    )
    parquet.write_table(pyarrow.table({"path": text}), file)
    with pytest.raises(TableError, match="has a text in rows 1 to 1 that is not UTF-8"):
        listed(file)


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
        ("a.csv", b"path,path\nx,y\n", Columns(), ["has 2 columns 'path'", "give each its own name"]),
        ("a.csv", b"Path,path\nx,y\n", Columns(), ["has 2 columns 'Path'"]),
        ("a.csv", b"path,ID,id\nx,y,z\n", Columns(), ["has 2 columns 'ID'"]),
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
