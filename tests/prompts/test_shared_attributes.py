"""Attributes of several categories: written once in the document, in the prompt and in the constraint."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from onelook.cli.app import app
from onelook.constraint import JsonSchema, Regex
from onelook.errors import TaxonomyError
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import STARTERS, load_taxonomy, parse_taxonomy
from onelook.settings.process import PHOTOS
from tests.prompts.random_taxonomies import large_document

SHARED = """\
name: farm
shared:
  daytime:
    label: {en: time of day}
    choose: one
    options:
      day: {en: day}
      night: {en: night}
  place:
    label: {en: place}
    choose: many
    options:
      barn: {en: barn}
      field: {en: field}
      pond: {en: pond}
categories:
  cow:
    label: {en: cow}
    when: {en: a cow}
    details:
      coat:
        label: {en: coat}
        choose: one
        options:
          black: {en: black}
          brown: {en: brown}
    shared: [daytime, place]
  duck:
    label: {en: duck}
    when: {en: a duck}
    shared: [daytime, place]
  goat:
    label: {en: goat}
    when: {en: a goat}
    shared: [daytime]
  other:
    label: {en: other}
    when: {en: none of these}
"""

ONE_BY_ONE = """\
name: farm
categories:
  cow:
    label: {en: cow}
    when: {en: a cow}
    details:
      coat:
        label: {en: coat}
        choose: one
        options: {black: {en: black}, brown: {en: brown}}
      daytime: &daytime
        label: {en: time of day}
        choose: one
        options: {day: {en: day}, night: {en: night}}
      place: &place
        label: {en: place}
        choose: many
        options: {barn: {en: barn}, field: {en: field}, pond: {en: pond}}
  duck:
    label: {en: duck}
    when: {en: a duck}
    details: {daytime: *daytime, place: *place}
  goat:
    label: {en: goat}
    when: {en: a goat}
    details: {daytime: *daytime}
  other:
    label: {en: other}
    when: {en: none of these}
"""


def mistakes(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "farm.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(TaxonomyError) as caught:
        load_taxonomy(file)
    return [line.removeprefix(f"{file}:") for line in caught.value.message.splitlines()]


def load(tmp_path: Path, text: str) -> Prompts:
    file = tmp_path / "farm.yaml"
    file.write_text(text, encoding="utf-8")
    return Prompts(load_taxonomy(file), "en")


@pytest.mark.parametrize("text", [SHARED, ONE_BY_ONE])
def test_a_shared_attribute_is_written_once_in_the_prompt(tmp_path: Path, text: str) -> None:
    lines = load(tmp_path, text).system.splitlines()
    assert lines[1:] == [
        "Attributes that several categories have; a category gives only their names:",
        "- daytime (time of day), one of: day, night",
        "- place, any number of: barn, field, pond",
        "cow: a cow",
        "- coat, one of: black, brown",
        "- daytime, place",
        "duck: a duck",
        "- daytime, place",
        "goat: a goat",
        "- daytime",
        "other: none of these",
    ]


def test_both_ways_to_write_it_are_the_same_taxonomy(tmp_path: Path) -> None:
    one, other = load(tmp_path, SHARED), load(tmp_path, ONE_BY_ONE)
    assert one.taxonomy == other.taxonomy
    assert one.version == other.version
    assert one.fused("json").constraint == other.fused("json").constraint


def test_answers_are_typed_as_without_sharing(tmp_path: Path) -> None:
    fused = load(tmp_path, SHARED).fused("json")
    reply = '{"primary_category":"duck","details":{"daytime":"night","place":["barn","pond"]}}'
    assert fused.read(reply).details == {"daytime": ("night",), "place": ("barn", "pond")}


def test_what_would_be_longer_is_not_written_apart() -> None:
    def text(word: str) -> dict[str, str]:
        return {"en": word}

    tiny = {"label": text("a"), "choose": "one", "options": {"x": text("x"), "y": text("y")}}
    categories = {each: {"label": text(each), "when": text(each), "details": {"a": tiny}} for each in ("p", "q")}
    system = Prompts(parse_taxonomy({"name": "tiny", "categories": categories}), "en").system
    assert system.count("- a, one of: x, y") == 2
    assert "several categories" not in system


def test_of_two_attributes_with_one_id_each_category_shows_its_own(tmp_path: Path) -> None:
    """An anchor may stand beside other options under the same id, which `shared` refuses."""
    alone = "    details:\n      daytime:\n        label: {en: hour}\n        choose: one\n"
    alone += "        options: {noon: {en: noon}, six: {en: six}}\n"
    text = ONE_BY_ONE.replace("    when: {en: none of these}\n", f"    when: {{en: none of these}}\n{alone}")
    prompts = load(tmp_path, text)
    assert prompts.system.endswith("other: none of these\n- daytime (hour), one of: noon, six")
    assert prompts.fused("compact").read("other noon").details == {"daytime": ("noon",)}


def sizes(prompts: Prompts) -> tuple[str, str, str]:
    """The constraints of fused replies: JSON as a regex and as a schema, and compact."""
    fused, compact = prompts.fused("json").constraint, prompts.fused("compact").constraint
    assert isinstance(fused, JsonSchema)
    assert isinstance(compact, Regex)
    return fused.regex, json.dumps(fused.schema), compact.pattern


def test_forty_categories_with_eight_shared_attributes_cost_little_more_than_one() -> None:
    """Today's size is what the same taxonomy takes with every attribute under a name of its own."""
    apart = large_document()
    first = apart["categories"]["category_0"]["details"]
    together = {
        **apart,
        "shared": first,
        "categories": {
            id_: {"label": category["label"], "when": category["when"], "shared": list(first)}
            for id_, category in apart["categories"].items()
        },
    }
    before, after = (Prompts(parse_taxonomy(document), "en") for document in (apart, together))
    assert len(after.system) < len(before.system) / 4
    large, small = (sizes(prompts) for prompts in (before, after))
    assert [len(one) > 15 * len(other) for one, other in zip(large, small, strict=True)] == [True] * 3


def test_a_schema_refers_to_what_several_branches_have(tmp_path: Path) -> None:
    many = SHARED.replace("      night: {en: night}\n", "      night: {en: night}\n      dusk: {en: between the two}\n")
    constraint = load(tmp_path, many).fused("json").constraint
    assert isinstance(constraint, JsonSchema)
    schema: Any = constraint.schema
    assert list(schema["$defs"]) == ["daytime", "place"]
    details = [branch["properties"]["details"]["properties"] for branch in schema["anyOf"]]
    assert [each.get("daytime") for each in details] == [{"$ref": "#/$defs/daytime"}] * 3 + [None]
    assert schema["$defs"]["daytime"]["enum"] == ["day", "night", "between the two"]


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        (
            "shared: [daytime]\n",
            "shared: [daytim]\n",
            "35: categories.goat.shared.0: no shared attribute 'daytim', expected one of daytime, place"
            " (did you mean daytime?)",
        ),
        (
            "shared: [daytime]\n",
            "shared: [daytime, daytime]\n",
            "35: categories.goat.shared.1: names daytime a second time",
        ),
        ("shared: [daytime]\n", "shared: daytime\n", "35: categories.goat.shared: expected a list, got 'daytime'"),
        (
            "      coat:\n",
            "      place:\n",
            "21: categories.cow.details.place: is the id of an attribute in `shared`: rename this one, or remove it and"
            " write `place` in the category's `shared`",
        ),
        (
            "        label: {en: coat}\n",
            "        label: {en: Place}\n",
            "27: categories.cow.shared.1: place has the label of coat in en, expected one of its own",
        ),
        (
            "shared:\n  daytime:\n",
            "shared:\n  weather:\n    label: {en: weather}\n    choose: many\n    options: {sun: {en: sun}}\n"
            "  daytime:\n",
            "3: shared.weather: no category names it, expected `shared: [weather]` in the categories that have it",
        ),
        (
            "    label: {en: place}\n",
            "    label: {en: place}\n    shared: [daytime]\n",
            "11: shared.place.shared: unknown key, expected one of label, choose, options",
        ),
        ("    label: {en: place}\n", "    label: {fr: lieu}\n", "10: shared.place.label: has no text in en"),
        (
            "      night: {en: night}\n",
            "",
            "6: shared.daytime.options: has one option, so there is nothing to choose",
        ),
    ],
)
def test_a_mistake_is_reported_with_its_line(tmp_path: Path, old: str, new: str, mistake: str) -> None:
    assert SHARED.count(old) == 1
    assert mistake in mistakes(tmp_path, SHARED.replace(old, new))


def test_a_name_without_any_shared_attribute_is_reported(tmp_path: Path) -> None:
    text = ONE_BY_ONE.replace("    when: {en: none of these}\n", "    when: {en: none of these}\n    shared: [place]\n")
    assert mistakes(tmp_path, text) == [
        "30: categories.other.shared.0: no shared attribute 'place', the document has no `shared`"
    ]


def test_attributes_that_contain_themselves_are_refused(tmp_path: Path) -> None:
    cycle = SHARED.replace("shared:\n  daytime:\n", "shared: &all\n  daytime: *all\n  day:\n")
    assert any("shared.daytime" in line for line in mistakes(tmp_path, cycle))


@pytest.mark.parametrize(
    ("language", "digest"),
    [
        ("zh", "401c1990c2c4"),
        ("en", "1820f64b0187"),
    ],
)
def test_the_prompts_of_the_bundled_taxonomy_are_those_that_the_bundled_model_learnt(
    language: str, digest: str
) -> None:
    prompts = Prompts(load_taxonomy(PHOTOS), language)
    assert prompts.version == digest
    assert "几个类别共有" not in prompts.system
    assert (
        sha256(prompts.system.encode()).hexdigest()[:16]
        == {"zh": "19a9e767c0293f9e", "en": "d8c1ee0ecec8021b"}[language]
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_document_to_begin_with_explains_them(language: str, tmp_path: Path) -> None:
    text = (STARTERS / f"starter.{language}.yaml").read_text(encoding="utf-8")
    assert "shared:" in text
    outcome = CliRunner().invoke(app, ["taxonomy", "check", str(STARTERS / f"starter.{language}.yaml")])
    assert outcome.exit_code == 0, outcome.output
