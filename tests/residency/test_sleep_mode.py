"""Two simulated vLLM servers share a GPU by sleep mode: the calls they get over HTTP, and what goes wrong there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from onelook.engines.base import AskRequest
from onelook.engines.openai.engine import OpenAIEngine
from onelook.engines.resident import ResidentEngine, share_memory
from onelook.errors import EngineFailed, EngineIncapable, EngineUnavailable
from onelook.settings.process import load_settings
from tests.engines.openai_simulation import Body
from tests.residency.simulated import Device, SleepingServer

QUESTION = AskRequest([], None, max_tokens=8)


def constrained_text(body: Body) -> str:
    """A reply that keeps the probe's constraints."""
    constraint = body.get("structured_outputs", {})
    return constraint["choice"][0] if "choice" in constraint else '{"word":"zebra"}'


class Pair:
    """A first server and a specialist on one device, and our engines for them."""

    def __init__(self, *, first_awake: bool = True, second_awake: bool = False, **specialist: Any) -> None:
        self.device = Device()
        self.first = SleepingServer("first", self.device, awake=first_awake, respond=constrained_text)
        self.second = SleepingServer("second", self.device, awake=second_awake, respond=constrained_text, **specialist)

    @asynccontextmanager
    async def engines(self) -> AsyncIterator[tuple[ResidentEngine, ResidentEngine]]:
        async with AsyncExitStack() as stack:
            inner = []
            for server in (self.first, self.second):
                await stack.enter_async_context(server)
                inner.append(OpenAIEngine.from_settings(load_settings(engine="vllm", base_url=server.base_url)))
                stack.push_async_callback(inner[-1].aclose)
            yield share_memory(*inner, defer=False)


@pytest.mark.parametrize(("first_awake", "second_awake"), [(True, False), (False, True), (False, False)])
async def test_however_the_servers_are_found_the_second_sleeps_before_the_first_is_asked(
    first_awake: bool, second_awake: bool
) -> None:
    servers = Pair(first_awake=first_awake, second_awake=second_awake)
    async with servers.engines() as engines:
        for engine in engines:
            await engine.start()
        assert (servers.first.awake, servers.second.awake) == (True, False)
        assert servers.second.bodies == []
    assert servers.device.most_loaded == 1


async def test_of_two_servers_that_are_both_awake_one_sleeps_before_any_question() -> None:
    servers = Pair(second_awake=True)
    async with servers.engines() as (first, _):
        assert servers.device.most_loaded == 2  # as they were found
        await first.ask(QUESTION)
    assert servers.device.events == ["+first", "+second", "-second"]


@pytest.mark.parametrize("empty_answers", [False, True], ids=["0.32", "older, which answers with an empty body"])
async def test_many_questions_for_both_are_all_answered_and_none_is_aborted(empty_answers: bool) -> None:
    servers = Pair(empty_answers=empty_answers)
    async with servers.engines() as engines:
        for engine in engines:
            await engine.start()
        replies = await asyncio.gather(*(engine.ask(QUESTION) for _ in range(12) for engine in engines))
    assert len(replies) == 24
    assert servers.device.most_loaded == 1
    assert servers.first.aborted == servers.second.aborted == 0
    assert servers.device.arrivals[:2] == ["first", "second"]
    assert len(servers.device.arrivals) <= 3  # once more, for those of the first that came after it was closed


async def test_a_server_without_the_routes_is_refused_at_start_with_what_to_do() -> None:
    servers = Pair()
    servers.second.faults["is_sleeping"] = 404
    async with servers.engines() as (first, second):
        for engine in (first, second):
            with pytest.raises(EngineIncapable, match="sleep mode") as refused:
                await engine.start()
            assert "VLLM_SERVER_DEV_MODE=1 and --enable-sleep-mode" in (refused.value.hint or "")


async def test_a_server_that_would_only_pretend_to_sleep_is_refused_at_start() -> None:
    servers = Pair(enabled=False)
    async with servers.engines() as (_, second):
        with pytest.raises(EngineIncapable, match="without --enable-sleep-mode"):
            await second.start()


async def test_an_older_server_that_does_not_report_its_configuration_is_trusted() -> None:
    servers = Pair()
    servers.second.faults["server_info"] = 404
    async with servers.engines() as (_, second):
        await second.start()
        await second.ask(QUESTION)


@pytest.mark.parametrize(
    ("route", "asleep", "says"),
    [
        ("sleep", "first", "HTTP 500: sleep went wrong"),
        ("wake_up", "second", "HTTP 500: wake_up went wrong"),
    ],
)
async def test_a_call_that_fails_is_raised_by_the_questions_that_need_it(route: str, asleep: str, says: str) -> None:
    servers = Pair()
    broken = servers.first if asleep == "first" else servers.second
    async with servers.engines() as (first, second):
        await first.ask(QUESTION)
        broken.faults[route] = 500
        outcomes = await asyncio.gather(*(second.ask(QUESTION) for _ in range(4)), return_exceptions=True)
        for error in outcomes:
            assert isinstance(error, EngineFailed)
            assert "the switch of models failed" in error.message
            assert says in error.message
        assert (await first.ask(QUESTION)).text
        del broken.faults[route]
        assert (await second.ask(QUESTION)).text
    assert servers.device.most_loaded == 1


@pytest.mark.parametrize(("ignored", "says"), [("sleep", "still awake"), ("wake_up", "still sleeps")])
async def test_a_server_that_does_not_do_what_it_confirms_is_found_out(ignored: str, says: str) -> None:
    servers = Pair()
    (servers.first if ignored == "sleep" else servers.second).ignored.add(ignored)
    async with servers.engines() as (first, second):
        await first.ask(QUESTION)
        with pytest.raises(EngineFailed, match=says):
            await second.ask(QUESTION)
    assert servers.device.most_loaded == 1


async def test_a_specialist_whose_server_has_died_does_not_take_the_first_with_it() -> None:
    servers = Pair()
    async with servers.engines() as (first, second):
        await second.ask(QUESTION)
        await servers.second.__aexit__(None, None, None)
        servers.device.unload("second")
        assert (await first.ask(QUESTION)).text
        with pytest.raises(EngineUnavailable, match="the switch of models failed: nothing answers"):
            await second.ask(QUESTION)
        assert (await first.ask(QUESTION)).text


async def test_the_calls_carry_the_key_and_go_beside_v1_wherever_that_is() -> None:
    async with SleepingServer("first", Device(), awake=True, prefix="/behind/a/proxy") as server:
        engine = OpenAIEngine.from_settings(
            load_settings(
                engine="vllm", base_url=server.base_url.replace("/v1", "/behind/a/proxy/v1"), api_key="secret"
            )
        )
        await engine.sleep()
        await engine.aclose()
    assert (server.awake, server.keys) == (False, {"Bearer secret"})
