"""The language of a run where nothing names one: that of the user's locale."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from onelook.cli.locale_language import wanted_languages
from onelook.settings.process import load_settings
from tests.cli.test_cli import Run, clean, onelook

__all__ = ["clean", "onelook"]  # the fixtures

TAXONOMY = """
name: mine
categories:
  cat: {label: {pt: gato, en: cat}, when: {pt: um gato, en: a cat}}
  other: {label: {pt: outro, en: other}, when: {pt: o resto, en: the rest}}
"""


@pytest.mark.parametrize(
    ("environment", "languages"),
    [
        ({"LANG": "zh_CN.UTF-8"}, ["zh-CN"]),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, ["en-US"]),
        ({"LANG": "de_DE", "LC_MESSAGES": "en_US", "LC_ALL": "fr_FR@euro"}, ["fr-FR"]),
        ({"LANG": "en", "LC_ALL": ""}, ["en"]),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "sv:en_GB"}, ["sv", "en-GB", "de-DE"]),
        ({"LANG": "C.UTF-8", "LANGUAGE": "sv"}, []),
        ({"LC_ALL": "POSIX", "LANG": "de_DE"}, []),
        ({"LANG": "de_DE", "LANGUAGE": "C"}, ["de-DE"]),
        ({}, []),
    ],
)
def test_it_is_read_as_gettext_reads_it(environment: Mapping[str, str], languages: list[str]) -> None:
    assert list(wanted_languages(environment)) == languages


def language(onelook: Run, *words: str, **environment: str) -> tuple[str, str]:
    """What `onelook config` shows: the language and its source."""
    row = json.loads(onelook("config", "--json", *words, **environment).stdout)["run.language"]
    return row["value"], row["source"]


def test_config_shows_it_and_what_takes_precedence(onelook: Run, tmp_path: Path) -> None:
    assert language(onelook) == ("zh", "default")
    assert language(onelook, LC_ALL="en_GB.UTF-8") == ("en", "locale")
    assert language(onelook, LC_ALL="fi_FI.UTF-8") == ("zh", "default")  # the taxonomy has no Finnish
    (tmp_path / "onelook.toml").write_text('[run]\nlanguage = "zh"\n')
    assert language(onelook, LC_ALL="en_GB.UTF-8") == ("zh", "file")
    assert language(onelook, LC_ALL="en_GB.UTF-8", ONELOOK_RUN__LANGUAGE="en") == ("en", "environment")


def test_a_run_is_in_it_unless_an_option_names_another(onelook: Run, tmp_path: Path) -> None:
    Image.new("RGB", (320, 240), "teal").save(tmp_path / "a.jpg")
    (tmp_path / "mine.yaml").write_text(TAXONOMY, encoding="utf-8")
    mine = {"ONELOOK_TAXONOMY": "mine.yaml", "LC_ALL": "pt_BR.UTF-8"}
    for words, expected in (([], "pt"), (["--language", "en"], "en")):
        (result,) = json.loads(onelook("tag", "a.jpg", "--json", *words, **mine).stdout)
        assert result["language"] == expected
    assert language(onelook, "--taxonomy", "mine.yaml", LC_ALL="pt_BR.UTF-8") == ("pt", "locale")


def test_config_shows_the_settings_of_a_taxonomy_that_is_wrong(onelook: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("name: [")
    assert language(onelook, "--taxonomy", "wrong.yaml", LC_ALL="en_GB.UTF-8") == ("zh", "default")


def test_the_library_does_not_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    assert load_settings().run.language == "zh"
