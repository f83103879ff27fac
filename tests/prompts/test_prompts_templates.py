"""Templates that are wrong are refused at start, with file and variable."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from onelook.errors import PromptError
from onelook.prompts.languages import TEMPLATES
from onelook.prompts.questions import Prompts
from onelook.prompts.rendering import VARIABLES
from onelook.prompts.taxonomy.document import load_taxonomy, parse_taxonomy
from onelook.settings.process import PHOTOS

TAXONOMY = load_taxonomy(PHOTOS)
NAMES = sorted(file.name for file in (TEMPLATES / "zh").glob("*.j2"))


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A copy of the templates, to be changed."""
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_template_is_reported_at_start(templates: Path, name: str) -> None:
    (templates / "zh" / name).unlink()
    with pytest.raises(PromptError, match=rf"{name}: no such template"):
        Prompts(TAXONOMY, "zh", templates)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_variable_is_reported_at_start_even_where_it_is_not_reached(templates: Path, name: str) -> None:
    with (templates / "zh" / name).open("a", encoding="utf-8") as file:
        file.write("{% if false %}{{ colour }}{% endif %}")
    with pytest.raises(PromptError, match=rf"{name}: unknown variable colour, expected .*taxonomy"):
        Prompts(TAXONOMY, "zh", templates)


@pytest.mark.parametrize(
    ("name", "variable"),
    [(f"{name}.j2", variable) for name, variables in VARIABLES.items() for variable in variables.needed],
)
def test_a_variable_that_is_not_used_is_reported_at_start(templates: Path, name: str, variable: str) -> None:
    (templates / "zh" / name).write_text("看图。", encoding="utf-8")
    with pytest.raises(PromptError, match=rf"{name}: does not use the variable .*{variable}"):
        Prompts(TAXONOMY, "zh", templates)


def test_a_template_is_checked_even_where_the_taxonomy_does_not_need_it(templates: Path) -> None:
    plain = {"name": "plain", "languages": ["zh"], "categories": {"cat": {"label": {"zh": "猫"}, "when": {"zh": "猫"}}}}
    (templates / "zh" / "details_json.j2").unlink()
    with pytest.raises(PromptError, match=r"details_json\.j2: no such template"):
        Prompts(parse_taxonomy(plain), "zh", templates)


def test_every_bundled_template_is_one_that_is_asked_with() -> None:
    assert {name.removesuffix(".j2") for name in NAMES} == {*VARIABLES, "_compact"}


def test_an_unknown_field_is_reported_at_start(templates: Path) -> None:
    (templates / "zh" / "details_json.j2").write_text("{{ category.colour }}{{ shape }}", encoding="utf-8")
    with pytest.raises(PromptError, match=r"details_json\.j2: .*no attribute 'colour'"):
        Prompts(TAXONOMY, "zh", templates)


def test_a_syntax_error_is_reported_with_its_line(templates: Path) -> None:
    (templates / "zh" / "system.j2").write_text("标签\n{% for category in %}", encoding="utf-8")
    with pytest.raises(PromptError, match=r"system\.j2:2: "):
        Prompts(TAXONOMY, "zh", templates)


def test_a_template_that_fails_is_reported_at_start(templates: Path) -> None:
    (templates / "zh" / "zero_shot.j2").write_text("{{ category.label + 1 }}", encoding="utf-8")
    with pytest.raises(PromptError, match=r"zero_shot\.j2: unsupported operand"):
        Prompts(TAXONOMY, "zh", templates)


def test_a_template_that_is_not_text_is_reported_at_start(templates: Path) -> None:
    (templates / "zh" / "system.j2").write_bytes("标签".encode("gbk"))
    with pytest.raises(PromptError, match=r"system\.j2: cannot be read: .*utf-8"):
        Prompts(TAXONOMY, "zh", templates)


def test_the_version_follows_the_texts(templates: Path) -> None:
    version = Prompts(TAXONOMY, "zh").version
    assert version == Prompts(TAXONOMY, "zh", templates).version
    assert version != Prompts(TAXONOMY, "en").version
    with (templates / "zh" / "legacy_retry.j2").open("a", encoding="utf-8") as file:
        file.write("谢谢。")
    assert version != Prompts(TAXONOMY, "zh", templates).version


@pytest.mark.parametrize("count", [21, 26, 27])
def test_the_version_follows_the_texts_about_groups_too(count: int, templates: Path) -> None:
    """With debias, more than 20 options are asked about in groups; without, more than 26."""
    categories = {f"c{number}": {"label": {"zh": f"类{number}"}, "when": {"zh": "无"}} for number in range(count)}
    taxonomy = parse_taxonomy({"name": "wide", "languages": ["zh"], "categories": categories})
    before = Prompts(taxonomy, "zh", templates)
    with (templates / "zh" / "read_category.j2").open("a", encoding="utf-8") as file:
        file.write("{% if options|length < 20 %}谢谢。{% endif %}")
    after = Prompts(taxonomy, "zh", templates)
    asked = [[question.text for question in each.category_choice(debias=True).questions] for each in (before, after)]
    assert asked[0] != asked[1]
    assert before.version != after.version
