"""LangGraph Studio's own server, for real: what it knows of the graph, and a run of every arm through it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from PIL import Image

from graph.schema import Arm

CONFIG = Path(__file__).parent.parent.parent / "langgraph.json"
QUIET = {"LANGGRAPH_NO_VERSION_CHECK": "1", "LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGSMITH_TRACING": "false"}


@pytest.fixture(scope="module")
def studio_url(tiny_checkpoint: Path, tiny_siglip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `langgraph dev` with our langgraph.json; it keeps its files in a folder of its own."""
    folder = tmp_path_factory.mktemp("studio")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).parent / "langgraph"), "dev", "--config", str(CONFIG), "--port", str(port)]
    models = {
        "ONELOOK_MODEL": str(tiny_checkpoint),
        "ONELOOK_ROUTER__MODEL": str(tiny_siglip),
        "ONELOOK_ROUTER__THRESHOLD": "0",  # random weights are never sure
        "XDG_CACHE_HOME": str(folder),
    }
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--no-reload", "--no-browser"],
            cwd=folder,
            env={**os.environ, **QUIET, **models},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, server, folder / "log")
        yield url
    finally:
        server.terminate()
        server.wait(30)


def wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{url}/ok").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"langgraph dev is not ready:\n{log.read_text()[-3000:]}")


@pytest.fixture
async def studio(studio_url: str) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=studio_url) as client:
        yield client


async def test_it_shows_the_choices_of_a_run_as_a_form(studio: LangGraphClient) -> None:
    (assistant,) = await studio.assistants.search()
    schemas = await studio.assistants.get_schemas(assistant["assistant_id"])
    context: Any = schemas["context_schema"]
    assert context["properties"]["arm"]["enum"] == list(get_args(Arm))
    assert context["properties"]["arm"]["default"] == "fused"
    inputs: Any = schemas["input_schema"]
    assert list(inputs["properties"]) == ["image"]


async def test_it_draws_the_graph_with_its_choices(studio: LangGraphClient) -> None:
    drawing: Any = await studio.assistants.get_graph("onelook")
    ways = {(edge["source"], edge["target"]): bool(edge.get("conditional")) for edge in drawing["edges"]}
    assert ways["prepare", "analyze"]
    assert ways["review", "escalate"]
    assert not ways["analyze", "review"]


@pytest.mark.parametrize("arm", get_args(Arm))
async def test_every_arm_runs_to_its_end(arm: Arm, studio: LangGraphClient, tmp_path: Path) -> None:
    picture = tmp_path / "a.jpg"
    Image.new("RGB", (280, 224), "orange").save(picture)
    thread = await studio.threads.create()
    output: Any = await studio.runs.wait(
        thread["thread_id"], "onelook", input={"image": str(picture)}, context={"arm": arm}
    )
    result = output["result"]
    assert result["arm"] == arm
    assert result["status"] in ("needs_review", "failed")
    assert [error["kind"] for error in result["errors"]] in (
        [],
        ["ReplyInvalid"],
        ["ReplyTruncated"],
    )  # free text of random weights
    state: Any = await studio.threads.get_state(thread["thread_id"])
    assert state["values"]["visits"][0]["name"] == "prepare"
    assert "image" not in state["values"]
    assert "picture" not in state["values"]


async def test_a_bad_choice_is_refused(studio: LangGraphClient) -> None:
    thread = await studio.threads.create()
    answer: Any = await studio.runs.wait(
        thread["thread_id"], "onelook", input={"image": "a.jpg"}, context={"arm": "magic"}, raise_error=False
    )
    assert "arm" in str(answer)
