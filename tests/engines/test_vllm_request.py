"""What a server is sent: the question, guided in the way that it understands."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from benchmarks.echo_server import echo_server
from onelook.engines.base import AskRequest, Choice, Constraint, JsonSchema, Regex
from onelook.engines.openai.engine import OpenAIEngine
from onelook.errors import EngineIncapable, SettingsError
from onelook.settings.process import Settings
from tests.engines.openai_simulation import SimulatedServer, engine_at

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
SCHEMA = JsonSchema({"type": "object", "properties": {"word": {"enum": ["yes"]}}}, regex=r'\{"word":"yes"\}')


def question(constraint: Constraint | None = None, pictures: int = 1, picture: Any = PICTURE) -> AskRequest:
    content = [picture] * pictures + [{"type": "text", "text": "What is it?"}]
    return AskRequest([SystemMessage("Look."), HumanMessage(content)], constraint, max_tokens=7, top_logprobs=3)


async def test_the_question_arrives_as_it_was_asked() -> None:
    async with SimulatedServer() as server, engine_at(server.base_url, temperature=0.5) as engine:
        await engine.ask(question())
    assert server.bodies == [
        {
            "model": "tiny",
            "messages": [
                {"role": "system", "content": "Look."},
                {"role": "user", "content": [PICTURE, {"type": "text", "text": "What is it?"}]},
            ],
            "max_tokens": 7,
            "temperature": 0.0,
            "logprobs": True,
            "top_logprobs": 3,
            "chat_template_kwargs": {"enable_thinking": False},
        }
    ]


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        (SCHEMA, {"structured_outputs": {"regex": SCHEMA.regex}}),
        (Regex("a+"), {"structured_outputs": {"regex": "a+"}}),
        (Choice(("cat", "dog")), {"structured_outputs": {"choice": ["cat", "dog"]}}),
    ],
    ids=["json", "regex", "choice"],
)
async def test_a_vllm_server_is_guided_exactly(constraint: Constraint, fields: dict[str, Any]) -> None:
    async with SimulatedServer(owner="vllm") as server, engine_at(server.base_url) as engine:
        await engine.ask(question(constraint))
    assert fields.items() <= server.bodies[0].items()


async def test_any_other_server_gets_the_portable_schema() -> None:
    async with SimulatedServer(owner="somebody") as server, engine_at(server.base_url) as engine:
        await engine.ask(question(SCHEMA))
    assert server.bodies[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "reply", "schema": SCHEMA.schema, "strict": True},
    }
    assert "structured_outputs" not in server.bodies[0]


@pytest.mark.parametrize("constraint", [Regex("a+"), Choice(("cat", "dog"))], ids=["regex", "choice"])
async def test_a_portable_server_is_not_asked_for_what_it_would_silently_ignore(constraint: Constraint) -> None:
    async with SimulatedServer(owner="somebody") as server, engine_at(server.base_url) as engine:
        with pytest.raises(EngineIncapable, match=type(constraint).__name__) as refusal:
            await engine.ask(question(constraint))
    assert "--reply-format json" in (refusal.value.hint or "")
    assert server.bodies == []


@pytest.mark.parametrize(
    ("owner", "guidance"), [("vllm", "response_format"), ("somebody", "structured_outputs")], ids=["vllm", "other"]
)
async def test_guidance_can_be_set_against_what_the_server_seems_to_be(owner: str, guidance: str) -> None:
    async with SimulatedServer(owner=owner) as server, engine_at(server.base_url, guidance=guidance) as engine:
        await engine.ask(question(SCHEMA))
    assert guidance in server.bodies[0]


async def test_many_first_questions_look_the_model_up_once() -> None:
    async with SimulatedServer() as server, engine_at(server.base_url) as engine:
        await asyncio.gather(*(engine.ask(question()) for _ in range(16)))
        assert engine.model == "tiny"
    assert (server.lookups, len(server.bodies)) == (1, 16)


async def test_a_named_model_is_asked_among_several() -> None:
    async with SimulatedServer(models=["a", "b"]) as server, engine_at(server.base_url, model="b") as engine:
        await engine.ask(question())
    assert server.bodies[0]["model"] == "b"


@pytest.mark.parametrize(
    ("models", "wanted", "parse_error"),
    [
        (["a", "b"], None, "several models: a, b"),
        (["a", "b"], "c", "no model 'c'; it has: a, b"),
        ([], None, "lists no model"),
    ],
    ids=["several", "missing", "none"],
)
async def test_a_model_that_is_not_there_is_an_error_that_lists_what_is(
    models: list[str], wanted: str | None, parse_error: str
) -> None:
    async with SimulatedServer(models=models) as server, engine_at(server.base_url, model=wanted) as engine:
        with pytest.raises(EngineIncapable, match=parse_error):
            await engine.ask(question())


async def test_the_key_is_sent_and_a_key_meant_for_openai_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "meant-for-openai")
    async with SimulatedServer() as server:
        async with engine_at(server.base_url) as engine:
            await engine.ask(question())
        async with engine_at(server.base_url, api_key="ours") as engine:
            await engine.ask(question())
    assert [headers.get("Authorization") for headers in server.headers] == [None, "Bearer ours"]


async def test_five_large_pictures_go_in_one_question() -> None:
    url = "data:image/jpeg;base64," + b64encode(bytes(600_000)).decode()
    async with SimulatedServer() as server, engine_at(server.base_url) as engine:
        await engine.ask(question(pictures=5, picture={"type": "image_url", "image_url": {"url": url}}))
    assert [part["type"] for part in server.bodies[0]["messages"][1]["content"]] == ["image_url"] * 5 + ["text"]


async def test_a_part_in_langchains_own_form_is_converted() -> None:
    part = {"type": "image", "base64": "aGk=", "mime_type": "image/png"}
    async with SimulatedServer() as server, engine_at(server.base_url) as engine:
        await engine.ask(question(picture=part))
    assert server.bodies[0]["messages"][1]["content"][0] == PICTURE


async def test_a_closed_engine_can_be_asked_again_and_closed_twice() -> None:
    async with SimulatedServer() as server, engine_at(server.base_url) as engine:
        await engine.ask(question())
        await asyncio.gather(engine.aclose(), engine.aclose())
        await engine.ask(question())
    assert len(server.bodies) == 2


def test_one_engine_serves_several_event_loops() -> None:
    with echo_server("hello") as base_url:
        engine = OpenAIEngine.from_settings(Settings(engine="vllm", base_url=base_url))
        texts = [asyncio.run(engine.ask(question())).text for _ in range(3)]
    assert texts == ["hello"] * 3


@pytest.mark.parametrize("base_url", ["localhost:8000/v1", "ftp://host/v1", "http://", "http://[::1", ""])
def test_an_impossible_address_is_refused_at_start(base_url: str) -> None:
    with pytest.raises(SettingsError, match="no http or https address"):
        OpenAIEngine.from_settings(Settings(engine="vllm", base_url=base_url))


def test_two_kinds_of_credentials_are_refused_at_start() -> None:
    with pytest.raises(SettingsError, match="user name") as refusal:
        OpenAIEngine.from_settings(Settings.model_validate({"base_url": "http://me:secret@host/v1", "api_key": "key"}))
    assert "secret" not in str(refusal.value)
