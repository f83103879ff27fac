"""A model that can think is told not to, and one that thinks nevertheless is found out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from onelook.engines.base import AskRequest
from onelook.errors import EngineRefused, ReplyInvalid, ReplyTruncated
from tests.engines.openai_simulation import Body, SimulatedServer, always, completion, engine_at

QUESTION = AskRequest([], None, max_tokens=7)


@pytest.mark.parametrize("thinking", [False, True])
async def test_every_question_carries_the_switch(thinking: bool) -> None:
    async with SimulatedServer() as server, engine_at(server.base_url, thinking=thinking) as engine:
        await engine.ask(QUESTION)
    assert server.bodies[0]["chat_template_kwargs"] == {"enable_thinking": thinking}


def refusing(field: str) -> SimulatedServer:
    async def respond(request: web.Request, body: Body) -> web.StreamResponse:
        if field in body:
            return web.json_response({"error": {"message": f"{field} is not supported"}}, status=400)
        return web.json_response(completion())

    return SimulatedServer(respond)


async def test_a_server_that_refuses_the_switch_is_asked_without_it_from_then_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with refusing("chat_template_kwargs") as server, engine_at(server.base_url) as engine:
        replies = [await engine.ask(QUESTION) for _ in range(3)]
    assert [reply.text for reply in replies] == ["hello"] * 3
    assert ["chat_template_kwargs" in body for body in server.bodies] == [True, False, False, False]
    assert [record.message for record in caplog.records] == [
        f"{server.base_url} refuses the field chat_template_kwargs, so it is left out:"
        " a model that thinks by default cannot be told not to"
    ]


async def test_first_questions_at_once_are_all_answered_and_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    async with refusing("chat_template_kwargs") as server, engine_at(server.base_url) as engine:
        replies = await asyncio.gather(*(engine.ask(QUESTION) for _ in range(8)))
    assert [reply.text for reply in replies] == ["hello"] * 8
    assert len(caplog.records) == 1


async def test_a_question_that_is_refused_for_itself_keeps_its_own_error() -> None:
    async with refusing("model") as server, engine_at(server.base_url) as engine:
        with pytest.raises(EngineRefused, match="model is not supported"):
            await engine.ask(QUESTION)
    assert ["chat_template_kwargs" in body for body in server.bodies] == [True]


def thoughtful(*, finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    body = completion(finish_reason=finish_reason)
    body["choices"][0]["message"] = {"role": "assistant", "content": None, **message}
    return body


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
@pytest.mark.parametrize("content", [None, "", "\n\n"])
async def test_a_reply_in_the_field_for_thoughts_is_an_error_that_names_the_switch(
    field: str, content: str | None
) -> None:
    body = thoughtful(content=content, **{field: '{"word":"zebra"}'})
    async with SimulatedServer(always(body)) as server, engine_at(server.base_url) as engine:
        with pytest.raises(ReplyInvalid, match=r'field for thoughts.*"word":"zebra"') as error:
            await engine.ask(QUESTION)
    assert "ONELOOK_THINKING=false" in (error.value.hint or "")
    assert "--default-chat-template-kwargs" in (error.value.hint or "")


@pytest.mark.parametrize(
    "message",
    [{"reasoning": "The user wants"}, {"content": "<think>\nThe user wants"}, {"content": "\n<think>The user wants"}],
    ids=["parsed", "in the text", "after a line"],
)
async def test_a_reply_cut_off_while_thinking_is_an_error_that_names_the_switch(message: dict[str, str]) -> None:
    body = thoughtful(finish_reason="length", **message)
    async with SimulatedServer(always(body)) as server, engine_at(server.base_url) as engine:
        with pytest.raises(ReplyTruncated, match=r"thought until the token limit.*The user wants") as error:
            await engine.ask(QUESTION)
    assert "ONELOOK_THINKING=false" in (error.value.hint or "")


async def test_thoughts_beside_an_answer_are_no_error() -> None:
    body = thoughtful(content="hello", reasoning="a greeting")
    async with SimulatedServer(always(body)) as server, engine_at(server.base_url, thinking=True) as engine:
        assert (await engine.ask(QUESTION)).text == "hello"
