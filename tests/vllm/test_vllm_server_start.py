"""Starting the CPU server when it does not start: run without vLLM, with scripts in the place of its Python."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from onelook.errors import EngineIncapable, EngineUnavailable
from tools.vllm_cpu.server import vllm_cpu_server, vllm_python


def script(folder: Path, lines: str) -> Path:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return path


def test_a_server_that_ends_shows_the_end_of_its_log(tmp_path: Path) -> None:
    python = script(tmp_path, "echo no such model: $5; exit 3")
    with (
        pytest.raises(EngineUnavailable, match="exit code 3") as failure,
        vllm_cpu_server(tmp_path / "model", python=python, log=tmp_path / "logs" / "server.log"),
    ):
        pass
    assert f"no such model: {tmp_path / 'model'}" in failure.value.message


def test_a_server_that_is_never_ready_is_stopped_with_all_it_started(tmp_path: Path) -> None:
    held = tmp_path / "held"
    os.mkfifo(held)
    end = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    python = script(tmp_path, f"sleep 600 > {held} & echo loading; wait")
    with (
        pytest.raises(EngineUnavailable, match="not ready within 1 s") as failure,
        vllm_cpu_server(tmp_path, python=python, log=tmp_path / "server.log", ready_within_s=1),
    ):
        pass
    assert "loading" in failure.value.message
    os.set_blocking(end, True)
    assert os.read(end, 1) == b"", "the child is gone once nobody holds the pipe"
    os.close(end)


def test_without_vllm_a_user_reads_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ONELOOK_VLLM_PYTHON", str(tmp_path / "nothing"))
    with pytest.raises(EngineIncapable, match="no Python with vLLM") as failure:
        vllm_python()
    assert "make venv-vllm" in (failure.value.hint or "")
