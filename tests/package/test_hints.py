"""What messages tell a user to type: every variable and every option that they name exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from onelook.cli import app
from onelook.cli.lazy import LazyCommand
from onelook.settings.engine import EngineSettings
from onelook.settings.hints import OPTIONS, named, set_off, set_to
from onelook.settings.names import FILE_VARIABLE, setting_names, variable
from onelook.settings.process import Settings
from onelook.settings.router import RouterSettings

ROOT = Path(__file__).parent.parent.parent
SOURCES = [
    file
    for folder in ("onelook", "graph", "nodes", "prompts")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if not any(parent.is_symlink() for parent in file.parents)
]
NAMES = setting_names(Settings)
VARIABLES = {variable(name) for name in NAMES} | {FILE_VARIABLE}

OTHER_PROGRAMS = {
    # vLLM
    "--block-size", "--chat-template", "--chat-template-content-format", "--default-chat-template-kwargs", "--dtype",
    "--enable-prefix-caching", "--enable-sleep-mode", "--max-model-len", "--mm-processor-kwargs",
    "--no-enable-prefix-caching", "--reasoning-parser", "--runner", "--speculative-config",
    # llama.cpp
    "--ctx-size", "--model-draft",
    # pip, hf
    "--force-reinstall", "--upgrade", "--include",
}  # fmt: skip


class Hint:
    """One expression that becomes a hint: `text` is its literal text, `assigned` what it hands to `set_to`."""

    def __init__(self, file: Path, node: ast.expr) -> None:
        self.where = f"{file.relative_to(ROOT)}:{node.lineno}"
        self.assigned = [word.arg for call in calls_of_set_to(node) for word in call.keywords if word.arg]
        self.text = " ".join(
            each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )


def calls_of_set_to(node: ast.AST) -> Iterator[ast.Call]:
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "set_to":
            yield each


def hints() -> Iterator[Hint]:
    """The arguments `hint=…`, and the constants and variables that stand for them."""
    for file in SOURCES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        named_ones = set()
        for node in ast.walk(tree):
            for keyword in node.keywords if isinstance(node, ast.Call) else ():
                if keyword.arg == "hint":
                    named_ones |= {each.id for each in ast.walk(keyword.value) if isinstance(each, ast.Name)}
                    yield Hint(file, keyword.value)
        for node in ast.walk(tree):
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if isinstance(node, ast.Assign) and isinstance(target, ast.Name) and target.id in named_ones:
                yield Hint(file, node.value)


HINTS = list(hints())


def options_of_commands() -> set[str]:
    found = {"--help", "--version"}
    waiting = [LazyCommand(name, line) for name, line in app.Commands.help_lines.items()]
    while waiting:
        command = waiting.pop()
        command = command.load() if isinstance(command, LazyCommand) else command
        waiting += getattr(command, "commands", {}).values()
        found |= {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    return found


def test_hints_are_found() -> None:
    assert len(HINTS) > 200
    assert sum(bool(hint.assigned) for hint in HINTS) > 20


def test_every_variable_in_a_message_is_a_setting() -> None:
    for file in SOURCES:
        text = file.read_text(encoding="utf-8")
        for found in re.finditer(r"\bONELOOK_[A-Z0-9_]*[A-Z0-9]\b(?!__…|__\w*\{|_?\{|\*)", text):
            group = found.group()
            assert group in VARIABLES, f"{file}: {group}"
        for found in re.finditer(r"\b(?:variables|part)\}([A-Z_]+)", text):
            name = found.group(1).lower()
            assert name in EngineSettings.model_fields or name in RouterSettings.model_fields, f"{file}: {name}"


def test_every_option_in_a_hint_exists() -> None:
    known = options_of_commands() | OTHER_PROGRAMS
    for hint in HINTS:
        wrong = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", hint.text)) - known
        assert not wrong, f"{hint.where}: {wrong}"


def test_a_hint_names_both_the_option_and_the_variable_of_a_setting() -> None:
    """An experiment's own --arm is no setting, nor is the --language of keywords."""
    switches = {set_off(option): variable(name) for name, option in OPTIONS.items()}
    variables = {option: variable(name) for name, option in OPTIONS.items()} | switches
    for hint in HINTS:
        if hint.where.startswith(("onelook/lab/experiment/", "onelook/batch/xmp/")):
            continue
        for option in re.findall(r"(?<![\w-])(--[a-z][a-z-]*[a-z])", hint.text):
            if option in variables:
                given = hint.text + " ".join(hint.assigned)
                assert variables[option] in given, f"{hint.where}: {option} without {variables[option]}"
        for name, option in OPTIONS.items():
            if re.search(rf"\b{variable(name)}\b", hint.text):
                assert option in hint.text, f"{hint.where}: {variable(name)} without {option}"


def test_the_settings_with_options_are_those_that_commands_set() -> None:
    assert set(OPTIONS) <= set(NAMES)
    assert set(OPTIONS.values()) <= options_of_commands()


def test_a_setting_is_named_by_option_and_variable() -> None:
    assert set_to(ONELOOK_RUN__LONG_EDGE=512) == "--long-edge 512 or ONELOOK_RUN__LONG_EDGE=512"
    assert set_to(ONELOOK_RUN__DEBIAS=False) == "--no-debias or ONELOOK_RUN__DEBIAS=false"
    assert set_to(ONELOOK_TIMEOUT_S=120) == "ONELOOK_TIMEOUT_S=120"
    assert set_to(ONELOOK_RUN__ARM="fused", ONELOOK_RUN__REPLY_FORMAT="json") == (
        "--arm fused --reply-format json or ONELOOK_RUN__ARM=fused ONELOOK_RUN__REPLY_FORMAT=json"
    )
    assert (named("run.arm"), named("timeout_s")) == ("--arm or ONELOOK_RUN__ARM", "ONELOOK_TIMEOUT_S")
