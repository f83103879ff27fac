"""Label files as users write them: with ids or labels, in every kind of table, and with mistakes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from onelook.errors import LabelsError, TableError, UserError
from onelook.lab.album import Album, read_album, read_labels
from onelook.lab.label_columns import LabelOptions
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import load_settings
from onelook.types import Answer

TAXONOMY = load_taxonomy(load_settings().taxonomy)
GOOD = {"file": "a.jpg", "category": "building", "details": {}}
ANIMAL = {"file": "a.jpg", "category": "animal", "details": {"species": ["dog"], "count": ["one"]}}
DOG = Answer(category="animal", details={"species": ("dog",), "count": ("one",)})


def labels(folder: Path, *lines: object) -> Path:
    (folder / "a.jpg").touch()
    file = folder / "labels.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return file


def table(file: Path, text: str, *, encoding: str = "utf-8", pictures: Sequence[str] = ("a.jpg", "b.jpg")) -> Path:
    file.parent.mkdir(exist_ok=True, parents=True)
    for number, name in enumerate(pictures):
        (file.parent / name).parent.mkdir(exist_ok=True, parents=True)
        (file.parent / name).write_text(f"picture {number}")
    file.write_bytes(text.encode(encoding))
    return file


def truths(album: Album) -> list[tuple[str, Answer]]:
    return [(each.path.name, each.truth) for each in album.pictures]


def test_labels_and_ids_mean_the_same(tmp_path: Path) -> None:
    ids = read_album(labels(tmp_path, ANIMAL), TAXONOMY)
    animal = TAXONOMY.categories["animal"]
    words = {
        animal.details["species"].label["zh"]: [animal.details["species"].options["dog"]["en"].upper()],
        animal.details["count"].label["en"]: animal.details["count"].options["one"]["zh"],
    }
    again = read_album(labels(tmp_path, {**ANIMAL, "category": animal.label["zh"], "details": words}), TAXONOMY)
    assert truths(ids) == truths(again) == [("a.jpg", DOG)]


def test_a_folder_and_its_file_are_the_same_set(tmp_path: Path) -> None:
    file = labels(tmp_path, GOOD)
    assert read_album(file, TAXONOMY) == read_album(tmp_path, TAXONOMY)


ROWS = """path;category;species;count;composition
a.jpg;animal;dog;one;
b.jpg;人像;;;自拍+half body
"""


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        ("labels.csv", ROWS, "utf-8"),
        ("labels.csv", ROWS.replace(";", ","), "utf-8-sig"),
        ("labels.csv", ROWS.replace(";", "\t"), "utf-16"),  # "Unicode Text" of Excel
        ("labels.tsv", ROWS.replace(";", "\t").replace("\n", "\r\n"), "utf-8"),
        ("labels.csv", ROWS + ";;;;\n", "utf-8-sig"),  # a row that was emptied
    ],
)
def test_a_table_that_a_spreadsheet_saved(name: str, text: str, encoding: str, tmp_path: Path) -> None:
    album = read_album(table(tmp_path / name, text, encoding=encoding), TAXONOMY)
    portrait = Answer(category="portrait", details={"composition": ("selfie", "half_body")})
    assert truths(album) == [("a.jpg", DOG), ("b.jpg", portrait)]
    (note,) = album.notes
    assert "portrait.gender 0 of 1" in note
    assert "animal" not in note


def test_parquet_has_null_where_an_attribute_is_not_known(tmp_path: Path) -> None:
    table(tmp_path / "x.csv", "")
    rows: list[dict[str, Any]] = [
        {"path": "a.jpg", "category": "animal", "details": {"species": ["dog"], "count": ["one"], "terrain": None}},
        {"path": "b.jpg", "category": "landscape", "details": {"species": None, "count": None, "terrain": []}},
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "labels.parquet")
    album = read_album(tmp_path, TAXONOMY)
    assert truths(album) == [("a.jpg", DOG), ("b.jpg", Answer(category="landscape", details={"terrain": ()}))]


def test_a_folder_for_each_category(tmp_path: Path) -> None:
    for name in (
        "动物/one.jpg",
        "Building/deep/two.jpg",
        "Building/three.png",
        ".git/x.jpg",
        "empty/notes.txt",
        "top.jpg",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    album = read_album(tmp_path, TAXONOMY)
    assert truths(album) == [
        ("two.jpg", Answer(category="building")),
        ("three.png", Answer(category="building")),
        ("one.jpg", Answer(category="animal")),
    ]
    beside, known = album.notes
    assert "1 pictures beside the category folders" in beside
    assert "only categories are labelled" in known


def test_folders_that_are_no_categories_are_listed_together(tmp_path: Path) -> None:
    for name in ("anmial/one.jpg", "2024/two.jpg", "plant/three.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    with pytest.raises(LabelsError) as refused:
        read_album(tmp_path, TAXONOMY)
    assert "2 mistakes" in refused.value.message
    assert "the folder anmial: 'anmial' is no category; the nearest is 'animal'" in refused.value.message
    assert "rename these folders" in str(refused.value.hint)
    for name in ("anmial", "plant"):
        (tmp_path / name).rename(tmp_path / f"{name}_2")
    with pytest.raises(LabelsError, match="3 mistakes") as none:
        read_album(tmp_path, TAXONOMY)
    assert "not one category is of the taxonomy photos" in str(none.value.hint)
    assert "--taxonomy FILE" in str(none.value.hint)


def test_paths_are_looked_for_in_the_order_that_is_documented(tmp_path: Path) -> None:
    rows = f"path,category\nsub\\a.jpg,plant\nb.jpg,plant\n{tmp_path / 'far' / 'c.jpg'},plant\n"
    file = table(tmp_path / "lists" / "labels.csv", rows, pictures=["b.jpg", "../far/c.jpg", "../photos/sub/a.jpg"])
    (tmp_path / "photos" / "b.jpg").write_text("another b")
    with pytest.raises(LabelsError, match=r"line 2: no picture .* in .*lists: correct the path, or .* --pictures"):
        read_album(file, TAXONOMY)
    album = read_album(file, TAXONOMY, LabelOptions(pictures=tmp_path / "photos"))
    assert [each.path for each in album.pictures] == [
        tmp_path / "photos" / "sub" / "a.jpg",
        tmp_path / "photos" / "b.jpg",
        tmp_path / "far" / "c.jpg",
    ]


def test_columns_can_be_mapped(tmp_path: Path) -> None:
    text = "Bild,klasse,art,count,trip\na.jpg,动物,dog,seventeen,alps\nb.jpg,building,,,sea\n"
    file = table(tmp_path / "labels.csv", text)
    with pytest.raises(LabelsError, match=r"no column of paths \(.*it has: Bild, klasse") as unmapped:
        read_album(file, TAXONOMY)
    assert "--label-column path=COLUMN" in str(unmapped.value.hint)
    words = ["path=Bild", "category=klasse", "animal.species=art", "count="]
    album = read_album(file, TAXONOMY, LabelOptions.of(words))
    assert truths(album)[0] == ("a.jpg", Answer(category="animal", details={"species": ("dog",)}))
    assert [each.cells["trip"] for each in album.pictures] == ["alps", "sea"]
    with pytest.raises(LabelsError, match="'speceis' is no label; the nearest is 'species'"):
        read_album(file, TAXONOMY, LabelOptions.of([*words, "speceis=art"]))
    with pytest.raises(LabelsError, match="has no column 'kind_of'; it has: Bild"):
        read_album(file, TAXONOMY, LabelOptions.of([*words, "species=kind_of"]))
    with pytest.raises(UserError, match="expected NAME=COLUMN"):
        LabelOptions.of(["category"])


def test_a_column_that_is_nearly_an_attribute_is_noted(tmp_path: Path) -> None:
    text = "path,category,specis,trip\na.jpg,animal,dog,alps\n"
    (note, _) = read_album(table(tmp_path / "labels.csv", text), TAXONOMY).notes
    assert "'specis' is not read" in note
    assert "--label-column species=specis" in note


def csv_of(rows: Sequence[Mapping[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def test_answers_of_onelook_are_labels_once_somebody_has_corrected_them(tmp_path: Path) -> None:
    """As `onelook batch export` writes them: the person changed the category, and left the old attribute's cell."""
    row = {
        "path": "a.jpg",
        "status": "needs_review",
        "category": "plant",
        "category_label": "",
        "animal.species": "dog",
        "animal.count": "",
        "model": "vlm",
        "taxonomy": TAXONOMY.version,
    }
    failed = {**row, "path": "b.jpg", "status": "failed", "category": "", "animal.species": ""}
    album = read_album(table(tmp_path / "labels.csv", csv_of([row, failed])), TAXONOMY)
    assert truths(album) == [("a.jpg", Answer(category="plant"))]
    assert "1 of 2 rows have no category and are left out, first line 3" in album.notes
    assert any("nobody has corrected counts as right" in note for note in album.notes)
    half = {**row, "category_label": TAXONOMY.categories["animal"].label["zh"]}
    with pytest.raises(
        LabelsError, match="the category is plant, but its label '动物' is that of animal: correct both"
    ):
        read_album(table(tmp_path / "labels.csv", csv_of([half])), TAXONOMY)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([GOOD, {**GOOD, "file": "b.jpg", "category": "bilding"}], "no picture"),
        (["", {**GOOD, "category": "bilding"}], "line 2: 'bilding' is no category; the nearest is 'building'"),
        ([{**ANIMAL, "details": {"specie": ["dog"]}}], "line 1: 'specie' is no attribute of animal; the nearest"),
        (
            [{**ANIMAL, "details": {"species": ["dgo"], "count": ["one"]}}],
            "is no option of species; the nearest is 'dog'",
        ),
        ([{**ANIMAL, "details": {"species": ["dog", "cat"], "count": ["one"]}}], "species has 2 options"),
        ([{**GOOD, "details": {"age": ["old"]}}], "'age' is no attribute of building, which has none"),
        ([{**GOOD, "details": ["old"]}], "line 1: details: expected an object"),
        ([GOOD, "{broken"], "line 2: is no JSON"),
        ([GOOD, {"file": None, "category": "plant"}], "line 2: has no file: fill it in"),
        ([{**GOOD, "file": "https://example.org/a.jpg"}], "is not a file: download the picture"),
        ([{"file": "a.jpg"}], "has no column of categories (category, label, class); it has: file"),
        (['{"file": "a.jpg", "category": null}'], "no row has a category"),
        ([], "names no picture"),
    ],
)
def test_an_error_names_its_line(lines: list[object], message: str, tmp_path: Path) -> None:
    with pytest.raises(LabelsError) as refused:
        read_album(labels(tmp_path, *lines), TAXONOMY)
    assert message in refused.value.message
    assert refused.value.hint


def test_all_mistakes_are_listed_at_once_up_to_twenty(tmp_path: Path) -> None:
    wrong = [{**ANIMAL, "file": "gone.jpg", "details": {"species": ["dgo"], "count": ["two", "one"]}}] * 9
    with pytest.raises(LabelsError) as refused:
        read_album(labels(tmp_path, GOOD, *wrong), TAXONOMY)
    first, *listed, last = refused.value.message.splitlines()
    assert first.endswith("labels.jsonl: 27 mistakes")
    assert len(listed) == 20
    assert [line.split(":")[0].strip() for line in listed[:4]] == ["line 2", "line 2", "line 2", "line 3"]
    assert last.strip() == "and 7 more"


def test_a_picture_has_one_set_of_labels(tmp_path: Path) -> None:
    file = table(tmp_path / "labels.csv", "path,category\na.jpg,plant\n./a.jpg,food\nb.jpg,food\n")
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.jpg").read_bytes())
    with pytest.raises(LabelsError) as refused:
        read_album(file, TAXONOMY)
    assert "line 3: a.jpg is named twice, first in line 2, with other labels" in refused.value.message
    assert "line 4: b.jpg is the same picture as a.jpg in line 2, with other labels" in refused.value.message


def test_labels_of_another_taxonomy_are_named_as_such(tmp_path: Path) -> None:
    text = "path,category\na.jpg,invoice\nb.jpg,receipt\n"
    with pytest.raises(LabelsError, match="2 mistakes") as refused:
        read_album(table(tmp_path / "labels.csv", text), TAXONOMY)
    assert "not one category is of the taxonomy photos" in str(refused.value.hint)
    (tmp_path / "labels.csv").unlink()
    tagged = {**GOOD, "details": {"style": ["old"]}, "versions": {"taxonomy": "0123456789ab"}}
    with pytest.raises(LabelsError) as other:
        read_album(labels(tmp_path, tagged), TAXONOMY)
    assert "of version 0123456789ab of a taxonomy; this is photos" in str(other.value.hint)


@pytest.mark.parametrize(
    ("name", "data", "message", "hint"),
    [
        (
            "labels.csv",
            "path,category\na.jpg,动物\n".encode("gb18030"),
            "is not UTF-8 (line 2, byte",
            "iconv -f GB18030",
        ),
        ("labels.jsonl", b"\xff\xfe", "is not UTF-8", "save it as UTF-8"),
        ("labels.csv", b'path,category\n"a.jpg,plant\n', "is no CSV", "quotes"),
        ("labels.parquet", b"PAR1", "is no Parquet file", "write it again"),
        ("labels.xlsx", b"PK", "is no table: .xlsx is none of", "CSV UTF-8"),
    ],
)
def test_a_file_that_is_no_table_says_what_to_do(
    name: str, data: bytes, message: str, hint: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TableError) as refused:
        read_album(tmp_path / name, TAXONOMY)
    assert message in refused.value.message
    assert hint in str(refused.value.hint)


def test_a_cell_with_the_delimiter_in_it_needs_quotes(tmp_path: Path) -> None:
    file = table(tmp_path / "labels.csv", "path,category\na,b.jpg,plant\nb.jpg,plant\n")
    with pytest.raises(LabelsError, match="line 2: has more cells than the header has columns: put a cell with ','"):
        read_album(file, TAXONOMY)


def test_an_empty_table_and_a_header_alone_name_no_picture(tmp_path: Path) -> None:
    for text in ("", "path,category\n"):
        with pytest.raises(LabelsError, match="names no picture"):
            read_album(table(tmp_path / "labels.csv", text), TAXONOMY)


def test_a_missing_picture_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"line 1: no picture .*gone.jpg"):
        read_album(labels(tmp_path, {**GOOD, "file": "gone.jpg"}), TAXONOMY)


def test_a_folder_without_labels_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="no labels of pictures") as refused:
        read_album(tmp_path, TAXONOMY)
    assert "labels.jsonl or labels.csv" in str(refused.value.hint)


def test_a_folder_with_two_tables_asks_which_is_meant(tmp_path: Path) -> None:
    table(tmp_path / "labels.csv", "path,category\na.jpg,plant\n")
    labels(tmp_path, GOOD)
    with pytest.raises(LabelsError, match=r"has labels\.jsonl and labels\.csv"):
        read_labels(tmp_path)
