"""`onelook taxonomy` as people use it: begin one, look at it, check it, tag with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from onelook.constraint import JsonSchema
from onelook.demo.checkpoint import DRAWINGS, MODEL
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.prompts.taxonomy.model import Attribute
from onelook.prompts.taxonomy.written import WrittenCategory, WrittenTaxonomy
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


def test_check_does_not_send_you_to_check(onelook: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: bad\ncategories:\n  dog:\n    label: {en: dog}\n")
    done = onelook("taxonomy", "check", "bad.yaml")
    assert (done.returncode, "bad.yaml:3: categories.dog" in done.stderr) == (2, True)
    assert "docs/taxonomy.md" in done.stderr
    assert "taxonomy check" not in done.stderr


def test_show_prints_the_document_as_it_is_written(onelook: Run, tmp_path: Path) -> None:
    assert onelook("taxonomy", "show", "--yaml").stdout == PHOTOS.read_text(encoding="utf-8")
    onelook("taxonomy", "init", "mine.yaml")
    mine = tmp_path / "mine.yaml"
    assert onelook("taxonomy", "show", "--yaml", ONELOOK_TAXONOMY=str(mine)).stdout == mine.read_text(encoding="utf-8")


def test_the_documents_example_and_keys_are_those_of_the_reader(tmp_path: Path) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    example, shared = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "example.yaml"
    file.write_text(shared, encoding="utf-8")
    assert [list(category.details) for category in load_taxonomy(file).categories.values()] == [["daytime"]] * 2
    file.write_text(example, encoding="utf-8")
    assert load_taxonomy(file).languages == ("en", "fr")
    documented = set(re.findall(r"^\|[^|]*\| `(\w+)` \|", text, re.MULTILINE))
    models = (WrittenTaxonomy, WrittenCategory, Attribute)
    assert documented == {key for model in models for key in model.model_fields}
    assert set(yaml.safe_load(example)) <= documented


def arms(done: CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["arms"]
    return {f"{row['arm']} {row['reply_format']}": row for row in rows}


def test_check_says_per_arm_what_it_needs(onelook: Run) -> None:
    """Without a model in characters and bytes, and it says so."""
    done = onelook("taxonomy", "check", str(PHOTOS), "--language", "en", ONELOOK_MODEL="")
    assert "no model is named, so no tokenizer" in done.stdout
    assert re.search(
        r"^fused +yes +[\d,]+ characters, [\d,]+ bytes +272 +[\d,]+ \(JSON Schema: [\d,]+\)", done.stdout, re.M
    )
    assert re.search(r"^reads +yes .* 9 of 26$", done.stdout, re.M)
    assert re.search(r"^legacy +yes .* none: free text ", done.stdout, re.M)
    rows = arms(onelook("taxonomy", "check", str(PHOTOS), "--language", "en", "--json", ONELOOK_MODEL=""))
    assert {name for name, row in rows.items() if not row["fits"]} == {"hybrid json", "hybrid compact"}
    assert rows["hybrid json"]["fits"] is None
    assert "no router is named" in rows["hybrid json"]["unchecked"]
    prompts = Prompts(load_taxonomy(PHOTOS), "en")
    fused = prompts.fused("json")
    assert isinstance(fused.constraint, JsonSchema)
    assert rows["fused json"]["longest_prompt"] == {
        "characters": len(prompts.system + fused.text),
        "bytes": len((prompts.system + fused.text).encode()),
    }
    assert rows["fused json"]["constraint_bytes"] == len(fused.constraint.regex.encode())
    assert rows["fused json"]["answer_tokens"] == fused.max_tokens


def test_check_counts_the_tokens_that_a_model_reads(onelook: Run) -> None:
    done = onelook("taxonomy", "check", str(PHOTOS), "--language", "en", "--model", str(MODEL), "--json")
    rows = arms(done)
    assert json.loads(done.stdout)["tokenizer"].startswith(f"Qwen2Tokenizer of {MODEL}")
    drawing = str(DRAWINGS / "heldout-0001.jpg")
    tagged = onelook("tag", drawing, "--language", "en", "--model", str(MODEL), "--json")
    usage = json.loads(tagged.stdout)[0]["usage"]
    counted = rows["fused json"]["longest_prompt"]
    assert counted["text_tokens"] == usage["prompt_tokens"] - usage["image_tokens"]
    assert counted["picture_tokens"] == usage["image_tokens"], "both are square, and the model has a limit of pixels"


def test_check_says_why_an_arm_does_not_fit(onelook: Run, tmp_path: Path, tiny_siglip: Path) -> None:
    many = {f"breed_{number}": {"en": f"breed {number:03}"} for number in range(401)}
    breed = {"label": {"en": "breed"}, "choose": "one", "options": many}
    wordy = "a dog " + "behind the house " * 40 + "here"
    dog = {"label": {"en": "dog"}, "when": {"en": wordy}, "details": {"breed": breed}}
    other = {"label": {"en": "other"}, "when": {"en": "no dog"}}
    document = {"name": "dogs", "categories": {"dog": dog, "other": other}}
    (tmp_path / "dogs.yaml").write_text(yaml.safe_dump(document))
    words = ["taxonomy", "check", "dogs.yaml", "--json"]
    rows = arms(onelook(*words, ONELOOK_MODEL="", ONELOOK_ROUTER__MODEL=str(tiny_siglip)))
    assert [name for name, row in rows.items() if not row["fits"]] == ["reads json", "hybrid json", "hybrid compact"]
    assert "dog.breed has 401 options" in rows["reads json"]["reason"]
    assert rows["reads json"]["letters"] == 401
    assert "the router reads 64 tokens" in rows["hybrid json"]["reason"]
    text = onelook("taxonomy", "check", "dogs.yaml", ONELOOK_MODEL="").stdout
    assert "hybrid: no router is named, so it is not checked" in text
    assert re.search(r"^reads +no .* 401 *$", text, re.M)
    assert "reads: dog.breed has 401 options, but letters tell at most 400 apart" in text


def test_check_says_in_how_many_groups_a_choice_is_asked(onelook: Run, tmp_path: Path) -> None:
    many = {f"breed_{number}": {"en": f"breed {number:02}"} for number in range(40)}
    breed = {"label": {"en": "breed"}, "choose": "one", "options": many}
    dog = {"label": {"en": "dog"}, "when": {"en": "a dog"}, "details": {"breed": breed}}
    (tmp_path / "dogs.yaml").write_text(yaml.safe_dump({"name": "dogs", "categories": {"dog": dog}}))
    done = onelook("taxonomy", "check", "dogs.yaml", ONELOOK_MODEL="")
    assert re.search(r"^reads +yes .* 40 in 2 groups$", done.stdout, re.M)


@pytest.mark.parametrize(
    ("repeat", "long_edge", "hint"),
    [(3000, "448", "the text is too long"), (1, "2048", "most of the prompt is the picture")],
)
def test_check_blames_text_or_picture_for_a_context_that_is_too_small(
    repeat: int, long_edge: str, hint: str, onelook: Run, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    one = {"label": {"en": "dog"}, "when": {"en": "a dog " + "or two " * repeat + "here"}}
    document = {"name": "dogs", "categories": {"dog": one}}
    (tmp_path / "dogs.yaml").write_text(yaml.safe_dump(document))
    words = ["--model", str(tiny_checkpoint), "--long-edge", long_edge, "--json"]
    rows = arms(onelook("taxonomy", "check", "dogs.yaml", *words, ONELOOK_MAX_PIXELS=str(2048**2)))
    fused = rows["fused json"]
    assert not fused["fits"]
    assert "do not fit into the model's context of" in fused["reason"]
    assert hint in fused["hint"]
