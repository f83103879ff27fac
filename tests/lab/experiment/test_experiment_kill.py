"""A run that is killed and started again gives the report of one that was not, on the bundled model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from onelook.demo.checkpoint import DRAWINGS
from onelook.lab.experiment.outcomes import FILE
from tests.patience import HANG_S

PICTURES = 4


def start(out: Path) -> subprocess.Popen[bytes]:
    words = ["--arm", "fused", "--arm", "reads", "--limit", str(PICTURES), "--warm-up", "1", "--out", str(out)]
    others = {name: value for name, value in os.environ.items() if not name.startswith("ONELOOK_")}
    return subprocess.Popen([sys.executable, "-m", "onelook", "experiment", str(DRAWINGS), *words], env=others)


def outcomes(out: Path) -> int:
    file = out / FILE
    return file.read_bytes().count(b'"kind":"outcome"') if file.exists() else 0


def accuracy(out: Path) -> dict[str, Any]:
    """All of the report that is no time."""
    report = json.loads((out / "report.json").read_text())
    arms = [{key: each[key] for key in ("name", "accuracy", "failed", "calibration")} for each in report["arms"]]
    return {"arms": arms} | {key: report[key] for key in ("accuracy", "agreement", "aa_accuracy", "as_designed")}


def test_a_killed_run_goes_on_to_the_report_of_an_undisturbed_one(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert start(whole).wait(HANG_S) == 0
    killed = start(cut)
    deadline = time.monotonic() + HANG_S
    while outcomes(cut) < 3:
        if killed.poll() is not None or time.monotonic() > deadline:
            pytest.fail("it ended before it was killed")
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.wait(HANG_S)
    assert outcomes(cut) < outcomes(whole) == PICTURES * 3
    assert start(cut).wait(HANG_S) == 0
    assert outcomes(cut) == outcomes(whole)
    assert accuracy(cut) == accuracy(whole)
    assert "the run went on 1 times after an interruption" in json.loads((cut / "report.json").read_text())["notes"]
