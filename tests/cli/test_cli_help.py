"""What `--help` shows: every command, the names of options whole, and each default as the settings have it."""

from __future__ import annotations

from typing import Any

import pytest

from onelook.cli import app
from onelook.cli.lazy import LazyCommand
from onelook.settings.defaults import default_words
from onelook.settings.names import setting_names
from onelook.settings.process import Settings
from tests.cli.test_cli import Run, clean, onelook

__all__ = ["clean", "onelook"]  # the fixtures

COMMANDS = app.Commands.help_lines
SETTINGS = setting_names(Settings)


def loaded(words: list[str]) -> Any:
    command = LazyCommand(words[0], COMMANDS[words[0]]).load()
    for word in words[1:]:
        command = command.commands[word]
    return command.load() if isinstance(command, LazyCommand) else command


def options(words: list[str]) -> list[Any]:
    return [each for each in loaded(words).params if each.param_type_name == "option"]


SUBCOMMANDS = [
    [name, *inner]
    for name, line in COMMANDS.items()
    for inner in ([], *([each] for each in getattr(LazyCommand(name, line).load(), "commands", {})))
]
"""The words of every command, those of a group with the name of the group before."""


def in_one_line(shown: str) -> str:
    return " ".join(shown.split())


def unspaced(text: str) -> str:
    """Lines are broken after hyphens too."""
    return "".join(text.split())


def test_it_lists_every_command_whole(onelook: Run) -> None:
    for words in ([], ["--help"]):
        for columns in ("50", "80"):
            done = onelook(*words, COLUMNS=columns)
            listed = in_one_line(done.stdout + done.stderr)
            for name, line in COMMANDS.items():
                assert f"{name} {line}" in listed


@pytest.mark.parametrize("group", ["taxonomy", "batch"])
def test_a_group_lists_its_commands_whole(onelook: Run, group: str) -> None:
    listed = unspaced(onelook(group, "--help", COLUMNS="50").stdout)
    for name, command in loaded([group]).commands.items():
        line, _, _ = command.help.partition("\n\n")
        assert unspaced(f"{name} {line}") in listed


@pytest.mark.parametrize("columns", [50, 80, 120])
@pytest.mark.parametrize("words", SUBCOMMANDS, ids=" ".join)
def test_the_names_of_options_are_whole(onelook: Run, words: list[str], columns: int) -> None:
    shown = onelook(*words, "--help", COLUMNS=str(columns)).stdout
    names = {name for each in options(words) for name in each.opts + each.secondary_opts}
    assert names <= set(shown.replace(",", " ").split())
    described, _, _ = shown.partition("Examples:")  # which are lines to copy
    assert max(map(len, described.splitlines())) <= columns


@pytest.mark.parametrize("words", SUBCOMMANDS, ids=" ".join)
def test_options_that_set_a_setting_show_its_variable_and_default(onelook: Run, words: list[str]) -> None:
    shown = in_one_line(onelook(*words, "--help", COLUMNS="50").stdout)
    for option in options(words):
        setting = next((each for each in SETTINGS if each.rpartition(".")[2] == option.name), None)
        if words[0] == "experiment" and option.name == "arm":  # a name and several choices
            continue
        if setting is None or option.default is not None:  # such as the language of the file that `init` writes
            continue
        variable, _, default = default_words(setting).partition(", or ")
        assert f"(ONELOOK_{setting.upper().replace('.', '__')}" in shown
        assert f"({variable}" in shown
        assert f"or {default})" in shown


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["tag"], ["--engine <embedded|vllm>", "--residency <both|swap|defer>"]),
        (
            ["experiment", "run"],
            [
                "--stop <fixed|anytime>",
                "--caches <apart|shared|both>",
                "--primary <record|category|latency|attribute:…>",
            ],
        ),
    ],
)
def test_options_of_few_values_show_them(onelook: Run, words: list[str], values: list[str]) -> None:
    shown = in_one_line(onelook(*words, "--help", COLUMNS="80").stdout)
    for value in values:
        assert value in shown


@pytest.mark.parametrize(
    ("words", "defaults"),
    [
        (["tag"], ["(ONELOOK_CONCURRENCY, or 8); 1<=x<=1024", "(ONELOOK_RUN__LONG_EDGE, or 768); 224<=x<=2048"]),
        (["tag"], ["(ONELOOK_TAXONOMY, or the bundled photos.yaml)", "(ONELOOK_RUN__ESCALATE, or true)"]),
        (["tag"], ["(ONELOOK_RUN__LANGUAGE, your locale's if the taxonomy has it, or zh)"]),
        (["calibrate"], ["default: 0.98", "(ONELOOK_CALIBRATION, or calibration.json)"]),
        (["serve"], ["(ONELOOK_HTTP__PORT, or 8080); 0<=x<=65535"]),
        (["studio"], ["default: 2024", "default: 127.0.0.1"]),
        (["graph"], ["(ONELOOK_CONFIG, or onelook.toml if it is here)"]),
    ],
)
def test_defaults_as_they_are_read(onelook: Run, words: list[str], defaults: list[str]) -> None:
    shown = in_one_line(onelook(*words, "--help", COLUMNS="80").stdout)
    for default in defaults:
        assert default in shown
