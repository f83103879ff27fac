"""The benchmark for GPUs, in little: what it writes, and what it says of what it left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.gpu import app
from benchmarks.gpu_sections import ARMS
from benchmarks.shapes import SIZES_7B, grown_to_7b, read_config
from onelook.demo.checkpoint import MODEL, ROUTER


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The figures of a whole run on the CPU; the table lies beside them."""
    path = tmp_path_factory.mktemp("gpu") / "build" / "gpu.json"
    run = CliRunner().invoke(app, ["--small", "--device", "cpu", "--pictures", "1", "--json", str(path)])
    assert run.exit_code == 0, run.output
    return path


def test_every_arm_and_size_has_its_figures(written: Path) -> None:
    figures = json.loads(written.read_text(encoding="utf-8"))
    for long_edge in (224, 448):
        for arm in ARMS:
            own = {name: figures[f"small.{long_edge}.{arm}.{name}"] for name in ("p50_ms", "p95_ms", "vision_ms")}
            assert min(own.values()) > 0, own
        json_tokens = figures[f"small.{long_edge}.fused.written"]
        assert json_tokens > figures[f"small.{long_edge}.fused_compact.written"]
        assert figures[f"small.{long_edge}.reads.passes"] == 2, "what the questions share, and their rows"
        assert figures[f"small.{long_edge}.legacy.written"] == figures[f"small.{long_edge}.legacy.passes"]
        assert json_tokens > 2 * figures[f"small.{long_edge}.fused.passes"], "forced tokens take no pass of their own"
    on, off = (figures[f"small.448.jump_forward.{way}.passes"] for way in ("on", "off"))
    assert off == figures["small.448.jump_forward.off.written"], "a token, a pass"
    assert off > 2 * on == 2 * figures["small.448.fused.passes"]
    assert figures["small.448.jump_forward.on_vs_off"] > 0
    for batch in ("1.mixed", "4.mixed", "4.sorted", "8.mixed", "8.sorted"):
        assert figures[f"small.batch.{batch}.pictures_per_s"] > 0
    assert ("siglip.pictures_8_ms" in figures) == ROUTER.is_dir()
    assert "small.448.attention.eager.p50_ms" in figures
    assert not [name for name in figures if name.startswith("failed.")]


def test_it_says_what_it_computed_with_and_what_it_left_out(written: Path) -> None:
    table = written.with_suffix(".md").read_text(encoding="utf-8")
    assert "none (CPU)" in table
    assert "A small shape" in table
    assert "| small 448 fused_compact |" in table
    assert "skipped: small.quantized.8bit (8bit quantization needs a CUDA device, not cpu)" in table


def test_without_time_each_section_is_listed_as_skipped(tmp_path: Path) -> None:
    path = tmp_path / "gpu.json"
    run = CliRunner().invoke(app, ["--small", "--device", "cpu", "--minutes", "0", "--json", str(path)])
    assert run.exit_code == 0, run.output
    figures = json.loads(path.read_text(encoding="utf-8"))
    assert figures["skipped.small.arms"] == "no time left"
    assert figures["skipped.siglip"] == "no time left"


def test_a_real_size_needs_its_folder() -> None:
    run = CliRunner().invoke(app, ["--device", "cpu"])
    assert run.exit_code == 2
    assert "--shape" in run.output


def test_the_7b_differs_from_the_3b_in_its_text_model() -> None:
    grown = grown_to_7b(read_config(MODEL))
    assert (grown.text_config.hidden_size, grown.text_config.num_hidden_layers) == (3584, 28)
    assert grown.vision_config.out_hidden_size == SIZES_7B["hidden_size"]
    assert len(grown.text_config.layer_types) == 28
