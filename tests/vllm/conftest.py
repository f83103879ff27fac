"""One real vLLM server, on the CPU, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.vllm_cpu.server import vllm_cpu_server, vllm_python


@pytest.fixture(scope="session")
def vllm_url(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a server with the tiny checkpoint: started once, waited for, stopped."""
    log = tmp_path_factory.mktemp("vllm") / "server.log"
    with vllm_cpu_server(tiny_checkpoint, python=vllm_python(), log=log) as base_url:
        yield base_url
