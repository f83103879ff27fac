"""A run's choices: what is not chosen comes from the settings, and what this process does not have is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from onelook.engines.scripted import ScriptedEngine
from onelook.errors import SettingsError
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tests.graph.replies import PORTRAIT, MakeTagger, sure

ENGLISH = """
name: mine
categories:
  invoice: {label: {en: invoice}, when: {en: a bill}}
  photo: {label: {en: photo}, when: {en: anything else}}
"""


@pytest.fixture
def english(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(ENGLISH)
    return path


async def test_what_is_not_chosen_comes_from_the_settings(
    make_tagger: MakeTagger, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONELOOK_RUN__ARM", "legacy_shared")
    monkeypatch.setenv("ONELOOK_RUN__CONFIDENCE_THRESHOLD", "0")
    tagger = make_tagger(['{"primary_category":"building"}'])
    result = await tagger.tag(picture, Context(language="en"))
    assert (result.status, result.arm, result.language) == ("ok", "legacy_shared", "en")


async def test_a_choice_beats_the_settings_even_where_it_is_the_default(
    make_tagger: MakeTagger, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONELOOK_RUN__ARM", "legacy_shared")
    assert (await make_tagger([sure(PORTRAIT)]).tag(picture, Context(arm="fused"))).arm == "fused"


async def test_a_taxonomy_in_one_language_is_used_in_that_language(english: Path, picture: bytes) -> None:
    engine = ScriptedEngine([sure('{"primary_category":"photo","details":{}}')])
    tagger = Tagger(load_settings(taxonomy=english), engine)
    result = await tagger.tag(picture)
    assert result.category is not None
    assert (result.language, result.category.label) == ("en", "photo")
    schema = tagger.graph.get_context_jsonschema()
    assert schema is not None
    assert schema["properties"]["language"]["const"] == "en"


async def test_a_language_that_the_taxonomy_lacks_is_refused(english: Path, picture: bytes) -> None:
    tagger = Tagger(load_settings(taxonomy=english), ScriptedEngine([]))
    with pytest.raises(SettingsError, match=r"language: the taxonomy has labels in en, not in zh"):
        await tagger.tag(picture, Context(language="zh"))


def test_so_it_is_where_the_settings_ask_for_it(english: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONELOOK_RUN__LANGUAGE", "zh")
    with pytest.raises(SettingsError, match="labels in en, not in zh"):
        Tagger(load_settings(taxonomy=english), ScriptedEngine([]))
