"""ONELOOK_PREFILL: the beginning that every reply has is sent, not decoded, as long as the server goes on from it."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from onelook.engines.base import AskRequest, Choice, Constraint, Finding, JsonSchema, Regex
from onelook.engines.openai.prefill import prefill_of
from onelook.errors import EngineRefused
from onelook.prompts.questions import Prompts
from onelook.prompts.replies.json_reply import JsonCodec
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS
from tests.engines.openai_simulation import Body, SimulatedServer, completion, engine_at
from tests.prompts.random_taxonomies import answers, scopes

FUSED = Prompts(load_taxonomy(PHOTOS), "en").fused("json")
BEGINNING = '{"primary_category":"'
REST = 'plant","details":{}}'


def asked(constraint: Constraint | None) -> AskRequest:
    return AskRequest(FUSED.messages([]), constraint, FUSED.max_tokens)


def logprobs(*tokens: tuple[str, float]) -> dict[str, Any]:
    content = [{"token": text, "logprob": value, "bytes": list(text.encode())} for text, value in tokens]
    return {"content": content}


def begun(body: Body) -> bool:
    return "continue_final_message" in body


def prompt_tokens(body: Body, *, honoured: bool = True) -> dict[str, int]:
    """As a chat template makes them: the end of a turn and the start of a new one are five tokens."""
    last = body["messages"][-1]["role"] == "assistant"
    return {"prompt_tokens": 20 + 4 * last + (0 if honoured and begun(body) else 5), "completion_tokens": 9}


def server(
    continued: str = REST, *, refuses: str | None = None, always: bool = False, honoured: bool = True
) -> SimulatedServer:
    """Answers `continued` where it is to go on from a beginning, and a whole reply elsewhere.

    `refuses` requests with a beginning, or all if `always`, in these words. Not `honoured`: the fields change nothing.
    """

    async def respond(request: web.Request, body: Body) -> web.StreamResponse:
        if refuses is not None and (always or begun(body)):
            return web.json_response({"error": {"message": refuses}}, status=400)
        text = continued if begun(body) else BEGINNING + REST
        usage = prompt_tokens(body, honoured=honoured)
        return web.json_response(completion(text, logprobs=logprobs((text[:5], -0.25), (text[5:], 0.0)), usage=usage))

    return SimulatedServer(respond)


async def test_the_beginning_is_the_assistants_and_the_grammar_is_for_the_rest() -> None:
    async with server() as simulated, engine_at(simulated.base_url, prefill=True) as engine:
        reply = await engine.ask(asked(FUSED.constraint))
    body, check = simulated.bodies
    assert body["messages"][-1] == {"role": "assistant", "content": BEGINNING}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert re.fullmatch(body["structured_outputs"]["regex"], REST)
    assert reply.text == BEGINNING + REST
    assert FUSED.read(reply.text).category == "plant"
    assert b"".join(token.data for token in reply.tokens).decode() == reply.text
    assert [token.logprob for token in reply.tokens] == [0.0, -0.25, 0.0]
    assert (check["messages"], check["max_tokens"]) == (body["messages"], 1)


async def test_whether_the_server_goes_on_is_asked_once() -> None:
    async with server() as simulated, engine_at(simulated.base_url, prefill=True) as engine:
        await asyncio.gather(*(engine.ask(asked(FUSED.constraint)) for _ in range(3)))
        await engine.ask(asked(FUSED.constraint))
    assert sorted(begun(body) for body in simulated.bodies) == [False, True, True, True, True]


async def test_a_server_that_takes_a_beginning_only_with_the_field_goes_on_from_it() -> None:
    async def respond(request: web.Request, body: Body) -> web.StreamResponse:
        if not begun(body):
            return web.json_response({"error": {"message": "the last turn must be the user's"}}, status=400)
        return web.json_response(completion(REST, usage=prompt_tokens(body)))

    async with SimulatedServer(respond) as simulated, engine_at(simulated.base_url, prefill=True) as engine:
        replies = [await engine.ask(asked(FUSED.constraint)) for _ in range(2)]
    assert [reply.text for reply in replies] == [BEGINNING + REST] * 2
    assert [begun(body) for body in simulated.bodies] == [True, False, True]


async def test_it_is_off_unless_it_is_set() -> None:
    async with server() as simulated, engine_at(simulated.base_url) as engine:
        await engine.ask(asked(FUSED.constraint))
    assert "continue_final_message" not in simulated.bodies[0]


@pytest.mark.parametrize("constraint", [None, Choice(("yes", "no")), Regex("(?:a|b)c")])
async def test_a_reply_without_a_forced_beginning_is_asked_for_as_usual(constraint: Constraint | None) -> None:
    async with server() as simulated, engine_at(simulated.base_url, prefill=True) as engine:
        await engine.ask(asked(constraint))
    assert "continue_final_message" not in simulated.bodies[0]


IGNORES = {
    "the beginning comes twice": server(BEGINNING + REST),
    "another text": server("Sure! The picture shows a plant."),
    "the field is refused": server(refuses="continue_final_message: extra fields not permitted"),
    "the turn is refused": server(refuses="the last message must be from the user"),
}


@pytest.mark.parametrize("case", IGNORES)
async def test_a_server_that_does_not_go_on_is_asked_as_usual_from_then_on(
    case: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with IGNORES[case] as simulated, engine_at(simulated.base_url, prefill=True) as engine:
        replies = [await engine.ask(asked(FUSED.constraint)) for _ in range(3)]
    assert [reply.text for reply in replies] == [BEGINNING + REST] * 3
    assert [begun(body) for body in simulated.bodies] == [True, False, False, False]
    assert [record.message for record in caplog.records] == [
        f"{simulated.base_url} does not go on from the beginning of a reply (continue_final_message),"
        " so replies are decoded from their first token"
    ]


async def test_a_server_that_ignores_the_fields_and_keeps_to_the_grammar_is_found_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It writes what the grammar allows, in a turn of its own: a reply that fits and is wrong."""
    wrong = 'other","details":{}}'
    async with server(wrong, honoured=False) as simulated, engine_at(simulated.base_url, prefill=True) as engine:
        replies = [await engine.ask(asked(FUSED.constraint)) for _ in range(3)]
    assert [reply.text for reply in replies] == [BEGINNING + REST] * 3
    assert [begun(body) for body in simulated.bodies] == [True, False, False, False, False]
    assert "does not go on" in caplog.text


async def test_first_questions_at_once_are_all_answered_and_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    async with server(BEGINNING + REST) as simulated, engine_at(simulated.base_url, prefill=True) as engine:
        replies = await asyncio.gather(*(engine.ask(asked(FUSED.constraint)) for _ in range(4)))
    assert {reply.text for reply in replies} == {BEGINNING + REST}
    assert len(caplog.records) == 1


async def test_a_question_that_is_refused_for_itself_keeps_its_own_error(caplog: pytest.LogCaptureFixture) -> None:
    async with server(refuses="the prompt is too long", always=True) as simulated:
        async with engine_at(simulated.base_url, prefill=True) as engine:
            for _ in range(2):
                with pytest.raises(EngineRefused, match="too long"):
                    await engine.ask(asked(FUSED.constraint))
        assert [begun(body) for body in simulated.bodies] == [True, False] * 2
    assert not caplog.records


async def test_a_server_that_takes_schemas_only_is_asked_as_usual() -> None:
    async with server() as simulated:
        async with engine_at(simulated.base_url, prefill=True, guidance="response_format") as engine:
            await engine.ask(asked(FUSED.constraint))
        assert "continue_final_message" not in simulated.bodies[0]


@pytest.mark.parametrize(
    ("pattern", "beginning"),
    [
        (r'\{"gender":(?:"(a)"|"(b)")\}', '{"gender'),  # `":"` is one token
        (r'\{"primary_category":"(?:(a)|(b))"\}', '{"primary_category":"'),
        (r'\{"kind":\[(?:|"(a)")\]\}', '{"kind'),
        (r"abcd?(e)", None),
        (r"\{\}", None),
        ("(?:a|b)", None),
    ],
)
def test_a_beginning_ends_where_a_tokenizer_would_end_a_token(pattern: str, beginning: str | None) -> None:
    prefill = prefill_of(pattern)
    assert (None if prefill is None else prefill.beginning) == beginning


@given(data=st.data())
def test_beginning_and_rest_are_the_same_replies(data: st.DataObject) -> None:
    scope = data.draw(scopes())
    codec = JsonCodec(scope)
    constraint = codec.constraint
    assert isinstance(constraint, JsonSchema)
    prefill = prefill_of(constraint.regex)
    reply = codec.encode(data.draw(answers(scope)))
    if prefill is not None:
        assert reply.startswith(prefill.beginning)
        assert re.fullmatch(prefill.rest, reply.removeprefix(prefill.beginning))


def words(*, goes_on: bool, honoured: bool = True) -> SimulatedServer:
    """Answers the probe's questions with the first of its words."""

    async def respond(request: web.Request, body: Body) -> web.StreamResponse:
        choice = body.get("structured_outputs", {}).get("choice")
        text = "zebra" if choice else 'zebra"}' if begun(body) and goes_on else '{"word":"zebra"}'
        return web.json_response(completion(text, usage=prompt_tokens(body, honoured=honoured)))

    return SimulatedServer(respond)


async def doctor(server: SimulatedServer, **settings: Any) -> list[Finding]:
    async with server, engine_at(server.base_url, **settings) as engine:
        return [finding for finding in await engine.probe() if finding.capability == "beginning of replies"]


async def test_the_doctor_says_whether_the_server_goes_on_from_a_beginning() -> None:
    assert await doctor(words(goes_on=True)) == []
    (able,) = await doctor(words(goes_on=True), prefill=True)
    assert (able.ok, able.hint) == (True, None)
    (unable,) = await doctor(words(goes_on=False), prefill=True)
    assert (unable.ok, unable.needed) == (False, False)
    assert "continue_final_message" in unable.detail
    assert unable.hint == "unset ONELOOK_PREFILL: replies are decoded from their first token in any case"
    (deaf,) = await doctor(words(goes_on=True, honoured=False), prefill=True)
    assert (deaf.ok, deaf.hint) == (unable.ok, unable.hint)
    (other,) = await doctor(words(goes_on=True), prefill=True, guidance="response_format")
    assert (other.ok, "structured_outputs" in other.detail) == (False, True)
