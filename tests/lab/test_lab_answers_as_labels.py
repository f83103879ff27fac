"""Answers of onelook as labels: what `onelook tag --jsonl` and `onelook batch export` write, read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from onelook.batch.export.batch import Batch
from onelook.batch.export.columns import Choices
from onelook.batch.export.formats import write_table
from onelook.cli.pictures import name_in_json
from onelook.demo.checkpoint import DRAWINGS, with_demo_models
from onelook.lab.album import read_album, read_labels
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Answer
from tests.batch.ledgers import TAXONOMY, Case, answer, failure, write_batch


@pytest.mark.parametrize("to", ["csv", "jsonl", "parquet"])
def test_an_export_is_a_table_of_labels(to: Literal["csv", "jsonl", "parquet"], tmp_path: Path) -> None:
    names = ["cat.jpg", "lake.jpg", "broken.jpg", "caf\udce9.jpg", "todo.jpg"]
    for number, name in enumerate(names):
        (tmp_path / name).write_text(f"picture {number}")
    results = [
        answer("animal", species={"cat": 0.98}, count={"one": 0.97}),
        answer("landscape", 0.4, status="needs_review", terrain={"forest": 0.6, "mountain": 0.5}, time={"dusk": 0.3}),
        failure("ImageUnreadable", "broken.jpg: broken or truncated JPEG file"),
        answer("building", None),
        None,
    ]
    cases = [Case(str(tmp_path / name), result) for name, result in zip(names, results, strict=True)]
    write_batch(tmp_path / "tags", cases)
    table = tmp_path / f"reviewed.{to}"
    write_table(Batch.read(tmp_path / "tags"), to, table, Choices())
    album = read_album(table, TAXONOMY)
    terrain = TAXONOMY.categories["landscape"].details["terrain"].in_order(["forest", "mountain"])
    assert {each.path.name: each.truth for each in album.pictures} == {
        "cat.jpg": Answer(category="animal", details={"species": ("cat",), "count": ("one",)}),
        "lake.jpg": Answer(category="landscape", details={"terrain": terrain, "time": ("dusk",)}),
        "caf\udce9.jpg": Answer(category="building"),
    }
    assert any("2 of 5 rows have no category" in note for note in album.notes)


async def test_the_lines_of_tag_are_labels_and_can_be_corrected(tmp_path: Path) -> None:
    truths = {each.path: each.truth for each in read_labels(DRAWINGS)}
    pictures = list(truths)[:3]
    lines: list[dict[str, Any]] = []
    async with Tagger(with_demo_models(load_settings())) as tagger:
        for picture in pictures:
            result = await tagger.tag(str(picture))
            lines.append({**name_in_json([str(picture)]), **result.model_dump(mode="json")})
    file = tmp_path / "tags.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    read = read_album(file, TAXONOMY).pictures
    assert [each.truth.category for each in read] == [truths[picture].category for picture in pictures]
    assert [each.path for each in read] == pictures
    assert all(each.truth.details for each in read)
    lines[0] = {**lines[0], "category": "building", "details": {}}
    file.write_text("\n".join(map(json.dumps, lines)))
    assert read_album(file, TAXONOMY).pictures[0].truth == Answer(category="building")
