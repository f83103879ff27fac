"""The wheel as a user installs it: what is in it, and whether it works in a folder with modules of common names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from tests.processes import free_port, serving

ROOT = Path(__file__).parent.parent.parent
SOURCES = ("onelook", "graph", "nodes", "prompts", "pyproject.toml", "README.md")
DRAWING = ROOT / "onelook" / "demo" / "drawings" / "heldout-0002.jpg"
FOREIGN = ("graph.py", "server.py", "nodes/__init__.py", "prompts/__init__.py", "api/__init__.py", "cli/__init__.py")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, for a build leaves files beside its sources. Nothing is downloaded."""
    sources = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            leave_out = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, sources / name, symlinks=True, ignore=leave_out)
        else:
            shutil.copy(ROOT / name, sources)
    built = tmp_path_factory.mktemp("built")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(built), str(sources))
    (file,) = built.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the commands of an environment that holds the wheel, and sees the packages of this one."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    pip("--python", str(environment), "install", "--no-deps", str(wheel))
    commands = environment / ("Scripts" if os.name == "nt" else "bin")
    ask = [str(commands / "python"), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip())
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return commands


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As LangGraph's templates are laid out: with modules that have the names of ours."""
    for name in FOREIGN:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"raise RuntimeError('onelook imported the {name} of the working directory')\n")
    shutil.copy(DRAWING, tmp_path / "drawing.jpg")
    return tmp_path


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    """The working directory comes first on the module path; of this checkout nothing is on it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ONELOOK_", "PYTHON"))}
    return {**clean, "PYTHONPATH": str(folder), "COLUMNS": "120", "XDG_CACHE_HOME": str(folder / "cache")}


def pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check", *words]
    done = subprocess.run([*command, "--no-index"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_it_holds_the_package_onelook_and_all_of_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {name for name in names if ".dist-info/" not in name}
    assert package == set(files(ROOT / "onelook", "onelook"))
    assert {name.split("/")[0] for name in names - package} == {f"onelook-{version('onelook')}.dist-info"}


def test_it_holds_what_a_first_run_needs(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    names = archive.namelist()
    drawings = [name for name in names if name.startswith("onelook/demo/drawings/heldout-")]
    weights = [name for name in names if name.endswith(".safetensors")]
    assert (len(drawings), len(weights)) == (12, 3)
    for needed in (
        "onelook/py.typed",
        "onelook/cli/langgraph.json",
        "onelook/demo/drawings/labels.jsonl",
        "onelook/graph/build.py",
        "onelook/nodes/prepare.py",
        "onelook/prompts/taxonomy/photos.yaml",
        "onelook/prompts/templates/en/system.j2",
        "onelook/prompts/templates/zh/system.j2",
        "onelook/web/index.html",
    ):
        assert needed in names
    (entry_points,) = [name for name in names if name.endswith("entry_points.txt")]
    assert archive.read(entry_points).decode().split() == ["[console_scripts]", "onelook", "=", "onelook.cli.app:main"]


def files(folder: Path, name: str) -> Iterator[str]:
    """The files in `folder` and below it, as the wheel names them; links are followed."""
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            yield from files(entry, f"{name}/{entry.name}")
        elif entry.is_file():
            yield f"{name}/{entry.name}"


def test_its_commands_work_beside_modules_of_the_same_names(
    installed: Path, folder: Path, environment: dict[str, str]
) -> None:
    def run(program: str, *words: str) -> str:
        done = subprocess.run(
            [installed / program, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    imported = run("python", "-c", "import onelook, onelook.cli.app; print(onelook.__file__)")
    assert Path(imported.strip()).is_relative_to(installed.parent)
    assert run("onelook", "--version").strip() == f"onelook {version('onelook')}"
    assert "serve" in run("onelook", "--help")
    assert "serve" in run("python", "-m", "onelook", "--help")
    (result,) = json.loads(run("onelook", "tag", "drawing.jpg", "--json"))
    assert (result["status"], result["errors"]) != ("failed", [])
    assert result["category"]["confidence"] > 0


def test_it_serves(installed: Path, folder: Path, environment: dict[str, str]) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serving([str(installed / "onelook"), "serve", "--port", str(port)], f"{url}/healthz", folder, environment):
        tagged = httpx.post(f"{url}/v1/tags", files={"image": DRAWING.read_bytes()}, timeout=300)
        page = httpx.get(url)
    assert tagged.json()["category"]["confidence"] > 0
    assert "text/html" in page.headers["content-type"]


def test_it_opens_studio(installed: Path, folder: Path, environment: dict[str, str]) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serving([str(installed / "onelook"), "studio", "--port", str(port)], f"{url}/ok", folder, environment):
        (assistant,) = httpx.post(f"{url}/assistants/search", json={}, timeout=300).json()
    assert assistant["graph_id"] == "onelook"
