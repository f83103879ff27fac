"""A picture that a server has is named, not sent again; what it lost is sent again; nobody else can name it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from onelook.engines.base import AskRequest
from onelook.engines.cache_scope import cache_scope, new_to_caches
from onelook.engines.openai.engine import OpenAIEngine
from onelook.errors import EngineFailed, EngineRefused
from tests.engines.openai_simulation import Body, SimulatedServer, batch_completion, completion, engine_at
from tests.engines.test_vllm_batch import question

LETTER = {"A": -0.1, "B": -3.0}


class CachingServer(SimulatedServer):
    """A vLLM server with a media cache of any size, which it can lose. `refuses`: what it says to any request."""

    def __init__(self, *, keeps: bool = True) -> None:
        super().__init__(self._answer, respond_batch=self._answer_batch)
        self.cache: dict[str, str] = {}
        self.keeps = keeps
        self.refuses: tuple[int, str] | None = None

    @property
    def urls(self) -> list[str | None]:
        """The pictures' bytes in each question; None where a picture was named only."""
        return [url for body in self.bodies for url in pictures_of(body["messages"])]

    def _error(self, messages: Any) -> web.Response | None:
        if self.refuses is not None:
            return web.json_response({"error": {"message": self.refuses[1]}}, status=self.refuses[0])
        for part in parts_of(messages):
            url = part["image_url"] and part["image_url"]["url"]
            if url is None and part["uuid"] not in self.cache:
                message = "Cache miss for image at index 0 but data is not provided."
                return web.json_response({"error": {"message": message}}, status=400)
            if url is not None:
                self.cache[part["uuid"]] = url
        return None

    async def _answer(self, request: web.Request, asked: Body) -> web.StreamResponse:
        error = self._error(asked["messages"])
        if error is not None:
            return error
        seen = "+".join(self.cache[part["uuid"]][-8:] for part in parts_of(asked["messages"]))
        if not self.keeps:
            self.cache.clear()
        return web.json_response(completion(seen))

    async def _answer_batch(self, request: web.Request, asked: Body) -> web.StreamResponse:
        for messages in asked["messages"]:
            if (error := self._error(messages)) is not None:
                return error
        return web.json_response(batch_completion(*[LETTER for _ in asked["messages"]]))


def parts_of(messages: Any) -> list[Any]:
    return [part for part in messages[-1]["content"] if part["type"] == "image_url"]


def pictures_of(messages: Any) -> list[str | None]:
    return [part["image_url"] and part["image_url"]["url"] for part in parts_of(messages)]


def about(*pictures: bytes, text: str = "What?") -> AskRequest:
    return question(text, "AB", pictures=pictures, constraint=None, max_tokens=8)


async def seen(engine: OpenAIEngine, *pictures: bytes, text: str = "What?") -> str:
    return (await engine.ask(about(*pictures, text=text))).text


async def test_the_bytes_are_sent_with_the_first_question_only() -> None:
    async with CachingServer() as server, engine_at(server.base_url) as engine:
        first = await seen(engine, b"front")
        assert await seen(engine, b"front", text="Where?") == first
        both = await seen(engine, b"front", b"back")
    assert both.startswith(first)
    sent = [url is not None for url in server.urls]
    assert sent == [True, False, False, True]


async def test_a_round_names_what_the_question_before_it_has_sent() -> None:
    async with CachingServer() as server, engine_at(server.base_url) as engine:
        await engine.ask(question("Which?", "AB"))
        await engine.ask_many([question(text, "AB") for text in ("One?", "Two?")])
        await engine.ask_many([question(text, "AB", pictures=(b"new",)) for text in ("One?", "Two?")])
    sent = [[pictures_of(messages) for messages in batch["messages"]] for batch in server.batches]
    assert sent[0] == [[None], [None]]
    assert [url is not None for (url,) in sent[1]] == [True, False]


async def test_a_server_that_lost_its_pictures_gets_them_again() -> None:
    async with CachingServer() as server, engine_at(server.base_url) as engine:
        before = [await seen(engine, each) for each in (b"one", b"two")]
        server.cache.clear()  # a restart
        after = [await seen(engine, each) for each in (b"one", b"two", b"one")]
    assert after == [*before, before[0]]
    sent = [url is not None for url in server.urls]
    assert sent == [True, True, False, True, True, False], "one refused request, then all are sent anew"


async def test_a_batch_that_names_a_lost_picture_is_sent_again_and_batches_go_on() -> None:
    asked = [question(text, "AB") for text in ("One?", "Two?")]
    async with CachingServer() as server, engine_at(server.base_url) as engine:
        await engine.ask_many(asked)
        server.cache.clear()
        for _ in range(2):
            assert [reply.text for reply in await engine.ask_many(asked)] == ["A", "A"]
    assert len(server.batches) == 4
    assert server.bodies == []


async def test_a_server_without_a_media_cache_is_not_asked_by_name_for_long() -> None:
    async with CachingServer(keeps=False) as server, engine_at(server.base_url) as engine:
        answers = {await seen(engine, b"front") for _ in range(10)}
    assert len(answers) == 1
    assert len(server.bodies) == 10 + 3
    assert all(server.urls[-4:])


async def test_what_a_server_refuses_for_another_reason_is_reported_as_that() -> None:
    async with CachingServer() as server, engine_at(server.base_url) as engine:
        await seen(engine, b"front")
        server.refuses = 400, "too long"
        with pytest.raises(EngineRefused, match="too long"):
            await seen(engine, b"front")
        server.refuses = None
        await seen(engine, b"front")
        assert server.urls[-1] is None, "it still has the picture"
        server.refuses = 500, "crashed"
        with pytest.raises(EngineFailed):
            await seen(engine, b"front")
        server.refuses = None
        await seen(engine, b"front")
        assert server.urls[-1] is not None, "after a failure nothing is taken for known"


async def test_neither_another_key_nor_another_scope_names_the_same_picture() -> None:
    async with CachingServer() as server:
        for key in ("mine", "theirs", "mine"):
            async with engine_at(server.base_url, api_key=key) as engine:
                await seen(engine, b"front")
        assert len(server.cache) == 2
        async with engine_at(server.base_url, api_key="mine") as engine:
            await seen(engine, b"front")
            token = cache_scope.set("an arm")
            await seen(engine, b"front")
            cache_scope.reset(token)
            with new_to_caches():
                await seen(engine, b"front")
    assert len(server.cache) == 4
    assert all(server.urls)


async def test_a_server_that_takes_no_names_gets_the_bytes_each_time() -> None:
    async with SimulatedServer() as server, engine_at(server.base_url) as engine:
        for _ in range(2):
            await engine.ask(about(b"front"))
    parts = [part for body in server.bodies for part in parts_of(body["messages"])]
    assert len(parts) == 2
    assert all(part["image_url"]["url"] and "uuid" not in part for part in parts)
