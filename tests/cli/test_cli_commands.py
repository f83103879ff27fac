"""Which commands there are, what each of them imports, and how those end that start a program of their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from PIL import Image

from onelook.cli import app
from onelook.cli.lazy import LazyCommand
from onelook.demo.checkpoint import MODEL as DEMO_MODEL
from onelook.settings.process import PHOTOS
from tests.cli.test_cli import Run, clean, onelook

__all__ = ["clean", "onelook"]  # the fixtures

ROOT = Path(__file__).parent.parent.parent
COMMANDS = app.Commands.help_lines

# Prints the names of the imported packages after what the command prints.
WITH_IMPORTS = """
import json, sys
from onelook.cli.app import main
try:
    main()
finally:
    print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""

MODEL = {"torch", "transformers", "xgrammar"}
SERVER = {"fastapi", "starlette", "uvicorn"}
CLIENT = {"aiohttp", "openai", "langchain_openai"}
GRAPH = {"langgraph", "langchain_core", "langsmith"}
PICTURES = {"PIL", "numpy"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    command = LazyCommand(name, COMMANDS[name]).load()
    assert command.help.split("\n\n")[0] == COMMANDS[name]


def test_the_version_is_that_of_the_package(onelook: Run) -> None:
    assert onelook("--version").stdout == f"onelook {version('onelook')}\n"


@pytest.mark.parametrize(
    ("words", "unused"),
    [
        (["--help"], MODEL | SERVER | CLIENT | GRAPH | PICTURES | {"pydantic"}),
        (["--version"], MODEL | SERVER | CLIENT | GRAPH | PICTURES | {"pydantic", "rich"}),
        (["config", "--json"], MODEL | SERVER | CLIENT | GRAPH | PICTURES | {"rich"}),
        (["config"], MODEL | SERVER | CLIENT | GRAPH | PICTURES),
        (["taxonomy", "show", "--yaml"], MODEL | SERVER | CLIENT | GRAPH | PICTURES | {"rich"}),
        (["taxonomy", "check", str(PHOTOS)], MODEL | SERVER | CLIENT | {"numpy"}),
        (["prompts", "--help"], MODEL | SERVER | CLIENT | {"langgraph"}),
        (["tag", "--help"], MODEL | SERVER | {"openai", "numpy"}),
    ],
)
def test_a_command_imports_what_it_needs_and_no_more(words: list[str], unused: set[str]) -> None:
    done = subprocess.run([sys.executable, "-c", WITH_IMPORTS, *words], capture_output=True, text=True, check=True)
    imported = set(json.loads(done.stdout.splitlines()[-1]))
    assert "typer" in imported
    assert not imported & unused


def test_studio_says_how_it_is_installed() -> None:
    without = "import sys; sys.modules['langgraph_cli'] = None; from onelook.cli.app import main; main()"
    done = subprocess.run([sys.executable, "-c", without, "studio"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'onelook[studio]'" in done.stderr


def test_studio_gets_the_graph_that_langgraph_dev_gets_in_the_checkout() -> None:
    ours, theirs = (
        json.loads(file.read_text()) for file in (ROOT / "onelook/cli/langgraph.json", ROOT / "langgraph.json")
    )
    assert ours == theirs


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["serve", "--port", "70000"], "--port"),
        (["serve", "--taxonomy", "gone.yaml"], "gone.yaml"),
        (["serve", "--engine", "magic"], "engine"),
        (["studio", "--engine", "magic"], "engine"),
        (["demo", "."], "no pictures"),
    ],
)
def test_what_cannot_begin_is_refused_in_a_few_words(words: list[str], shown: str, onelook: Run) -> None:
    done = onelook(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert shown in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_that_is_misspelt_gets_the_right_name(onelook: Run) -> None:
    done = onelook("tga")
    assert (done.returncode, "Did you mean 'tag'?" in done.stderr) == (2, True)


def test_the_demo_shows_the_least_sure_label(onelook: Run) -> None:
    """The category of the first drawing is sure and right; one of its details is wrong, and not sure."""
    done = onelook("demo", COLUMNS="120", ONELOOK_MODEL=str(DEMO_MODEL))
    assert "least sure" in done.stdout
    wrong = next(line for line in done.stdout.splitlines() if "✗" in line)
    (percent,) = re.findall(r"(\d+)%", wrong)
    assert int(percent) < 85
    assert "100%" in next(line for line in done.stdout.splitlines() if "✓" in line)


def test_the_demo_ends_with_1_where_one_of_your_pictures_fails(onelook: Run, tmp_path: Path) -> None:
    Image.new("RGB", (320, 240), "teal").save(tmp_path / "a.jpg")
    done = onelook("demo", "a.jpg", "gone.jpg")
    assert done.returncode == 1
    assert "gone.jpg: no such file" in done.stdout
