"""`python -m tools.demo_model.evaluate` and `make demo`, as a user runs them, on a model with random weights."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.warm_process import run_module
from tools.demo_model.album.write import write_album
from tools.demo_model.tiny import build_tiny_checkpoint

ROOT = Path(__file__).parent.parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    module, *words = arguments
    return run_module(module, *words, environment=os.environ, folder=ROOT)


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("album")
    write_album(folder, "validation", 3)
    return folder


def test_figures_are_printed_and_written_flat(album: Path, tmp_path: Path) -> None:
    model, figures = build_tiny_checkpoint(tmp_path / "model"), tmp_path / "figures.json"

    done = run(
        "tools.demo_model.evaluate", "--album", str(album), "--model", str(model), "--arm", "fused", "--arm", "legacy",
        "--limit", "2", "--json", str(figures),
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "exact record" in done.stdout
    written = json.loads(figures.read_text())
    assert {"embedded.fused.category_accuracy", "embedded.fused.attribute_accuracy", "embedded.fused.exact_record",
            "embedded.fused.ece_category", "embedded.legacy.exact_record"} <= set(written)  # fmt: skip


def test_a_model_that_cannot_be_loaded_is_an_error_and_not_a_score_of_zero(album: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    done = run("tools.demo_model.evaluate", "--album", str(album), "--model", str(tmp_path / "empty"))

    assert done.returncode == 2
    assert "config.json" in done.stdout


def test_an_unknown_arm_is_refused_with_the_known_ones(album: Path) -> None:
    done = run("tools.demo_model.evaluate", "--album", str(album), "--arm", "guess")

    assert done.returncode == 2
    assert "legacy_shared" in done.stderr


def test_the_demo_marks_right_and_wrong_tags() -> None:
    done = run("onelook", "demo")

    assert done.returncode == 0, done.stderr
    assert "heldout-0012" in done.stdout
    assert "of 12 right" in done.stdout


def test_the_demo_warns_about_pictures_that_are_not_from_the_album(album: Path) -> None:
    done = run("onelook", "demo", str(next(album.glob("validation-*"))))

    assert done.returncode == 0, done.stderr
    assert "--model" in done.stderr
