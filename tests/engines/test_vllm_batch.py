"""Several questions about a picture in one HTTP request, where the server takes them so."""

from __future__ import annotations

import asyncio
import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from string import ascii_uppercase
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, SystemMessage

from onelook.engines.base import AskRequest, Choice, Regex, Reply
from onelook.engines.openai.batch import read_batch
from onelook.engines.tokens import MASKED
from onelook.errors import DeadlinePassed, EngineFailed, EngineIncapable, EngineRefused, EngineTimeout
from tests.engines.openai_simulation import (
    Body,
    Respond,
    SimulatedServer,
    always,
    batch_completion,
    completion,
    engine_at,
)
from tests.loop_clock import skip

LIKELY_B = {"A": math.log(0.2), "B": math.log(0.5), "C": math.log(0.3)}


def part(picture: bytes = b"hi") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64encode(picture).decode()}"}}


def question(text: str, letters: str, *, pictures: tuple[bytes, ...] = (b"hi",), **others: Any) -> AskRequest:
    content: list[str | dict[str, Any]] = [*map(part, pictures), {"type": "text", "text": text}]
    fields = {"constraint": Choice(tuple(letters)), "max_tokens": 1, "top_logprobs": len(letters), **others}
    return AskRequest([SystemMessage("Look."), HumanMessage(content)], **fields)


ABC, AB = question("Which?", "ABC"), question("Is it?", "AB")


def probabilities(reply: Reply) -> dict[str, float]:
    (token,) = reply.tokens
    return {data.decode(): math.exp(logprob) for data, logprob in token.alternatives.items()}


async def answer_singly(request: web.Request, asked: Body) -> web.StreamResponse:
    return web.json_response(completion(asked.get("structured_outputs", {}).get("choice", ["hello"])[-1]))


def batching(respond: Respond) -> SimulatedServer:
    return SimulatedServer(answer_singly, respond_batch=respond)


async def test_a_round_is_one_request_and_each_reply_is_held_to_its_own_options() -> None:
    async with batching(always(batch_completion(LIKELY_B, LIKELY_B))) as server, engine_at(server.base_url) as engine:
        replies = await engine.ask_many([ABC, AB])
    assert (len(server.batches), server.bodies) == (1, [])
    assert [reply.text for reply in replies] == ["B", "B"]
    assert probabilities(replies[0]) == pytest.approx({"A": 0.2, "B": 0.5, "C": 0.3})
    assert probabilities(replies[1]) == pytest.approx({"A": 2 / 7, "B": 5 / 7})
    assert math.exp(replies[1].tokens[0].logprob) == pytest.approx(5 / 7)
    assert sum(reply.usage.completion_tokens or 0 for reply in replies) == 2
    body = server.batches[0]
    assert body["structured_outputs"] == {"choice": ["A", "B", "C"]}
    assert (body["max_tokens"], body["temperature"], body["logprobs"], body["top_logprobs"]) == (1, 0.0, True, 3)


async def test_a_letter_that_was_not_offered_gives_way_to_the_likeliest_that_was() -> None:
    async with (
        batching(always(batch_completion(LIKELY_B, {"A": -3.0, "B": -4.0, "C": -0.1}))) as server,
        engine_at(server.base_url) as engine,
    ):
        _, second = await engine.ask_many([ABC, AB])
    assert second.text == "A"
    assert probabilities(second)["A"] == pytest.approx(1 / (1 + math.exp(-1)))


async def test_a_picture_travels_once_and_is_named_in_every_question() -> None:
    asked = [question(text, "AB", pictures=(b"front", b"back")) for text in ("One?", "Two?", "Three?")]
    async with batching(always(batch_completion(*[LIKELY_B] * 3))) as server, engine_at(server.base_url) as engine:
        await engine.ask_many(asked)
        async with engine_at(server.base_url) as other:
            await other.ask(asked[0])
    alone = server.bodies[0]["messages"][1]["content"]
    first, *others = [conversation[1]["content"] for conversation in server.batches[0]["messages"]]
    assert alone[:2] == first[:2]
    assert [each["image_url"] for each in first[:2]] == [part(b"front")["image_url"], part(b"back")["image_url"]]
    names = [each["uuid"] for each in first[:2]]
    assert len(set(names)) == 2
    for content, text in zip(others, ("Two?", "Three?"), strict=True):
        assert [(each["image_url"], each["uuid"]) for each in content[:2]] == [(None, name) for name in names]
        assert content[2] == {"type": "text", "text": text}


MANY = question("Which?", ascii_uppercase[:21])


@pytest.mark.parametrize(
    "asked",
    [
        [ABC],
        [ABC, MANY],
        [ABC, replace(AB, max_tokens=2)],
        [ABC, replace(AB, temperature=0.5)],
        [ABC, replace(AB, constraint=Regex("A|B"))],
        [ABC, replace(AB, constraint=None)],
    ],
    ids=["one question", "more options than probabilities", "long reply", "sampled", "regex", "free"],
)
async def test_questions_that_make_no_batch_are_asked_singly(asked: list[AskRequest]) -> None:
    async def respond(request: web.Request, asked: Body) -> web.StreamResponse:
        return web.json_response(completion("A"))

    server = SimulatedServer(respond, respond_batch=always({}, status=500))
    async with server, engine_at(server.base_url) as engine:
        replies = await engine.ask_many(asked)
    assert (len(replies), len(server.bodies), server.batches) == (len(asked), len(asked), [])


async def test_a_server_without_batches_is_asked_singly_and_its_pictures_have_no_names() -> None:
    async with SimulatedServer(answer_singly) as server, engine_at(server.base_url) as engine:
        assert [reply.text for reply in await engine.ask_many([ABC, AB])] == ["C", "B"]
    assert [body["messages"][1]["content"][0] for body in server.bodies] == [part(), part()]


@pytest.mark.parametrize("settings", [{"batch": "never"}, {"guidance": "response_format"}])
async def test_a_server_that_shall_not_be_sent_batches_is_not(settings: dict[str, Any]) -> None:
    async with batching(always({}, status=500)) as server, engine_at(server.base_url, **settings) as engine:
        assert not (await engine.served()).batches


async def test_batches_can_be_insisted_on() -> None:
    """Where a gateway hides that the server has them."""
    server = SimulatedServer(answer_singly, owner="gateway", respond_batch=always(batch_completion(LIKELY_B, LIKELY_B)))
    async with server, engine_at(server.base_url, batch="always", guidance="structured_outputs") as engine:
        await engine.ask_many([ABC, AB])
    assert len(server.batches) == 1


async def test_a_batch_that_is_refused_is_asked_singly() -> None:
    """A server without a media cache knows no picture by its name."""
    refusal = {"error": {"message": "Cache miss for image at index 0 but data is not provided."}}
    async with batching(always(refusal, status=400)) as server, engine_at(server.base_url) as engine:
        for _ in range(2):
            assert [reply.text for reply in await engine.ask_many([ABC, AB])] == ["C", "B"]
    assert [body["messages"][1]["content"][0] for body in server.bodies] == [part()] * 4
    assert len(server.batches) == 1  # and none after it


async def test_a_batch_that_was_insisted_on_is_not_asked_singly() -> None:
    async with (
        batching(always({"error": "no"}, status=400)) as server,
        engine_at(server.base_url, batch="always") as it,
    ):
        with pytest.raises(EngineRefused):
            await it.ask_many([ABC, AB])
    assert server.bodies == []


@pytest.mark.parametrize(
    "choices",
    [
        pytest.param(lambda choices: choices[:1], id="fewer"),
        pytest.param(lambda choices: [*choices, {**choices[0], "index": 2}], id="more"),
        pytest.param(lambda choices: choices[::-1], id="another order"),
        pytest.param(lambda choices: [choices[0], choices[0]], id="one twice"),
        pytest.param(lambda choices: None, id="none"),
        pytest.param(lambda choices: ["A", "B"], id="no choices"),
    ],
)
async def test_a_reply_that_does_not_match_the_questions_is_refused(choices: Any) -> None:
    answer = batch_completion(LIKELY_B, LIKELY_B)
    async with (
        batching(always({**answer, "choices": choices(answer["choices"])})) as server,
        engine_at(server.base_url) as engine,
    ):
        with pytest.raises(EngineIncapable, match="batch of 2 questions") as refused:
            await engine.ask_many([ABC, AB])
    assert refused.value.hint is not None
    assert "never" in refused.value.hint


async def test_a_server_that_fails_in_a_batch_fails() -> None:
    async with (
        batching(always({"error": {"message": "out of memory"}}, status=500)) as server,
        engine_at(server.base_url) as engine,
    ):
        with pytest.raises(EngineFailed, match="out of memory"):
            await engine.ask_many([ABC, AB])
    assert (len(server.batches), server.bodies) == (1, [])


def never(seconds: float) -> Respond:
    """Never answers; as soon as it is asked, so many seconds are over."""

    async def respond(request: web.Request, asked: Body) -> web.StreamResponse:
        skip(seconds)
        await asyncio.Event().wait()
        raise AssertionError

    return respond


async def test_a_batch_is_not_waited_for_longer_than_a_question() -> None:
    async with batching(never(62)) as server, engine_at(server.base_url, timeout_s=60) as engine:
        with pytest.raises(EngineTimeout):
            await engine.ask_many([ABC, AB])


async def test_the_first_deadline_ends_the_batch() -> None:
    async with batching(never(31)) as server, engine_at(server.base_url) as engine:
        with pytest.raises(DeadlinePassed):
            await engine.ask_many([replace(ABC, within_s=60), replace(AB, within_s=30)])


@pytest.mark.parametrize("text", ["What a lovely picture!", ""])
async def test_a_server_that_keeps_no_constraint_is_not_read_as_if_it_did(text: str) -> None:
    answer = batch_completion(LIKELY_B, LIKELY_B)
    answer["choices"][1]["message"]["content"] = text
    async with batching(always(answer)) as server, engine_at(server.base_url) as engine:
        _, second = await engine.ask_many([ABC, AB])
    assert (second.text, second.tokens) == (text, ())


Logits = st.dictionaries(st.sampled_from(ascii_uppercase[:20]), st.floats(-30, 30), min_size=2)


def normalised(logits: Mapping[str, float]) -> dict[str, float]:
    whole = math.log(sum(map(math.exp, logits.values())))
    return {option: logit - whole for option, logit in logits.items()}


@given(logits=Logits, data=st.data())
def test_a_shared_constraint_gives_the_probabilities_of_a_constraint_of_ones_own(
    logits: dict[str, float], data: st.DataObject
) -> None:
    own = data.draw(st.lists(st.sampled_from(sorted(logits)), min_size=2, unique=True))
    masked = {"?": MASKED}
    response = batch_completion(normalised(logits) | masked)
    (reply,) = read_batch(response, [question("?", "".join(own))], "here")
    (token,) = reply.tokens
    expected = normalised({option: logits[option] for option in own})
    read = {data.decode(): logprob for data, logprob in token.alternatives.items()}
    assert read == pytest.approx(expected, abs=1e-9)
    assert expected[reply.text] == max(expected.values())
