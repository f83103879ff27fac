"""The fast reader of YAML and the thorough one read the same document, or the fast one leaves it to the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from onelook.prompts.taxonomy.document import load_taxonomy, parse_taxonomy
from onelook.prompts.taxonomy.located_yaml import NotYaml, read_located
from onelook.prompts.taxonomy.plain_yaml import NotPlain, read_plain
from onelook.settings.process import PHOTOS
from tests.prompts.random_taxonomies import documents, large_document

HOSTILE = Path(__file__).parent / "hostile.yaml"
# What the versions of YAML and their readers differ in, or could.
SIGNS = "abn猫é😀:,-?#&*!|>'\"%@`[]{}<=~+.0123_ \n\t\\\u2028"
WORDS = [
    "yes",
    "no",
    "on",
    "y",
    "null",
    "true",
    "False",
    "0o7",
    "1e5",
    "1_0",
    ".5",
    "0x1f",
    "12:30",
    "2020-01-01",
    "<<",
]
GROUPS = [": ", ", ", "- ", "\n  ", "a: ", "{zh: 猫, en: cat}", "? ", "# c\n", "'x'", '"y"', "---\n", "...\n", "|\n"]
PIECES = [*SIGNS, *GROUPS, *WORDS]


def agree(text: str) -> bool:
    """Whether the fast reader read the text; it then read what the thorough one reads."""
    try:
        document = read_plain(text)
    except NotPlain:
        return False
    located = read_located(text)
    assert repr(document) == repr(located.document)
    assert located.duplicates == []
    return True


@pytest.mark.parametrize("file", [PHOTOS, HOSTILE], ids=lambda file: file.name)
def test_a_taxonomy_without_mistakes_is_read_fast(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert agree(text)
    assert load_taxonomy(file) == parse_taxonomy(read_located(text).document)


@settings(deadline=None)
@given(document=documents(), flow=st.sampled_from([None, False, True]), width=st.sampled_from([20, 1000]))
def test_any_taxonomy_is_read_alike(document: dict[str, Any], flow: bool | None, width: int) -> None:
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, default_flow_style=flow, width=width)
    if agree(text):
        assert read_plain(text) == document


@settings(deadline=None, max_examples=1000)
@given(text=st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_text_is_read_alike(text: str) -> None:
    agree(text)


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_a_taxonomy_with_a_slip_is_read_alike(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([PHOTOS, HOSTILE])).read_text(encoding="utf-8")[:2000]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.sampled_from(PIECES)) + text[at + data.draw(st.integers(0, 2)) :]
    agree(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: 3",
        "a: 2020-01-01",
        "a:",
        "a: 1\na: 2",
        "a: x\na: y",
        "<<: {a: b}",
        "a: &x [b]\nc: *x",
        "a: !!str b",
        "%YAML 1.1\n---\na: yes",
        "a: |\n  b",
        "a\n---\nb",
        "[" * 100_000,
        "- " * 100_000 + "a",
        "",
    ],
)
def test_what_could_be_read_in_two_ways_is_left_to_the_thorough_reader(text: str) -> None:
    with pytest.raises(NotPlain):
        read_plain(text)


def test_yes_and_no_are_words(tmp_path: Path) -> None:
    """As in YAML 1.2; Norway is in no need of quotes."""
    text = """\
name: yes
languages: [no]
categories:
  on: {label: {no: no}, when: {no: off}, specialist: true}
"""
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    taxonomy = load_taxonomy(file)
    assert (taxonomy.name, taxonomy.languages, taxonomy.labels("no")) == ("yes", ("no",), {"on": "no"})
    assert taxonomy.categories["on"].specialist is True
    assert agree(text)


def test_a_text_that_only_looks_like_a_number_is_a_mistake_and_no_crash() -> None:
    with pytest.raises(NotYaml):
        read_located("a: -_")


def test_a_large_taxonomy_is_read_fast() -> None:
    assert read_plain(yaml.safe_dump(large_document(), sort_keys=False)) == large_document()
