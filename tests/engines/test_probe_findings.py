"""What the probe says of servers that lack one thing each, so that a user knows before the first picture."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from onelook.engines.base import Finding
from onelook.engines.probe import probe
from onelook.engines.scripted import ScriptedEngine, ScriptedReply
from onelook.errors import EngineTimeout
from tests.engines.openai_simulation import Body, SimulatedServer, always, completion, engine_at

USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 1,
    "prompt_tokens_details": {"cached_tokens": 64, "multimodal_tokens": {"image": 64}},
}
METRICS = {"time_to_first_token_ms": 5.0, "generation_time_ms": 9.0, "queue_time_ms": 0.1}


def constrained_text(body: Body) -> str:
    """What a server that keeps its constraint says."""
    constraint = body.get("structured_outputs", {})
    return constraint["choice"][-1] if "choice" in constraint else '{"word":"zebra"}'


def able(body: Body, **without: None) -> dict[str, Any]:
    text = constrained_text(body)
    tokens = [{"token": text, "logprob": -0.1, "bytes": list(text.encode()), "top_logprobs": []}]
    extras: dict[str, Any] = {"logprobs": {"content": tokens}, "usage": USAGE, "metrics": METRICS}
    return completion(text, **{name: value for name, value in extras.items() if name not in without})


async def findings(server: SimulatedServer, **settings: Any) -> dict[str, Finding]:
    async with server, engine_at(server.base_url, **settings) as engine:
        return {finding.capability: finding for finding in await engine.probe()}


def lacking(**without: None) -> SimulatedServer:
    async def respond(request: web.Request, body: Body) -> web.StreamResponse:
        return web.json_response(able(body, **without))

    return SimulatedServer(respond, respond_batch=always({}))


async def test_a_server_with_everything_has_nothing_to_hint_at() -> None:
    found = await findings(lacking())
    assert list(found) == [
        "answers",
        "JSON schema",
        "regex and choice",
        "logprobs",
        "cached tokens",
        "image tokens",
        "server timing",
        "questions in one request",
    ]
    assert all(finding.ok and finding.hint is None for finding in found.values())
    assert "tiny" in found["answers"].detail
    assert "64 of 100" in found["cached tokens"].detail


@pytest.mark.parametrize(
    ("without", "missing", "hint"),
    [
        ("logprobs", {"logprobs"}, "confidence"),
        ("usage", {"cached tokens", "image tokens"}, "--enable-prompt-tokens-details"),
        ("metrics", {"server timing"}, "--enable-per-request-metrics"),
    ],
)
async def test_a_missing_extra_is_named_and_can_be_done_without(without: str, missing: set[str], hint: str) -> None:
    found = await findings(lacking(**{without: None}))
    assert {name for name, finding in found.items() if not finding.ok} == missing
    for name in missing:
        assert not found[name].needed
        assert hint in (found[name].hint or "")


async def test_a_server_that_ignores_constraints_is_found_out() -> None:
    found = await findings(SimulatedServer(always(completion("Hello! How can I help?"))))
    assert not found["JSON schema"].ok
    assert found["JSON schema"].needed
    assert "Hello! How can I help?" in found["JSON schema"].detail
    assert not found["regex and choice"].ok


async def test_a_model_that_writes_only_whitespace_is_reported_apart_from_one_that_is_not_guided() -> None:
    found = await findings(SimulatedServer(always(completion("{ \n\n\n", finish_reason="length")), owner="somebody"))
    assert "cut off" in found["JSON schema"].detail
    assert "structured_outputs" in (found["JSON schema"].hint or "")


async def test_a_portable_server_is_good_enough_but_for_regexes() -> None:
    async def respond(request: web.Request, body: Body) -> web.StreamResponse:
        return web.json_response(able(body))

    found = await findings(SimulatedServer(respond, owner="somebody"))
    assert {name for name, finding in found.items() if not finding.ok} == {
        "regex and choice",
        "questions in one request",
    }
    assert not found["questions in one request"].needed
    assert not found["regex and choice"].needed


async def test_a_server_that_refuses_regexes_is_still_good_enough() -> None:
    async def respond(request: web.Request, body: Body) -> web.StreamResponse:
        if "choice" in body["structured_outputs"]:
            return web.json_response({"error": {"message": "choice is not supported"}}, status=400)
        return web.json_response(able(body))

    found = await findings(SimulatedServer(respond))
    assert "choice is not supported" in found["regex and choice"].detail
    assert found["logprobs"].ok


async def test_a_server_that_is_down_is_one_finding() -> None:
    async with engine_at("http://127.0.0.1:9/v1") as engine:
        (finding,) = await engine.probe()
    assert (finding.capability, finding.ok, finding.needed) == ("answers", False, True)
    assert "127.0.0.1:9" in finding.detail
    assert finding.hint


async def test_a_wrong_model_name_is_one_finding_that_lists_the_right_ones() -> None:
    found = await findings(SimulatedServer(models=["a", "b"]), model="c")
    assert list(found) == ["answers"]
    assert "it has: a, b" in found["answers"].detail


async def test_an_engine_that_fails_between_two_questions_is_not_called_able() -> None:
    answers, schema = await probe(
        ScriptedEngine([ScriptedReply('{"word":"zebra"}'), EngineTimeout("too slow", hint="wait")])
    )
    assert answers == Finding("answers", ok=False, detail="too slow", hint="wait")
    assert schema.ok
