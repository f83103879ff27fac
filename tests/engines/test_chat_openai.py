"""LangChain's own chat model as an engine: `ChatEngine` over `ChatOpenAI`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from onelook.engines.base import AskRequest, Constraint, JsonSchema, Regex
from onelook.engines.chat import ChatEngine, read_message
from onelook.engines.openai.request import Guidance
from onelook.errors import (
    EngineError,
    EngineFailed,
    EngineIncapable,
    EngineOverloaded,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
)
from tests.engines.openai_simulation import Body, SimulatedServer, always, completion, letter
from tests.engines.test_vllm_errors import free_port
from tests.pauses import pauses_skipped

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
MESSAGES = [SystemMessage("Look."), HumanMessage([PICTURE, {"type": "text", "text": "What is it?"}])]
SCHEMA = JsonSchema({"type": "object"}, regex=r"\{\}")


def chat_engine(base_url: str, guidance: Guidance = "response_format", **options: Any) -> ChatEngine:
    chat = ChatOpenAI(
        base_url=base_url, api_key=SecretStr("none"), model="tiny", max_retries=0, disable_streaming=True, **options
    )
    return ChatEngine(chat, guidance=guidance)


def question(constraint: Constraint | None = SCHEMA) -> AskRequest:
    return AskRequest(MESSAGES, constraint, max_tokens=7, top_logprobs=2)


async def test_a_question_gets_a_whole_reply() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    answer = completion("{}", logprobs=letter({"{}": -0.1, "[]": -2.5}), usage=usage)
    async with SimulatedServer(always(answer)) as server:
        engine = chat_engine(server.base_url)
        reply = await engine.ask(question())
    assert engine.model == "tiny"
    assert (reply.text, reply.stop_reason) == ("{}", "stop")
    assert reply.tokens[0].alternatives == {b"{}": -0.1, b"[]": -2.5}
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (9, 1)


@pytest.mark.parametrize(
    ("guidance", "field"), [("response_format", "response_format"), ("structured_outputs", "structured_outputs")]
)
async def test_its_server_is_guided_as_was_chosen(guidance: Guidance, field: str) -> None:
    async with SimulatedServer() as server:
        await chat_engine(server.base_url, guidance).ask(question())
    (body,) = server.bodies
    assert field in body
    assert body["messages"][1]["content"][0] == PICTURE
    assert body["top_logprobs"] == 2


async def test_what_the_portable_guidance_cannot_keep_is_not_asked() -> None:
    engine = chat_engine("http://127.0.0.1:9/v1")
    assert engine.capabilities.constraints == "schema"
    with pytest.raises(EngineIncapable, match="Regex"):
        await engine.ask(question(Regex("a+")))


async def test_it_passes_the_probe_and_starts() -> None:
    async def keep(request: web.Request, body: Body) -> web.StreamResponse:
        outputs = body["structured_outputs"]
        return web.json_response(completion(outputs["choice"][0] if "choice" in outputs else '{"word":"zebra"}'))

    async with SimulatedServer(keep) as server:
        await chat_engine(server.base_url, "structured_outputs").start()


async def test_a_server_that_keeps_no_constraint_is_refused_at_start() -> None:
    async with SimulatedServer(always(completion("Hello!"))) as server:
        with pytest.raises(EngineIncapable, match="JSON schema"):
            await chat_engine(server.base_url).start()


@pytest.mark.parametrize(("status", "kind"), [(400, EngineRefused), (429, EngineOverloaded), (500, EngineFailed)])
async def test_the_clients_errors_are_read(status: int, kind: type[EngineError]) -> None:
    async with SimulatedServer(always({"error": {"message": "no"}}, status)) as server:
        with pytest.raises(kind):
            await chat_engine(server.base_url).ask(question())


async def test_an_overloaded_server_is_waited_for() -> None:
    async def busy_once(request: web.Request, body: Body) -> web.StreamResponse:
        if len(server.bodies) > 1:
            return web.json_response(completion("hello"))
        return web.json_response({"error": {"message": "slow down"}}, status=429, headers={"Retry-After": "30"})

    async with SimulatedServer(busy_once) as server:
        engine = chat_engine(server.base_url)
        async with pauses_skipped(engine.throttles) as waits:
            reply = await engine.ask(question())
    assert reply.text == "hello"
    assert reply.timing.throttle_ms is not None
    assert reply.timing.throttle_ms >= 30_000
    assert {each.reason for each in waits} == {"HTTP 429"}


async def test_a_server_that_is_not_there_may_come_back() -> None:
    with pytest.raises(EngineUnavailable):
        await chat_engine(f"http://127.0.0.1:{free_port()}/v1").ask(question())


async def test_an_answer_that_takes_longer_than_the_client_waits() -> None:
    async def never(request: web.Request, body: Body) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with SimulatedServer(never) as server:
        with pytest.raises(EngineTimeout):
            await chat_engine(server.base_url, timeout=0.2).ask(question())


def test_metadata_in_another_form_is_an_error_that_names_the_field() -> None:
    with pytest.raises(EngineIncapable, match="logprobs"):
        read_message(AIMessage("cat", response_metadata={"logprobs": "none"}))
