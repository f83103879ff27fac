"""`import onelook`: one list of names, loaded when they are used, and clear words where it cannot work."""

from __future__ import annotations

import ast
import inspect
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import onelook
from onelook import errors

ROOT = Path(__file__).resolve().parents[2]
LINKS = ("graph", "nodes", "prompts")
NAMED = {
    "Context",
    "Settings",
    "Tag",
    "TagResult",
    "Tagger",
    "Taxonomy",
    "__version__",
    "load_settings",
    "load_taxonomy",
    "tag",
    "to_dataframe",
}


def python(code: str, folder: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`code` in a process of its own, with `folder` as the working folder and as the first place to import from."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_list_holds_every_error_and_what_the_library_needs() -> None:
    raised = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert len(raised) > 15
    assert set(onelook.__all__) == NAMED | raised
    assert len(onelook.__all__) == len(set(onelook.__all__))


@pytest.mark.parametrize("name", onelook.__all__)
def test_each_name_is_there(name: str) -> None:
    value = getattr(onelook, name)
    assert name in dir(onelook)
    if name != "__version__":
        assert value.__name__ == name
        assert value.__doc__


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((ROOT / "onelook" / "__init__.py").read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.name for node in ast.walk(guarded) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported | {"__version__"} == set(onelook.__all__)
    assert (ROOT / "onelook" / "py.typed").is_file()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'onelook' has no attribute 'tagg'"):
        onelook.tagg  # type: ignore[attr-defined]  # noqa: B018


def test_importing_it_loads_nothing_else() -> None:
    code = "import sys, onelook; dir(onelook); onelook.ImageError; print(*sorted(sys.modules))"
    finished = python(code, ROOT)
    assert finished.returncode == 0, finished.stderr
    loaded = finished.stdout.split()
    assert [name for name in loaded if name.startswith("onelook")] == ["onelook", "onelook.errors"]
    assert not {"langgraph", "pydantic", "PIL", "numpy", "jinja2"} & set(loaded)


def test_a_model_in_this_process_needs_no_http_client() -> None:
    code = """
import sys
from onelook.demo.checkpoint import DRAWINGS, with_demo_models
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
with Tagger(with_demo_models(load_settings(run={"arm": "hybrid"}))) as tagger:
    print(tagger.tag_sync(DRAWINGS / "heldout-0002.jpg").status, *sorted(sys.modules))
"""
    finished = python(code, ROOT)
    assert finished.returncode == 0, finished.stderr
    status, *loaded = finished.stdout.split()
    assert status == "ok"
    assert "transformers" in loaded
    assert not {"aiohttp", "yarl", "openai"} & set(loaded)


def test_the_version_is_that_of_the_project() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{onelook.__version__}"' in pyproject


@pytest.mark.parametrize("name", LINKS)
def test_the_bare_name_is_refused(name: str) -> None:
    finished = python(f"import {name}", ROOT)
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1].startswith(f"ImportError: import onelook.{name}: the folder {name}/")


def test_no_source_imports_a_bare_name() -> None:
    files = [
        file for file in ROOT.rglob("*.py") if not {".venv", ".venv-vllm", "build", "node_modules"} & set(file.parts)
    ]
    assert len(files) > 200
    wrong = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            wrong += [f"{file}: {name}" for name in names if name.split(".")[0] in LINKS]
    assert not wrong


def test_a_checkout_without_symbolic_links_says_what_to_do(tmp_path: Path) -> None:
    checkout = tmp_path / "onelook"
    shutil.copytree(
        ROOT / "onelook", checkout, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "checkpoints")
    )
    for name in LINKS:  # as Git writes a link where it may not make one
        target = str((checkout / name).readlink())
        (checkout / name).unlink()
        (checkout / name).write_text(target)
    finished = python("import onelook", tmp_path)
    assert finished.returncode == 1
    message = finished.stderr.splitlines()[-1]
    assert message.startswith("ImportError: onelook/graph is a text file, but must be a symbolic link")
    assert "git config core.symlinks true" in message
    assert "git checkout -- onelook" in message
