"""A simulated engine that fails: the responses to callers, and /readyz."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from tests.api.conftest import Connect
from tests.api.served import form
from tests.engines.openai_simulation import Body, Respond, SimulatedServer, always, completion
from tests.graph.replies import BUILDING


async def hang(request: web.Request, asked: Body) -> web.StreamResponse:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize(
    ("respond", "status", "kind", "retry"),
    [
        pytest.param(always({"error": "out of memory"}, status=500), 502, "EngineFailed", True, id="it fails"),
        pytest.param(always({"error": "busy"}, status=429), 502, "EngineFailed", True, id="it is overloaded"),
        pytest.param(always({"error": "no"}, status=400), 502, "EngineRefused", False, id="it refuses"),
        pytest.param(always(completion("What a nice house!")), 502, "ReplyInvalid", False, id="it talks"),
        pytest.param(hang, 504, "EngineTimeout", True, id="it hangs"),
    ],
)
async def test_a_fault_has_its_status(
    connect: Connect, picture: bytes, respond: Respond, status: int, kind: str, retry: bool
) -> None:
    async def and_time_passes(request: web.Request, asked: Body) -> web.StreamResponse:
        if respond is hang:
            client.skip(22)
        return await respond(request, asked)

    async with (
        SimulatedServer(and_time_passes) as engine,
        connect(engine, own_clock=True, timeout_s=20, max_attempts=1) as client,
    ):
        answer = await client.post("/v1/tags", data=form(picture))
        body = answer.problem(status, kind=kind)
        assert body["result"]["errors"][0]["kind"] == kind
        assert [node["name"] for node in body["result"]["ledger"]["nodes"]] == ["prepare", "analyze"]
        assert ("Retry-After" in answer.headers) == retry
        compared = await client.post("/v1/compare", data=form(picture))
        compared.problem(status, kind=kind)
        (line,) = (await client.post("/v1/tags/batch", data=form(picture))).lines
        assert line["result"]["errors"][0]["kind"] == kind


async def test_an_engine_that_stops_and_restarts(connect: Connect, picture: bytes) -> None:
    async with SimulatedServer(always(completion(BUILDING))) as engine, connect(engine, max_attempts=1) as client:
        assert (await client.post("/v1/tags", data=form(picture))).status == 200
        assert (await client.get("/readyz")).status == 200

        port = engine.base_url
        await engine.__aexit__(None, None, None)
        gone = await client.post("/v1/tags", data=form(picture))
        gone.problem(503, kind="EngineUnavailable")
        assert gone.headers["Retry-After"]
        unready = await client.get("/readyz")
        assert port in unready.problem(503, kind="NotReady")["detail"]
        assert (await client.get("/healthz")).status == 200

        engine.respond = satisfies_probe
        async with engine:
            assert (await client.get("/readyz")).status == 200
            engine.respond = always(completion(BUILDING))
            assert (await client.post("/v1/tags", data=form(picture))).status == 200


async def satisfies_probe(request: web.Request, asked: Body) -> web.StreamResponse:
    """Satisfies the constraints of the probe."""
    guide: Any = asked["structured_outputs"]
    return web.json_response(completion('{"word":"zebra"}' if "regex" in guide else guide["choice"][0]))


async def test_an_engine_without_guidance_is_not_ready(connect: Connect) -> None:
    async with SimulatedServer(always(completion("Hello!"))) as engine, connect(engine) as client:
        body = (await client.get("/readyz")).problem(503, kind="NotReady")
        assert "JSON schema" in body["detail"]
