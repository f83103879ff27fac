"""`onelook calibrate` as people use it: a real process, a real model of random weights, labels of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.test_cli import Run, clean, onelook

__all__ = ["clean", "onelook"]  # the fixtures

MANY = 30


@pytest.fixture
def album(tmp_path: Path) -> Path:
    lines = []
    for number in range(MANY):
        Image.new("RGB", (224, 224), (8 * number, 0, 0)).save(tmp_path / f"{number}.png")
        lines.append(json.dumps({"file": f"{number}.png", "category": ["building", "plant"][number % 2]}))
    (tmp_path / "labels.jsonl").write_text("\n".join(lines))
    return tmp_path


def test_it_prints_reliability_and_writes_what_the_settings_load(onelook: Run, album: Path) -> None:
    done = onelook("calibrate", album, "--accuracy", "0.99")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "fused json zh, 30 pictures" in done.stdout
    assert "ECE" in done.stdout
    assert "no threshold reaches 99.0%" in done.stdout
    file = album / "calibration.json"
    assert json.loads(file.read_text())["fits"][0]["arm"] == "fused"

    tagged = onelook("tag", album / "1.png", "--json", "--arm", "legacy_shared", ONELOOK_CALIBRATION=str(file))
    assert tagged.returncode == 0
    assert "the calibration is not used: it has no fit for legacy_shared" in tagged.stderr.replace("\n", " ")

    easy = ("calibrate", album, "--accuracy", "0", "--arm", "legacy_shared", "--of", "record")
    before = file.read_bytes()
    refused = onelook(*easy)
    assert (refused.returncode, file.read_bytes()) == (1, before)
    said = " ".join(refused.stderr.split())
    assert "legacy_shared: not written: a threshold of 0 lets every answer pass" in said
    assert "--force" in said

    assert onelook(*easy, "--force").returncode == 0
    good = file.read_bytes()
    assert [fit["arm"] for fit in json.loads(good)["fits"]] == ["fused", "legacy_shared"]

    failed = onelook("calibrate", album, "--accuracy", "1", "--arm", "legacy_shared", "--force")
    assert (failed.returncode, file.read_bytes()) == (1, good)
    said = " ".join(failed.stderr.split())
    assert "so the earlier calibration (30 pictures, " in said
    assert "thresholds: category 0.000, details 0.000) stays" in said


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["gone"], "no labels of pictures in gone"),
        ([".", "--arm", "magic"], "--arm"),
        ([".", "--out", "labels.jsonl"], "is not a calibration file"),
        ([".", "--accuracy", "2"], "accuracy"),
    ],
)
def test_what_cannot_begin_is_refused_in_a_few_words(words: list[str], shown: str, onelook: Run, album: Path) -> None:
    done = onelook("calibrate", *words)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert shown in done.stderr.replace("\n", " ")
