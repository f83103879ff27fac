"""`vllm run-batch` answers the questions in files as the server answers those of a run."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from onelook.batch.entries import Listed
from onelook.batch.ledger import Ledger
from onelook.batch.openai_batch.offline import Offline
from onelook.batch.openai_batch.read import import_answers
from onelook.batch.openai_batch.write import FileLimits, write_requests
from onelook.batch.records import records
from onelook.demo.checkpoint import MODEL
from onelook.lab.album import read_labels
from onelook.settings.process import load_settings
from onelook.types import Context
from tests.patience import HANG_S
from tools.vllm_cpu.server import ENVIRONMENT, PROFILE, vllm_python

pytestmark = pytest.mark.vllm

ALBUM = Path(__file__).parent.parent.parent / "tools" / "demo_model" / "heldout"
SERVER_ONLY = ("host", "port", "served-model-name", "enable-prompt-tokens-details", "enable-per-request-metrics")
PICTURES = 40


async def test_run_batch_reads_the_questions_and_its_answers_are_right(tmp_path: Path) -> None:
    labelled = read_labels(ALBUM)[:PICTURES]
    questions = Offline(load_settings(engine="vllm", model=str(MODEL)), Context(), "vllm")
    with closing(Ledger.create(tmp_path / "tags")) as ledger:
        ledger.add(Listed(os.fsencode(each.path), None, 1, 1) for each in labelled)
        written = await write_requests(questions, ledger, tmp_path / "questions", FileLimits())
        assert written.asked == PICTURES
        answers = tmp_path / "answers.jsonl"
        run_batch(written.files[0], answers, tmp_path)
        imported = await import_answers(questions, ledger, [answers])
    assert (imported.failed, imported.missing, imported.unknown.count) == (0, {}, 0)
    assert imported.ok + imported.needs_review == PICTURES
    results = [each.result for each in records(tmp_path / "tags")]
    right = [
        result is not None and result.category is not None and result.category.id == each.truth.category
        for each, result in zip(labelled, results, strict=True)
    ]
    assert sum(right) >= 0.95 * PICTURES
    sure = [result.category.confidence for result in results if result is not None and result.category is not None]
    assert all(confidence is not None for confidence in sure)


def run_batch(questions: Path, answers: Path, folder: Path) -> None:
    profile = yaml.safe_load(PROFILE.read_text(encoding="utf-8"))
    config = folder / "run-batch.yaml"
    config.write_text(yaml.safe_dump({name: value for name, value in profile.items() if name not in SERVER_ONLY}))
    command = [str(vllm_python()), "-P", "-m", "vllm.entrypoints.openai.run_batch"]
    command += ["-i", str(questions), "-o", str(answers), "--model", str(MODEL), "--config", str(config)]
    with (folder / "run-batch.log").open("wb") as log:
        subprocess.run(
            command, check=True, env={**os.environ, **ENVIRONMENT}, stdout=log, stderr=subprocess.STDOUT, timeout=HANG_S
        )
