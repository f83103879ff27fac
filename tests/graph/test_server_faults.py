"""The whole way, from the picture over HTTP to the result, with a server (a simulation) that misbehaves."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from tests.engines.openai_simulation import Body, SimulatedServer, always, completion
from tests.graph.replies import PORTRAIT
from tests.loop_clock import skip

TIMED_OUT_S = 62.0  # more than the 60 s that the settings wait for an answer, less than the graph waits


async def tag(base_url: str, picture: bytes, **settings: Any) -> TagResult:
    given = {"engine": "vllm", "base_url": base_url, "retry_interval_s": 0.001, **settings}
    async with Tagger(load_settings(**given)) as tagger:
        return await tagger.tag(picture)


def kinds(result: TagResult) -> list[str]:
    return [error.kind for error in result.errors]


async def test_a_good_server_gives_a_good_result(picture: bytes) -> None:
    async with SimulatedServer(always(completion(PORTRAIT))) as server:
        result = await tag(server.base_url, picture)
    assert (result.status, result.model, kinds(result)) == ("needs_review", "tiny", [])  # it gave no logprobs
    assert result.category is not None
    assert result.category.id == "portrait"


async def test_nothing_listens(picture: bytes) -> None:
    async with SimulatedServer() as server:
        gone = server.base_url
    result = await tag(gone, picture)
    assert (result.status, kinds(result)) == ("failed", ["EngineUnavailable"])
    assert gone in result.errors[0].message
    assert result.errors[0].hint


async def test_a_server_error_is_tried_again_by_one_owner_only(picture: bytes) -> None:
    async with SimulatedServer(always({"error": {"message": "out of memory"}}, status=500)) as server:
        result = await tag(server.base_url, picture, max_attempts=3)
        assert len(server.bodies) == 3
    assert (result.status, kinds(result)) == ("failed", ["EngineFailed"])
    assert "out of memory" in result.errors[0].message


async def test_a_server_that_recovers_is_not_noticed(picture: bytes) -> None:
    async def recovering(request: web.Request, asked: Body) -> web.StreamResponse:
        if len(server.bodies) == 1:
            return web.json_response({"error": {"message": "warming up"}}, status=503)
        return web.json_response(completion(PORTRAIT))

    async with SimulatedServer(recovering) as server:
        result = await tag(server.base_url, picture)
    assert (kinds(result), result.ledger.nodes[1].attempts) == ([], 2)


async def test_a_refusal_is_not_tried_again(picture: bytes) -> None:
    async with SimulatedServer(always({"error": {"message": "picture too large"}}, status=400)) as server:
        result = await tag(server.base_url, picture)
        assert len(server.bodies) == 1
    assert (result.status, kinds(result)) == ("failed", ["EngineRefused"])
    assert "picture too large" in result.errors[0].message


async def test_a_slow_server_times_out(picture: bytes) -> None:
    async def slow(request: web.Request, asked: Body) -> web.StreamResponse:
        skip(TIMED_OUT_S)
        await asyncio.Event().wait()
        raise AssertionError

    async with SimulatedServer(slow) as server:
        result = await tag(server.base_url, picture, max_attempts=2)
        assert len(server.bodies) == 2
    assert (result.status, kinds(result)) == ("failed", ["EngineTimeout"])


async def test_a_model_that_is_not_there_is_named_with_those_that_are(picture: bytes) -> None:
    async with SimulatedServer(models=["qwen", "pixtral"]) as server:
        result = await tag(server.base_url, picture, model="gpt")
    assert (result.status, kinds(result)) == ("failed", ["EngineIncapable"])
    assert "qwen" in result.errors[0].message
    assert "pixtral" in result.errors[0].message


async def test_a_server_that_ignores_the_constraint_is_found_out(picture: bytes) -> None:
    async with SimulatedServer(always(completion("What a lovely portrait!"))) as server:
        result = await tag(server.base_url, picture)
    assert (result.status, kinds(result), result.category) == ("failed", ["ReplyInvalid"], None)


async def test_a_reply_cut_off_at_max_tokens_is_no_answer(picture: bytes) -> None:
    async with SimulatedServer(always(completion(PORTRAIT[:40], finish_reason="length"))) as server:
        result = await tag(server.base_url, picture)
    assert (result.status, kinds(result)) == ("failed", ["ReplyTruncated"])


async def test_one_that_dies_between_two_pictures_fails_the_second_only(picture: bytes) -> None:
    async with SimulatedServer(always(completion(PORTRAIT))) as server:
        settings = load_settings(engine="vllm", base_url=server.base_url, max_outage_s=0.001)
        async with Tagger(settings) as tagger:
            first = await tagger.tag(picture)
            await server.__aexit__(None, None, None)
            second = await tagger.tag(picture)
    assert (kinds(first), kinds(second)) == ([], ["EngineUnavailable"])
