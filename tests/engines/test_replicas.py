"""Several servers with one model: each request goes to the one with the least to do, and none is lost with a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web
from langchain_core.messages import HumanMessage

from onelook.engines.base import AskRequest, Choice
from onelook.engines.build import build_engine
from onelook.engines.openai.replicas import REST_S, Replicas
from onelook.errors import EngineError, EngineIncapable, EngineUnavailable, SettingsError
from onelook.settings.process import Settings
from tests.engines.openai_simulation import Body, SimulatedServer, completion
from tests.loop_clock import skip
from tests.patience import HANG_S


class Server(SimulatedServer):
    """Answers the probe and `cat`; `hold`: once that is set."""

    def __init__(self, *models: str) -> None:
        super().__init__(self.answer, models=models or ("tiny",))
        self.hold = asyncio.Event()
        self.hold.set()
        self.status = 200
        self.asked = 0

    async def answer(self, request: web.Request, asked: Body) -> web.StreamResponse:
        guide = asked.get("structured_outputs", {})
        if "zebra" in str(guide):
            return web.json_response(completion(guide["choice"][0] if "choice" in guide else '{"word":"zebra"}'))
        if self.status != 200:
            return web.json_response({"error": {"message": "later"}}, status=self.status, headers={"Retry-After": "30"})
        self.asked += 1
        await self.hold.wait()
        return web.json_response(completion("cat"))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG_S):
        while not condition():  # noqa: ASYNC110 - it changes in a server
            await asyncio.sleep(0.01)


def question(picture: str = "") -> AskRequest:
    url = {"url": f"data:image/png;base64,{picture}"}
    content: list[str | dict[str, object]] = [{"type": "image_url", "image_url": url}] if picture else []
    message = HumanMessage([*content, {"type": "text", "text": "Which?"}])
    return AskRequest([message], Choice(("cat", "dog")), max_tokens=8)


@asynccontextmanager
async def replicas(servers: Sequence[SimulatedServer], **settings: object) -> AsyncIterator[Replicas]:
    first, *others = (each.base_url for each in servers)
    engine = build_engine(Settings(engine="vllm", base_url=first, replicas=tuple(others), **settings))  # type: ignore[arg-type]
    assert isinstance(engine, Replicas)
    try:
        yield engine
    finally:
        await engine.aclose()


@asynccontextmanager
async def two(**settings: object) -> AsyncIterator[tuple[Server, Server, Replicas]]:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(Server()) for _ in range(2)]
        assert isinstance(servers[0], Server)
        engine = await stack.enter_async_context(replicas(servers, **settings))
        await engine.start()
        yield servers[0], servers[1], engine


async def test_the_load_is_shared() -> None:
    async with two() as (one, other, engine):
        one.hold.clear()
        other.hold.clear()
        asking = [asyncio.create_task(engine.ask(question())) for _ in range(10)]
        await until(lambda: one.asked + other.asked == 10)
        assert (one.asked, other.asked) == (5, 5)
        one.hold.set()
        other.hold.set()
        assert {reply.text for reply in await asyncio.gather(*asking)} == {"cat"}


async def test_the_faster_one_gets_more() -> None:
    async with two() as (one, other, engine):
        one.hold.clear()
        stuck = [asyncio.create_task(engine.ask(question())) for _ in range(4)]
        await until(lambda: one.asked == 2)
        for _ in range(8):
            await engine.ask(question())
        assert (one.asked, other.asked) == (2, 10)
        one.hold.set()
        await asyncio.gather(*stuck)


async def test_a_picture_goes_where_it_was_seen() -> None:
    async with two() as (one, other, engine):
        for _ in range(5):
            await engine.ask(question("AAAA"))
        assert {one.asked, other.asked} == {5, 0}


async def test_a_server_that_dies_is_left_alone_and_tried_again() -> None:
    async with two() as (one, other, engine):
        await asyncio.gather(*(engine.ask(question()) for _ in range(4)))
        await one.__aexit__(None, None, None)
        before, failed = other.asked, 0
        for _ in range(10):
            try:
                await engine.ask(question())
            except EngineUnavailable:  # the graph asks again
                failed += 1
        assert failed <= 1
        assert other.asked - before >= 9
        await one.__aenter__()
        skip(max(REST_S, 10.0))
        before = one.asked
        await asyncio.gather(*(engine.ask(question()) for _ in range(6)))
        assert one.asked > before


async def test_an_overloaded_server_is_left_alone() -> None:
    async with two() as (one, other, engine):
        await asyncio.gather(*(engine.ask(question()) for _ in range(4)))
        one.status = 429
        before = other.asked
        replies = await asyncio.gather(*(engine.ask(question()) for _ in range(10)))
        assert len(replies) == 10
        assert other.asked - before == 10


async def test_where_all_are_overloaded_requests_wait() -> None:
    async with two() as (one, other, engine):
        await asyncio.gather(*(engine.ask(question()) for _ in range(4)))
        one.status = other.status = 503
        asking = asyncio.create_task(engine.ask(question()))
        await until(lambda: all(each.limit.lowered for each in engine.throttles))
        assert not asking.done()
        one.status = other.status = 200
        while not asking.done():
            skip(40)
            await asyncio.sleep(0.01)
        assert (await asking).text == "cat"


async def test_all_down_for_longer_than_an_outage_may_last() -> None:
    async with two(max_outage_s=60.0) as (one, other, engine):
        await asyncio.gather(*(engine.ask(question()) for _ in range(4)))
        one.status = other.status = 503
        asking = asyncio.create_task(engine.ask(question()))
        while not asking.done():
            skip(40)
            await asyncio.sleep(0.01)
        with pytest.raises(EngineError, match="later"):
            await asking


async def test_one_that_is_not_there_at_the_start_is_done_without() -> None:
    async with Server() as one, Server() as gone:
        await gone.__aexit__(None, None, None)
        async with replicas([gone, one]) as engine:
            await engine.start()
            assert engine.model == "tiny"
            for _ in range(3):
                await engine.ask(question())
            assert one.asked == 3
            await gone.__aenter__()  # and it comes
            skip(REST_S)
            await asyncio.gather(*(engine.ask(question()) for _ in range(6)))
            assert gone.asked > 0


async def test_none_there_at_the_start_is_an_error() -> None:
    async with Server() as one, Server() as other:
        pass
    async with replicas([one, other]) as engine:
        with pytest.raises(EngineIncapable, match="nothing answers"):
            await engine.start()


async def test_different_models_are_refused() -> None:
    async with Server("tiny") as one, Server("large") as other, replicas([one, other]) as engine:
        with pytest.raises(SettingsError, match=r"different models: tiny at .*, large at "):
            await engine.start()
