"""`onelook taxonomy` as people use it: begin one, look at it, check it, tag with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS
from tests.cli.test_cli import Run, clean, onelook

__all__ = ["clean", "onelook"]  # the fixtures

DOCUMENTATION = Path(__file__).parent.parent.parent / "docs" / "taxonomy.md"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_taxonomy_that_init_writes_is_good_and_commented(language: str, onelook: Run, tmp_path: Path) -> None:
    begun = onelook("taxonomy", "init", "mine.yaml", "--language", language)
    assert (begun.returncode, begun.stderr) == (0, "")
    assert "onelook taxonomy check mine.yaml" in begun.stdout
    checked = onelook("taxonomy", "check", "mine.yaml")
    assert checked.stdout.startswith(f"mine.yaml: good, 3 categories with 2 attributes, in {language}\n")
    taxonomy = load_taxonomy(tmp_path / "mine.yaml")
    details = taxonomy.categories["product"].details.values()
    assert {attribute.choose for attribute in details} == {"one", "many"}
    assert taxonomy.categories["receipt"].specialist
    assert taxonomy.categories["receipt"].content == "text"
    assert (tmp_path / "mine.yaml").read_text(encoding="utf-8").count("# ") > 10


def test_init_replaces_no_file_unless_it_is_asked_to(onelook: Run, tmp_path: Path) -> None:
    (tmp_path / "taxonomy.yaml").write_text("mine")
    refused = onelook("taxonomy", "init")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "taxonomy.yaml exists already" in refused.stderr
    assert "--force" in refused.stderr
    assert (tmp_path / "taxonomy.yaml").read_text() == "mine"
    assert onelook("taxonomy", "init", "--force").returncode == 0
    assert load_taxonomy(tmp_path / "taxonomy.yaml").name == "shop"


def test_show_prints_the_document_as_it_is_written(onelook: Run, tmp_path: Path) -> None:
    assert onelook("taxonomy", "show", "--yaml").stdout == PHOTOS.read_text(encoding="utf-8")
    onelook("taxonomy", "init", "mine.yaml")
    mine = tmp_path / "mine.yaml"
    assert onelook("taxonomy", "show", "--yaml", ONELOOK_TAXONOMY=str(mine)).stdout == mine.read_text(encoding="utf-8")


def test_the_documents_example_and_keys_are_those_of_the_reader(tmp_path: Path) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "example.yaml"
    file.write_text(example, encoding="utf-8")
    assert load_taxonomy(file).languages == ("en", "fr")
    documented = set(re.findall(r"^\|[^|]*\| `(\w+)` \|", text, re.MULTILINE))
    category = load_taxonomy(file).categories["product"]
    models = (load_taxonomy(file), category, category.details["kind"])
    assert documented == {key for model in models for key in type(model).model_fields}
    assert set(yaml.safe_load(example)) <= documented
