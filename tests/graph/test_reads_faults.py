"""The arm `reads` on a server (a simulation) that takes batches, or says so: whatever goes wrong ends in a result."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from aiohttp import web

from onelook.demo.checkpoint import with_demo_models
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tests.engines.openai_simulation import Body, Respond, SimulatedServer, always, batch_completion, completion, letter
from tests.graph.replies import IDS
from tests.loop_clock import skip
from tests.patience import HANG_S

READS = Context(arm="reads", language="zh")
SURE_A = {"A": math.log(0.9), "B": math.log(0.06), "C": math.log(0.04)}
SURE_B = {"A": math.log(0.04), "B": math.log(0.9), "C": math.log(0.06)}
# Gender; selfie, half body, full body, group; mood; scene.
ROUND = batch_completion(SURE_A, SURE_A, SURE_A, SURE_B, SURE_B, SURE_A, SURE_A)
ANSWERED_BY_B = ("全身", "合影")


def question(body: Body) -> str:
    words: str = body["messages"][1]["content"][-1]["text"]
    return words


TIMED_OUT_S = 62.0  # more than the 60 s that the settings wait for an answer, less than the graph waits
USAGE = {"prompt_tokens": 100, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 64}}


async def one_by_one(request: web.Request, asked: Body) -> web.StreamResponse:
    """Answers as `ROUND` does, and A to the first question."""
    odds = SURE_B if any(f"{option}？A" in question(asked) for option in ANSWERED_BY_B) else SURE_A
    said = max(odds, key=lambda each: odds[each])
    return web.json_response(completion(said, finish_reason="length", logprobs=letter(odds), usage=USAGE))


async def tag(server: SimulatedServer, picture: bytes, **settings: Any) -> TagResult:
    given = {"engine": "vllm", "base_url": server.base_url, "retry_interval_s": 0.001, "max_attempts": 2, **settings}
    async with Tagger(with_demo_models(load_settings(**given))) as tagger, asyncio.timeout(HANG_S):
        return await tagger.tag(picture, READS)


def batching(respond: Respond) -> SimulatedServer:
    return SimulatedServer(one_by_one, respond_batch=respond)


def ids(result: TagResult) -> dict[str, list[str]]:
    return {attribute: [tag.id for tag in tags] for attribute, tags in result.details.items()}


async def test_two_rounds_are_two_requests(picture: bytes) -> None:
    async with batching(always(ROUND)) as server:
        result = await tag(server, picture)
        assert (len(server.bodies), len(server.batches)) == (1, 1)
    assert (result.status, result.errors, ids(result)) == ("ok", (), IDS)
    # A batch does not say how many of its tokens were cached, and a part of them is not passed for the whole.
    assert (result.usage.completion_tokens, result.usage.cached_tokens) == (1 + 7, None)


@pytest.mark.parametrize("batch", ["auto", "never"])
async def test_a_server_without_batches_answers_the_same(batch: str, picture: bytes) -> None:
    server = SimulatedServer(one_by_one) if batch == "auto" else batching(always({}, status=500))
    async with server:
        result = await tag(server, picture, batch=batch)
        assert len(server.bodies) == 1 + 7
    assert (result.status, ids(result)) == ("ok", IDS)


async def hang(request: web.Request, asked: Body) -> web.StreamResponse:
    """Never answers: as soon as it is asked, so much time is over that nobody waits for it any more."""
    skip(TIMED_OUT_S)
    await asyncio.Event().wait()
    raise AssertionError


async def babble(request: web.Request, asked: Body) -> web.StreamResponse:
    return web.Response(text="<html>busy</html>", content_type="text/html")


def changed(**fields: Any) -> Respond:
    return always({**ROUND, **fields})


UNOFFERED = [
    {**choice, "message": {"role": "assistant", "content": "Z"}, "logprobs": None} for choice in ROUND["choices"]
]


@pytest.mark.parametrize(
    ("respond", "kind", "attempts"),
    [
        pytest.param(always({"error": {"message": "out of memory"}}, status=500), "EngineFailed", 2, id="500"),
        pytest.param(always({"error": {"message": "busy"}}, status=429), "EngineOverloaded", 1, id="429"),
        pytest.param(hang, "EngineTimeout", 2, id="timeout"),
        pytest.param(babble, "EngineIncapable", 1, id="not JSON"),
        pytest.param(always({"error": {"message": "no"}}), "EngineIncapable", 1, id="an error that says 200"),
        pytest.param(changed(choices=ROUND["choices"][:-1]), "EngineIncapable", 1, id="an answer too few"),
        pytest.param(changed(choices=[*ROUND["choices"], {}]), "EngineIncapable", 1, id="an answer too many"),
        pytest.param(changed(choices=ROUND["choices"][::-1]), "EngineIncapable", 1, id="another order"),
        pytest.param(changed(choices=UNOFFERED), "ReplyTruncated", 1, id="letters that were not offered"),
    ],
)
async def test_a_batch_that_goes_wrong_is_an_error_in_the_result(
    respond: Respond, kind: str, attempts: int, picture: bytes
) -> None:
    async with batching(respond) as server:
        result = await tag(server, picture, max_outage_s=0.001)
        assert len(server.batches) == attempts
    (error,) = result.errors
    assert (result.status, error.kind, error.node) == ("failed", kind, "read")
    assert error.message


async def test_a_batch_that_recovers_is_not_noticed(picture: bytes) -> None:
    async def recovering(request: web.Request, asked: Body) -> web.StreamResponse:
        first = len(server.batches) == 1
        return web.json_response({"error": "warming up"} if first else ROUND, status=503 if first else 200)

    async with batching(recovering) as server:
        result = await tag(server, picture)
        assert len(server.batches) == 2
    # The server did not take the first one, so it was no attempt.
    assert (result.status, ids(result), result.ledger.nodes[1].attempts) == ("ok", IDS, 1)


@pytest.mark.parametrize("status", [400, 404])
async def test_a_batch_that_is_refused_is_asked_one_by_one(status: int, picture: bytes) -> None:
    async with batching(always({"error": {"message": "Cache miss for image"}}, status=status)) as server:
        result = await tag(server, picture)
        assert len(server.bodies) == 1 + 7
    assert (result.status, ids(result)) == ("ok", IDS)


@pytest.mark.parametrize(
    ("fault", "kind"), [("500", "EngineFailed"), ("timeout", "EngineTimeout"), ("Z", "ReplyInvalid")]
)
async def test_one_question_of_a_round_that_goes_wrong_is_an_error_in_the_result(
    fault: str, kind: str, picture: bytes
) -> None:
    async def respond(request: web.Request, asked: Body) -> web.StreamResponse:
        if "表情" not in question(asked):
            return await one_by_one(request, asked)
        if fault == "timeout":
            return await hang(request, asked)
        return web.json_response(completion("Z"), status=500 if fault == "500" else 200)

    async with SimulatedServer(respond) as server:
        result = await tag(server, picture)
    (error,) = result.errors
    assert (result.status, error.kind) == ("failed", kind)
