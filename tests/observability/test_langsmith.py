"""LangSmith, if enabled by its usual variables, gets the runs without pictures."""

from __future__ import annotations

import json
import os
from pathlib import Path

import aiohttp

from tests.api.served import Client, form, served_process, until
from tests.engines.openai_simulation import SimulatedServer, always, completion
from tests.observability.receiver import Received, holds
from tests.observability.tagging import tag

REPLY = '{"primary_category":"建筑","details":{}}'


async def test_runs_are_sent_and_pictures_are_not(received: Received, noise: bytes, noise_file: Path) -> None:
    async with SimulatedServer(always(completion(REPLY))) as server:
        settings = {
            **os.environ,
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_API_KEY": "lsv2_test",
            "LANGSMITH_ENDPOINT": received.url,
            "ONELOOK_ENGINE": "vllm",
            "ONELOOK_BASE_URL": server.base_url,
        }
        said = await tag(noise_file, settings)
    assert said.count('"category":{"id":"building"') == 3
    assert holds(json.dumps(server.bodies).encode(), noise), "the model did get it"
    for name in ("onelook", "prepare", "analyze", "OpenAIEngine"):
        assert f'"name":"{name}"'.encode() in received.everything
    assert "建筑".encode() in received.everything
    assert b"characters of data]" in received.everything
    assert not holds(received.everything, noise)


async def test_a_server_in_several_processes_sends_its_runs(received: Received, noise: bytes) -> None:
    settings = {
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_API_KEY": "lsv2_test",
        "LANGSMITH_ENDPOINT": received.url,
        "ONELOOK_HTTP__WORKERS": "2",
    }
    async with (
        SimulatedServer(always(completion(REPLY))) as server,
        served_process(server.base_url, **settings) as (_, address),
        aiohttp.ClientSession() as session,
    ):
        await Client(session, address).post("/v1/tags", data=form(noise))
        await until(lambda: b'"name":"onelook"' in received.everything)
    assert not holds(received.everything, noise)
