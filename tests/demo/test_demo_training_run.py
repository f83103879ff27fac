"""`python -m tools.demo_model.train` from scratch, continued, interrupted, and with invalid options."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from onelook.demo.checkpoint import CHECKPOINTS, read_training
from onelook.engines.transformers.generation import Generator
from onelook.engines.transformers.loading import LoadOptions, load_checkpoint
from tests.warm_process import run_module
from tools.demo_model.train.__main__ import MODELS
from tools.demo_model.train.run import Run, TrainOptions

PICTURES, EFFORT = 63, 0.0005  # a step or two of each stage


def train(work: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_module(
        "tools.demo_model.train", "--work", work, "--out", work / "out",
        "--pictures", str(PICTURES), "--effort", str(EFFORT), *arguments,
        environment={**os.environ, "COLUMNS": "200"}, folder=Path.cwd(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work of a short training of all models from scratch, with the checkpoints in `out`."""
    work = tmp_path_factory.mktemp("training")
    done = train(work, "--from-scratch")
    assert done.returncode == 0, done.stderr
    return work


def test_a_short_training_writes_checkpoints_that_load(trained: Path) -> None:
    for name in MODELS:
        training = read_training(trained / "out" / name)
        assert (training.seed, training.pictures) == (0, PICTURES)
        assert set(training.steps.values()) <= {1, 2, 3, 4, 5, 6, 7}
        assert "not photographs" in (trained / "out" / name / "README.md").read_text(encoding="utf-8")
    for name in ("vlm", "specialist"):
        Generator(load_checkpoint(str(trained / "out" / name), LoadOptions()), prefix_cache_bytes=0)
    assert {file.name for file in (trained / "out").iterdir()} == set(MODELS)
    assert not (trained / "run").exists()


def test_a_bundled_model_continues_with_new_drawings(trained: Path) -> None:
    earlier = read_training(CHECKPOINTS / "siglip")

    done = train(trained, "siglip")

    assert done.returncode == 0, done.stderr
    later = read_training(trained / "out" / "siglip")
    assert (later.seed, later.pictures) == (earlier.seed + 1, earlier.pictures + PICTURES)
    assert later.steps == earlier.steps | {"siglip_again": earlier.steps.get("siglip_again", 0) + 1}


def test_an_interrupted_training_resumes_after_the_finished_models(trained: Path, tmp_path: Path) -> None:
    options = TrainOptions(
        models=("vlm", "siglip"), start=CHECKPOINTS, out=tmp_path / "out", pictures=PICTURES, effort=EFFORT, seed=None
    )
    Run(options=options, seed=5, done=("vlm",)).save(tmp_path)

    other = train(tmp_path, "siglip")
    same = train(tmp_path, "vlm", "siglip")

    assert other.returncode == 2
    assert "unfinished" in other.stderr
    assert same.returncode == 0, same.stderr
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"siglip"}
    assert read_training(tmp_path / "out" / "siglip").seed == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vlm", "clip"], "'clip' is not one of vlm, siglip, specialist"),
        (["vlm", "--start", "."], "no checkpoint vlm in"),
        (["specialist", "--from-scratch"], "train vlm first"),
    ],
)
def test_invalid_options_are_refused(arguments: list[str], message: str, tmp_path: Path) -> None:
    refused = train(tmp_path, *arguments)

    assert refused.returncode == 2
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
