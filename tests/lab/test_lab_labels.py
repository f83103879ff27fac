"""Label files as users write them: with ids or labels, and with mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onelook.errors import ImageNotFound, UserError
from onelook.lab.labels import read_labelled
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import load_settings

TAXONOMY = load_taxonomy(load_settings().taxonomy)
GOOD = {"file": "a.jpg", "category": "building", "details": {}}
ANIMAL = {"file": "a.jpg", "category": "animal", "details": {"species": ["dog"], "count": ["one"]}}


def labels(folder: Path, *lines: object) -> Path:
    (folder / "a.jpg").touch()
    file = folder / "labels.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return file


def test_labels_and_ids_mean_the_same(tmp_path: Path) -> None:
    ids = read_labelled(labels(tmp_path, ANIMAL), TAXONOMY)
    animal = TAXONOMY.categories["animal"]
    words = {
        animal.details["species"].label["zh"]: [animal.details["species"].options["dog"]["en"]],
        animal.details["count"].label["en"]: [animal.details["count"].options["one"]["zh"]],
    }
    again = read_labelled(labels(tmp_path, {**ANIMAL, "category": animal.label["zh"], "details": words}), TAXONOMY)
    assert [each.truth for each in ids] == [each.truth for each in again]


def test_a_folder_and_its_file_are_the_same_set(tmp_path: Path) -> None:
    file = labels(tmp_path, GOOD)
    assert read_labelled(file, TAXONOMY) == read_labelled(tmp_path, TAXONOMY)


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
        ([{**ANIMAL, "details": {"species": ["dog"]}}], "line 1: animal without count"),
        ([{**ANIMAL, "details": {"species": ["dog", "cat"], "count": ["one"]}}], "species has 2 options"),
        ([{**GOOD, "details": {"age": ["old"]}}], "'age' is no attribute of building, which has none"),
        ([GOOD, "{broken"], "line 2: Invalid JSON"),
        ([{"file": "a.jpg"}], "line 1: category: Field required"),
        ([], "names no picture"),
    ],
)
def test_an_error_names_its_line(lines: list[object], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        read_labelled(labels(tmp_path, *lines), TAXONOMY)
    assert message in refused.value.message
    assert refused.value.hint or "options" in message


def test_a_missing_picture_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(ImageNotFound, match=r"line 1: no picture .*gone.jpg"):
        read_labelled(labels(tmp_path, {**GOOD, "file": "gone.jpg"}), TAXONOMY)


def test_a_folder_without_labels_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no labels.jsonl"):
        read_labelled(tmp_path, TAXONOMY)
