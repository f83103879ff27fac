"""The terminal as people use it: a process for each command, a real model of random weights, real files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

from tests.warm_process import run_module

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SUMMARY = r"{pictures} in [0-9.]+ s, [0-9.e+]+ a second: {ok} ok, {review} to review, {failed} failed\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures, one of them in a folder below, and a file that is none."""
    top = tmp_path_factory.mktemp("pictures")
    (top / "below").mkdir()
    for number, name in enumerate(("a.jpg", "b.png", "below/c.webp")):
        Image.new("RGB", (320, 240 + 40 * number), ["teal", "orange", "white"][number]).save(top / name)
    (top / "notes.txt").write_text("not a picture")
    return top


@pytest.fixture
def clean(tiny_checkpoint: Path) -> dict[str, str]:
    """Nothing of the caller's own settings and language, and a terminal of one width."""
    own = ("ONELOOK_", "LC_", "LANG")
    others = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**others, "ONELOOK_MODEL": str(tiny_checkpoint), "COLUMNS": "120", "LC_ALL": "C.UTF-8"}


@pytest.fixture
def onelook(clean: Mapping[str, str], tmp_path: Path) -> Run:
    """`onelook(*words, **environment)`, in a process forked from one that has imported PyTorch."""

    def run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return run_module("onelook", *words, environment={**clean, **environment}, folder=tmp_path)

    return run


@pytest.fixture
def installed_onelook(clean: Mapping[str, str], tmp_path: Path) -> Run:
    """The same, by the installed command and in a process from nothing."""

    def run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [Path(sys.executable).parent / "onelook", *words]
        return subprocess.run(
            command, env={**clean, **environment}, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return run


def test_a_folder_becomes_a_table_with_a_row_a_picture(installed_onelook: Run, folder: Path) -> None:
    done = installed_onelook("tag", folder, COLUMNS="")  # a pipe: nothing is folded
    assert done.returncode == 0
    ended = SUMMARY.format(pictures="3 pictures", ok="[0-3]", review="[0-3]", failed=0)
    assert re.fullmatch(ended + "left out 1: 1 not a picture\n", done.stderr)
    _, *rows = done.stdout.splitlines()
    assert [row.split()[0] for row in rows] == [str(folder / name) for name in ("a.jpg", "b.png", "below/c.webp")]
    assert "\x1b" not in done.stdout


def test_programs_get_json_in_the_order_given(onelook: Run, folder: Path) -> None:
    done = onelook("tag", folder / "b.png", folder / "a.jpg", "--json", "--arm", "legacy_shared", "--format", "compact")
    results = json.loads(done.stdout)
    assert [Path(result["image"]).name for result in results] == ["b.png", "a.jpg"]
    for result in results:
        assert (result["arm"], result["errors"]) == ("legacy_shared", [])
        assert 0 < result["category"]["confidence"] <= 1
        assert result["usage"]["image_tokens"] > 0
        assert result["ledger"]["scheduling_overhead_ms"] >= 0


def test_pictures_of_one_subject_are_one_request(onelook: Run, folder: Path) -> None:
    (result,) = json.loads(onelook("tag", folder, "--together", "--json").stdout)
    assert result["errors"] == []
    assert result["image"].count(" + ") == 2


def test_a_long_edge_that_is_named_beats_a_resolution_that_is_set(onelook: Run, folder: Path) -> None:
    (by_content,), (by_name,) = (
        json.loads(onelook("tag", folder / "a.jpg", "--json", *words, ONELOOK_RUN__RESOLUTION="auto").stdout)
        for words in ([], ["--long-edge", "224"])
    )
    assert by_content["pictures"][0]["content"] is not None
    assert (by_name["pictures"][0]["content"], by_name["pictures"][0]["width"]) == (None, 224)


def test_an_adaptive_run_says_that_it_looked_again(onelook: Run, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    Image.effect_noise((800, 600), 60).save(large)
    done = onelook("tag", large, "--adaptive", "--threshold", "1", "--timing")
    assert "2nd look" in done.stdout
    nodes = [line.split()[0] for line in done.stdout.splitlines() if line.startswith(("prepare", "analyze", "enlarge"))]
    assert nodes == ["prepare", "analyze", "enlarge", "analyze"]


def test_one_bad_picture_is_reported_and_counted_and_the_others_go_on(onelook: Run, folder: Path) -> None:
    done = onelook("tag", folder / "notes.txt", folder / "a.jpg", folder / "gone.jpg", "--jsonl")
    results = {Path(each["image"]).name: each for each in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert results["a.jpg"]["status"] != "failed"
    assert results["notes.txt"]["errors"][0]["kind"] == "ImageUnreadable"
    assert results["gone.jpg"]["errors"][0]["kind"] == "ImageNotFound"


def test_timing_draws_where_the_time_went(onelook: Run, folder: Path) -> None:
    done = onelook("tag", folder / "a.jpg", "--timing", COLUMNS="160")
    rows = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    for row in ("prepare", "analyze", "engine", "first", "decode", "scheduling", "wall"):
        assert row in rows
    counts = re.search(r"(\d+) written \((\d+) forced\), (\d+) pass(es)?\s*$", done.stdout, re.MULTILINE)
    assert counts is not None
    written, forced, passes = map(int, counts.groups()[:3])
    assert written == forced + passes, "a pass for each choice, none for what the grammar forces"


def test_colours_come_when_they_are_asked_for(onelook: Run, folder: Path) -> None:
    assert "\x1b[" in onelook("tag", folder / "a.jpg", FORCE_COLOR="1").stdout


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["tag", "x.jpg", "--long-edge", "5"], "--long-edge"),
        (["tag", "x.jpg", "--resolution", "huge"], "'auto'"),
        (["tag", "x.jpg", "--resolution", "auto", "--long-edge", "512"], "leave one of them out"),
        (["tag", "x.jpg", "--threshold", "7"], "--confidence-threshold"),
        (["tag", "x.jpg", "--arm", "magic"], "fused"),
        (["tag", "x.jpg", "--engine", "magic"], "engine"),
        (["tag", "x.jpg", "--taxonomy", "gone.yaml"], "gone.yaml"),
        (["tag", "x.jpg", "--model", "/no/such/model"], "/no/such/model"),
        (["tag", "x.jpg", "--engine", "vllm", "--base-url", "http://127.0.0.1:9/v1"], "127.0.0.1:9"),
        (["tag", "x.jpg", "--engine", "vllm", "--base-url", "ftp://x"], "ONELOOK_BASE_URL"),
        (["taxonomy", "check", "gone.yaml"], "gone.yaml"),
    ],
)
def test_what_cannot_begin_is_refused_in_a_few_words(words: list[str], shown: str, onelook: Run) -> None:
    done = onelook(*words)
    assert done.returncode == 2
    assert shown in done.stderr.replace("\n", "")
    assert "Traceback" not in done.stderr


def test_an_empty_folder_is_reported(onelook: Run, tmp_path: Path) -> None:
    done = onelook("tag", tmp_path)
    assert (done.returncode, "no pictures" in done.stderr) == (2, True)


def test_config_says_where_each_value_comes_from(onelook: Run) -> None:
    settings = json.loads(onelook("config", "--json", "--engine", "vllm", ONELOOK_RUN__ARM="legacy").stdout)
    assert (settings["engine"]["value"], settings["engine"]["source"]) == ("vllm", "option")
    assert (settings["run.arm"]["value"], settings["run.arm"]["source"]) == ("legacy", "environment")
    assert all(setting["description"] for setting in settings.values())
    assert settings["timeout_s"]["source"] == "default"


def test_doctor_reports_each_capability_of_the_embedded_engine(onelook: Run) -> None:
    done = onelook("doctor")
    assert done.returncode == 0
    for capability in ("answers", "JSON schema", "regex and choice", "logprobs", "cached tokens", "image tokens"):
        assert f"✓ {capability}:" in done.stdout


def test_doctor_fails_where_nothing_listens(onelook: Run) -> None:
    done = onelook("doctor", "--engine", "vllm", "--base-url", "http://127.0.0.1:9/v1")
    assert (done.returncode, "✗ answers" in done.stdout) == (1, True)


def test_graph_is_mermaid(onelook: Run) -> None:
    drawing = onelook("graph").stdout
    assert drawing.startswith("---\nconfig:")
    assert "prepare -. &nbsp;fused&nbsp; .-> analyze" in drawing


def test_your_own_taxonomy_works_by_setting_only(onelook: Run, folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "name: mine\n"
        "languages: [en]\n"
        "categories:\n"
        "  invoice: {label: {en: invoice}, when: {en: a bill}}\n"
        "  photo:\n"
        "    label: {en: photo}\n"
        "    when: {en: anything else}\n"
        "    details:\n"
        "      light: {label: {en: light}, choose: one, options: {day: {en: day}, night: {en: night}}}\n"
    )
    assert "2 categories with 1 attributes" in onelook("taxonomy", "check", mine).stdout
    assert "invoice" in onelook("taxonomy", "show", mine).stdout
    (result,) = json.loads(onelook("tag", folder / "a.jpg", "--taxonomy", mine, "--json").stdout)
    assert result["category"]["id"] in ("invoice", "photo")
    refused = onelook("tag", folder / "a.jpg", "--taxonomy", mine, "--language", "zh")
    assert (refused.returncode, "language" in refused.stderr) == (2, True)


def test_a_router_goes_ahead_of_the_model(onelook: Run, folder: Path, tiny_siglip: Path, tmp_path: Path) -> None:
    """With a threshold of 0 it is believed, though its random weights are sure of nothing."""
    router = {
        "ONELOOK_ROUTER__MODEL": str(tiny_siglip),
        "ONELOOK_ROUTER__THRESHOLD": "0",
        "XDG_CACHE_HOME": str(tmp_path),
    }
    done = onelook("tag", folder / "a.jpg", "--arm", "hybrid", "--timing", **router)
    assert done.returncode == 0
    assert re.fullmatch(SUMMARY.format(pictures="1 picture", ok="[01]", review="[01]", failed=0), done.stderr)
    assert "router" in done.stdout
    found = onelook("doctor", **router)
    assert (found.returncode, found.stderr) == (0, "")
    assert "9 texts" in found.stdout


def test_an_arm_whose_router_is_not_there_cannot_begin(installed_onelook: Run, folder: Path, tmp_path: Path) -> None:
    done = installed_onelook("tag", folder / "a.jpg", "--arm", "hybrid", HF_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "google/siglip-so400m-patch14-384" in done.stderr
    assert "ONELOOK_ROUTER__MODEL" in done.stderr


@pytest.mark.parametrize("threshold", ["1.5", "-0.1", "high"])
def test_a_threshold_of_the_router_that_is_no_probability_is_refused(
    threshold: str, onelook: Run, folder: Path
) -> None:
    done = onelook("tag", folder / "a.jpg", "--arm", "hybrid", ONELOOK_ROUTER__THRESHOLD=threshold)
    assert (done.returncode, done.stdout) == (2, "")
    assert "router.threshold" in done.stderr
    assert threshold in done.stderr
