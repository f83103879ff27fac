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
        pytest.param(always({"error": "busy"}, status=429), 503, "EngineOverloaded", True, id="it is overloaded"),
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
    async with SimulatedServer(always(completion(BUILDING))) as engine, connect(engine, own_clock=True) as client:
        assert (await client.post("/v1/tags", data=form(picture))).status == 200
        assert (await client.get("/readyz")).status == 200

        port = engine.base_url
        await engine.__aexit__(None, None, None)
        gone = await client.post("/v1/tags", data=form(picture), headers={"X-Timeout-Seconds": "0.5"})
        gone.problem(503, kind="EngineUnavailable")
        assert gone.headers["Retry-After"]
        unready = await client.get("/readyz")
        assert port in unready.problem(503, kind="NotReady")["detail"]
        assert (await client.get("/healthz")).status == 200

        engine.respond = satisfies_probe
        async with engine:
            client.skip(5)
            assert (await client.get("/readyz")).status == 200
            engine.respond = always(completion(BUILDING))
            assert (await client.post("/v1/tags", data=form(picture))).status == 200


async def test_a_request_waits_for_an_engine_that_restarts_and_meanwhile_nothing_is_ready(
    connect: Connect, picture: bytes
) -> None:
    async with SimulatedServer(always(completion(BUILDING))) as engine, connect(engine, own_clock=True) as client:
        assert (await client.post("/v1/tags", data=form(picture))).status == 200
        await engine.__aexit__(None, None, None)
        waiting = asyncio.create_task(client.post("/v1/tags", data=form(picture)))
        while not await client.metric("onelook_server_outages_total", server=engine.base_url):
            pass
        unready = (await client.get("/readyz")).problem(503, kind="NotReady")  # though it answered a moment ago
        assert engine.base_url in unready["detail"]
        async with engine:
            client.skip(10)
            assert (await waiting).status == 200
            assert (await client.get("/readyz")).status == 200


async def test_an_overloaded_engine_has_its_retry_after_passed_on(connect: Connect, picture: bytes) -> None:
    async def busy(request: web.Request, asked: Body) -> web.StreamResponse:
        return web.json_response({"error": {"message": "slow down"}}, status=429, headers={"Retry-After": "90"})

    async with SimulatedServer(busy) as engine, connect(engine, http={"deadline_s": 30}) as client:
        answer = await client.post("/v1/tags", data=form(picture))
        body = answer.problem(503, kind="EngineOverloaded")
        assert "slow down" in body["detail"]
        assert 60 < int(answer.headers["Retry-After"]) <= 99
        asked = len(engine.bodies)  # this picture, and the check of the engine when the server started
        again = await client.post("/v1/tags", data=form(picture))
        again.problem(503, kind="EngineOverloaded")
        assert len(engine.bodies) == asked, "the server asked for a pause"
        ready = (await client.get("/readyz")).problem(503, kind="NotReady")
        assert f"waiting for {engine.base_url}: HTTP 429, " in ready["detail"]
        of_server = {"server": engine.base_url}
        assert await client.metric("onelook_server_rejections_total", **of_server) == asked
        assert await client.metric("onelook_server_limit", **of_server) == 1
        assert await client.metric("onelook_server_breaker", **of_server, state="closed") == 1
        assert await client.metric("onelook_server_in_flight", **of_server) == 0


async def test_a_request_waits_for_an_engine_that_asks_for_less_than_its_deadline(
    connect: Connect, picture: bytes
) -> None:
    async def busy(request: web.Request, asked: Body) -> web.StreamResponse:
        return web.json_response({"error": "slow down"}, status=503, headers={"Retry-After": "20"})

    async with SimulatedServer(busy) as engine, connect(engine, own_clock=True) as client:
        waiting = asyncio.create_task(client.post("/v1/tags", data=form(picture)))
        while await client.metric("onelook_server_waiting", server=engine.base_url) < 2:
            pass  # this picture, and the check of the engine when the server started
        engine.respond = always(completion(BUILDING))
        client.skip(23)
        assert (await waiting).status == 200
        assert await client.metric("onelook_server_wait_seconds_total", server=engine.base_url) >= 20
        assert await client.metric("onelook_retries_total", node="analyze", arm="fused") == 0


async def satisfies_probe(request: web.Request, asked: Body) -> web.StreamResponse:
    """Satisfies the constraints of the probe."""
    guide: Any = asked["structured_outputs"]
    return web.json_response(completion('{"word":"zebra"}' if "regex" in guide else guide["choice"][0]))


async def test_an_engine_without_guidance_is_not_ready(connect: Connect) -> None:
    async with SimulatedServer(always(completion("Hello!"))) as engine, connect(engine) as client:
        body = (await client.get("/readyz")).problem(503, kind="NotReady")
        assert "JSON schema" in body["detail"]
