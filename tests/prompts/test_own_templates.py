"""A user's own prompts, by `--templates` or ONELOOK_TEMPLATES."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from onelook.cli.app import app
from onelook.engines.scripted import ScriptedEngine, ScriptedReply, ScriptedRouter
from onelook.errors import PromptError
from onelook.prompts.languages import TEMPLATES
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS, load_settings
from onelook.tagger import Tagger
from onelook.types import Context

TAXONOMY = load_taxonomy(PHOTOS)
PICTURE = PHOTOS.parents[2] / "demo" / "drawings" / "heldout-0002.jpg"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with English templates of one's own, and nothing else."""
    shutil.copytree(TEMPLATES / "en", tmp_path / "mine" / "en")
    (tmp_path / "mine" / "en" / "category_json.j2").write_text("Only the category, please.", encoding="utf-8")
    return tmp_path / "mine"


def test_a_language_of_the_folder_is_taken_from_it_and_others_come_with_onelook(mine: Path) -> None:
    assert Prompts(TAXONOMY, "en", mine).category("json").text == "Only the category, please."
    assert Prompts(TAXONOMY, "zh", mine).version == Prompts(TAXONOMY, "zh").version


def test_templates_without_language_folders_ask_in_every_language(mine: Path) -> None:
    english = mine / "en"
    for language in TAXONOMY.languages:
        prompts = Prompts(TAXONOMY, language, english)
        assert prompts.category("json").text == "Only the category, please."
        assert TAXONOMY.categories["animal"].label[language] in prompts.system


async def test_the_version_of_a_result_covers_them(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONELOOK_TEMPLATES", str(mine))
    monkeypatch.setenv("ONELOOK_RUN__LANGUAGE", "en")
    reply = '{"primary_category":"building","details":{}}'
    versions = []
    for templates in (None, TEMPLATES):
        engine = ScriptedEngine([ScriptedReply(tokens=[(reply, 0.0)])])
        router = ScriptedRouter([[1.0]])
        tagger = Tagger(load_settings(templates=templates), engine, router=router)
        result = await tagger.tag(PICTURE.read_bytes(), Context())
        assert result.errors == ()
        versions.append(result.versions.prompts)
    assert versions == [Prompts(TAXONOMY, "en", mine).version, Prompts(TAXONOMY, "en").version]
    assert versions[0] != versions[1]


def test_the_sentences_of_the_router_are_theirs(mine: Path) -> None:
    (mine / "en" / "zero_shot.j2").write_text("a drawing of {{ category.label[language] }}", encoding="utf-8")
    tagger = Tagger(load_settings(templates=mine), ScriptedEngine([]), router=ScriptedRouter([[1.0]]))
    assert tagger.services.routes["animal"] == "a drawing of animal"


def make_mistake(folder: Path, case: str) -> str:
    """Make one mistake in a good folder; what the error says of it."""
    if case == "no folder":
        shutil.rmtree(folder)
        return f"{folder}: no such folder of templates"
    if case == "no templates":
        shutil.rmtree(folder / "en")
        (folder / "notes.txt").write_text("nothing yet", encoding="utf-8")
        return f"{folder}: holds no templates"
    if case == "no language of the taxonomy":
        (folder / "en").rename(folder / "fr")
        return f"{folder}: has no templates in a language of taxonomy photos: zh, en"
    if case == "no file":
        (folder / "en" / "read_value.j2").unlink()
        return f"{folder / 'en' / 'read_value.j2'}: no such template"
    if case == "no language.yaml":
        (folder / "en" / "language.yaml").unlink()
        return f"{folder / 'en' / 'language.yaml'}: no such file"
    if case == "unknown variable":
        (folder / "en" / "system.j2").write_text("{{ taxonomy }} {{ color }}", encoding="utf-8")
        return f"{folder / 'en' / 'system.j2'}: unknown variable color, expected language, separator, shared, taxonomy"
    (folder / "en" / "details_json.j2").write_text("{{ category.label[language] }}?", encoding="utf-8")
    return f"{folder / 'en' / 'details_json.j2'}: does not use the variable shape"


CASES = [
    *("no folder", "no templates", "no language of the taxonomy", "no file", "no language.yaml"),
    *("unknown variable", "unused variable"),
]


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_in_the_folder_is_reported_at_start(mine: Path, case: str) -> None:
    message = make_mistake(mine, case)
    with pytest.raises(PromptError) as caught:
        Tagger(load_settings(templates=mine), ScriptedEngine([]), router=ScriptedRouter([[1.0]]))
    assert caught.value.message.startswith(message)
    assert caught.value.hint is not None
    assert "--templates (ONELOOK_TEMPLATES)" in caught.value.hint


def test_the_command_takes_the_folder_and_shows_its_mistake(mine: Path) -> None:
    message = make_mistake(mine, "unknown variable")
    command = ["tag", str(PICTURE), "--engine", "vllm", "--templates", str(mine)]
    outcome = CliRunner().invoke(app, command, env={"COLUMNS": "1000"})
    assert outcome.exit_code == 2
    assert message in outcome.output.replace("\n", " ")
    assert "--templates (ONELOOK_TEMPLATES)" in outcome.output.replace("\n", " ")


def test_the_setting_is_listed_with_its_source(mine: Path) -> None:
    outcome = CliRunner().invoke(app, ["config", "--json", "--templates", str(mine)])
    assert f'"templates": {{\n    "value": "{mine}",\n    "source": "option"' in outcome.output
