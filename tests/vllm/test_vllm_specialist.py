"""The bundled specialist, a Pixtral, on a real vLLM server: the same labels as in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.console import Console

from onelook.demo.checkpoint import SPECIALIST
from onelook.lab.album import read_labels
from onelook.lab.scores import agreement
from tools.demo_model import HELDOUT
from tools.demo_model.evaluate import evaluate
from tools.vllm_cpu.server import vllm_cpu_server, vllm_python

pytestmark = pytest.mark.vllm


@pytest.fixture(scope="module")
def specialist_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("specialist") / "server.log"
    with vllm_cpu_server(SPECIALIST, python=vllm_python(), log=log) as base_url:
        yield base_url


async def test_it_tells_the_same_as_in_this_process(specialist_url: str) -> None:
    pages = [labelled for labelled in read_labels(HELDOUT) if labelled.truth.category in ("document", "diagram")][:12]
    console = Console(quiet=True)

    (served,) = (
        await evaluate(pages, engine="vllm", arms=["fused"], language="zh", console=console, base_url=specialist_url)
    ).values()
    (embedded,) = (
        await evaluate(pages, engine="embedded", arms=["fused"], language="zh", console=console, model=str(SPECIALIST))
    ).values()

    assert agreement(served, embedded) >= 11 / 12
