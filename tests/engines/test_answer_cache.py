"""Answers kept in memory: never mixed up, never passed off as measured, and no error among them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cachetools import TTLCache
from langchain_core.messages import HumanMessage, SystemMessage

from onelook.engines import answer_cache
from onelook.engines.answer_cache import CachedEngine
from onelook.engines.base import AskRequest, Capabilities, Choice, Reply
from onelook.engines.scripted import ScriptedEngine, ScriptedReply
from onelook.errors import EngineFailed
from onelook.ledger.model import ServerTiming
from onelook.types import Usage


def question(text: str = "What is it?", picture: str = "AAAA") -> AskRequest:
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}
    messages = [SystemMessage("You are brief."), HumanMessage([part, {"type": "text", "text": text}])]
    return AskRequest(messages, Choice(("cat", "dog")), max_tokens=4)


def numbered() -> ScriptedEngine:
    """Its first reply is "0", its second "1", and so on."""
    numbers = iter(range(100))
    return ScriptedEngine(lambda _: ScriptedReply(tokens=[(str(next(numbers)), -0.5)]))


async def test_the_same_question_is_asked_once() -> None:
    engine = CachedEngine(numbered())
    first, second = [await engine.ask(question()) for _ in range(2)]
    assert not first.cached
    assert second == replace(first, usage=Usage(), timing=ServerTiming(), cached=True)
    assert first.usage != second.usage


@pytest.mark.parametrize(
    "other",
    [
        question(text="Where is it?"),
        question(picture="BBBB"),
        replace(question(), constraint=Choice(("cat", "cow"))),
        replace(question(), constraint=None),
        replace(question(), max_tokens=5),
        replace(question(), temperature=0.5),
        replace(question(), top_logprobs=2),
        replace(question(), messages=question().messages[1:]),
        replace(question(), messages=[HumanMessage("You are brief."), question().messages[1]]),
    ],
)
async def test_another_question_is_asked_anew(other: AskRequest) -> None:
    engine = CachedEngine(numbered())
    assert [(await engine.ask(each)).text for each in (question(), other, question(), other)] == ["0", "1", "0", "1"]


async def test_how_long_the_caller_waits_makes_no_other_question() -> None:
    engine = CachedEngine(numbered())
    await engine.ask(replace(question(), within_s=60))
    assert (await engine.ask(replace(question(), within_s=30))).cached


async def test_another_model_is_asked_anew() -> None:
    inner = numbered()
    engine = CachedEngine(inner)
    inner.model = "first"
    await engine.ask(question())
    inner.model = "second"
    assert not (await engine.ask(question())).cached


async def test_a_model_whose_name_comes_with_the_first_answer_is_the_same_model() -> None:
    def named(request: AskRequest) -> str:
        inner.model = "the server's only one"
        return "cat"

    inner = ScriptedEngine(named, model="unknown")
    engine = CachedEngine(inner)
    assert [(await engine.ask(question())).cached for _ in range(2)] == [False, True]


async def test_an_error_is_not_kept() -> None:
    engine = CachedEngine(ScriptedEngine([EngineFailed("out of memory"), "cat"]))
    with pytest.raises(EngineFailed):
        await engine.ask(question())
    assert (await engine.ask(question())).text == "cat"


async def test_of_several_questions_only_the_new_ones_are_asked() -> None:
    inner = numbered()
    engine = CachedEngine(inner)
    known = [question("1"), question("2")]
    await engine.ask_many(known)
    replies = await engine.ask_many([question("0"), known[1], question("3"), known[0]])
    assert [(reply.text, reply.cached) for reply in replies] == [("2", False), ("1", True), ("3", False), ("0", True)]
    assert await engine.ask_many(known) == [replies[3], replies[1]]
    assert len(inner.asked) == 4


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that a cache of two answers sees, to be moved on."""
    now = [0.0]

    def cache(maxsize: float, ttl: float) -> TTLCache[object, Reply]:
        return TTLCache(min(maxsize, 2), ttl, timer=lambda: now[0])

    monkeypatch.setattr(answer_cache, "TTLCache", cache)
    return now


async def test_an_answer_is_kept_for_an_hour_and_the_oldest_make_room(now: list[float]) -> None:
    engine = CachedEngine(numbered())
    await engine.ask(question("0"))
    now[0] = timedelta(minutes=59).total_seconds()
    assert (await engine.ask(question("0"))).cached
    await engine.ask(question("1"))
    await engine.ask(question("2"))
    assert not (await engine.ask(question("0"))).cached
    now[0] += timedelta(minutes=61).total_seconds()
    assert not (await engine.ask(question("2"))).cached


def test_it_can_what_its_engine_can() -> None:
    able = Capabilities(patience_s=7, concurrent=False, size_grid=32, constraints="schema")
    assert CachedEngine(ScriptedEngine([], capabilities=able)).capabilities == able
