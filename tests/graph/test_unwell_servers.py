"""A run whose server is overloaded or dies: no picture fails, it waits, and it says so. Real HTTP, on a clock that is
put forward over every wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest
from aiohttp import web

from onelook.deadline import deadline_in
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tests.engines.openai_simulation import Body, SimulatedServer, always, completion
from tests.graph.replies import PORTRAIT
from tests.pauses import pauses_skipped

PICTURES = 150
ALLOWED, WINDOW_S = 10, 5.0
KILLED_AT, DOWN_S = 50, 20.0


def tagger_of(server: SimulatedServer, **settings: Any) -> Tagger:
    return Tagger(load_settings(engine="vllm", base_url=server.base_url, retry_interval_s=0.001, **settings))


async def tag_all(tagger: Tagger, pictures: Sequence[bytes]) -> list[TagResult]:
    return [result async for _, result in tagger.tag_many(pictures)]


def kinds(results: Sequence[TagResult]) -> Counter[str]:
    return Counter(error.kind for result in results for error in result.errors)


def overloaded(seconds: str, status: int = 429) -> web.Response:
    body = {"error": {"message": "slow down"}}
    return web.json_response(body, status=status, headers={"Retry-After": seconds})


class RateLimited:
    """Answers `ALLOWED` questions in `WINDOW_S`, and tells the others to come later."""

    def __init__(self) -> None:
        self.taken: deque[float] = deque()
        self.rejected = 0

    async def __call__(self, request: web.Request, asked: Body) -> web.StreamResponse:
        now_s = asyncio.get_running_loop().time()
        while self.taken and self.taken[0] <= now_s - WINDOW_S:
            self.taken.popleft()
        if len(self.taken) >= ALLOWED:
            self.rejected += 1
            return overloaded("5")
        self.taken.append(now_s)
        return web.json_response(completion(PORTRAIT))


async def test_a_rate_limit_fails_no_picture_and_lowers_the_number_in_flight(picture: bytes) -> None:
    limited = RateLimited()
    async with SimulatedServer(limited) as server, tagger_of(server) as tagger:
        async with pauses_skipped(tagger.throttles) as waits:
            results = await tag_all(tagger, [picture] * PICTURES)
        (throttle,) = tagger.throttles
    assert (len(results), kinds(results)) == (PICTURES, Counter())
    assert {str(each).split(",")[0] for each in waits} == {"HTTP 429"}
    assert throttle.limit.current < 8
    assert throttle.rejections == limited.rejected
    assert limited.rejected < PICTURES / 2  # 280 where each picture asks three times and gives up


async def test_the_wait_is_a_named_part_of_the_wall_time(picture: bytes) -> None:
    async def once(request: web.Request, asked: Body) -> web.StreamResponse:
        return overloaded("1") if len(server.bodies) == 1 else web.json_response(completion(PORTRAIT))

    async with SimulatedServer(once) as server, tagger_of(server) as tagger:
        result = await tagger.tag(picture)  # the ledger has a clock of its own, so this second is a real one
    parts = result.ledger.parts()
    assert result.ledger.nodes[1].attempts == 1  # what a server does not take is no attempt
    assert parts["analyze.engine.throttle"] >= 1000
    assert sum(parts.values()) == pytest.approx(result.ledger.wall_ms)
    assert all(value >= -0.01 for value in parts.values()), parts


async def test_so_it_is_for_questions_that_are_asked_at_once(picture: bytes) -> None:
    """`reads` on a server that takes one question a time: none is asked twice because another was rejected."""
    answered: list[str] = []
    busy = False

    async def one_at_a_time(request: web.Request, asked: Body) -> web.StreamResponse:
        nonlocal busy
        if busy:
            return overloaded("1")
        busy = True
        await asyncio.sleep(0.01)
        busy = False
        answered.append(str(asked["messages"]))
        return web.json_response(completion("A", finish_reason="length"))

    async with (
        SimulatedServer(one_at_a_time) as server,
        tagger_of(server, batch="never") as tagger,
        pauses_skipped(tagger.throttles) as waits,
    ):
        result = await tagger.tag(picture, Context(arm="reads"))
    assert kinds([result]) == Counter()
    assert waits
    assert max(Counter(answered).values()) == 1


async def test_a_server_that_is_killed_and_comes_back_fails_no_picture_within_the_deadline(picture: bytes) -> None:
    results = await killed_and_restarted(picture, deadline_s=120.0)
    assert (len(results), kinds(results)) == (PICTURES, Counter())


async def test_without_a_deadline_the_run_pauses_says_so_and_goes_on(
    picture: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "onelook"):
        results = await killed_and_restarted(picture, down_s=3600.0)
    assert (len(results), kinds(results)) == (PICTURES, Counter())
    begin, end = [record.getMessage() for record in caplog.records]
    # Which comes first: a connection that is refused, or the fifth in a row that broke off.
    assert begin.startswith(("waiting for the server (no connection, ", "waiting for the server (connection lost, "))
    assert end.startswith("the server answers again: http://127.0.0.1:")


async def killed_and_restarted(
    picture: bytes, *, down_s: float = DOWN_S, deadline_s: float | None = None
) -> list[TagResult]:
    """The results of all pictures; the server ends in the middle of some, and is away for so long."""
    dying = asyncio.Event()

    async def mortal(request: web.Request, asked: Body) -> web.StreamResponse:
        if len(server.bodies) > KILLED_AT and not dying.is_set():
            dying.set()
        if dying.is_set() and not back.is_set():
            await asyncio.Event().wait()  # it dies in the middle of its work
        return web.json_response(completion(PORTRAIT))

    back = asyncio.Event()

    async def kill_and_restart() -> None:
        await dying.wait()
        await server.__aexit__(None, None, None)
        while sum(each.seconds or 0.0 for each in waits) < down_s:  # noqa: ASYNC110
            await asyncio.sleep(0)
        back.set()
        await server.__aenter__()

    async with (
        SimulatedServer(mortal) as server,
        tagger_of(server) as tagger,
        pauses_skipped(tagger.throttles) as waits,
    ):
        restart = asyncio.create_task(kill_and_restart())
        with nullcontext() if deadline_s is None else deadline_in(deadline_s):
            results = await tag_all(tagger, [picture] * PICTURES)
        await restart
    assert any(result.ledger.nodes[1].attempts == 2 for result in results)  # those it was working at
    return results


async def test_a_longer_wait_than_the_deadline_fails_at_once_and_says_how_long(picture: bytes) -> None:
    async with SimulatedServer(always({}, 500)) as server, tagger_of(server) as tagger:

        async def busy(request: web.Request, asked: Body) -> web.StreamResponse:
            return overloaded("90")

        server.respond = busy
        with deadline_in(30.0):
            result = await tagger.tag(picture)
        assert len(server.bodies) == 1
    (error,) = result.errors
    assert (error.kind, error.retryable) == ("EngineOverloaded", True)
    assert error.retry_after_s is not None
    assert 60 < error.retry_after_s <= 99
    assert "slow down" in error.message


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_failure_with_retry_after_is_an_attempt_and_the_next_one_waits(picture: bytes, status: int) -> None:
    async def failing_once(request: web.Request, asked: Body) -> web.StreamResponse:
        return overloaded("7", status) if len(server.bodies) == 1 else web.json_response(completion(PORTRAIT))

    async with (
        SimulatedServer(failing_once) as server,
        tagger_of(server) as tagger,
        pauses_skipped(tagger.throttles) as waits,
    ):
        result = await tagger.tag(picture)
    assert (kinds([result]), result.ledger.nodes[1].attempts) == (Counter(), 2)
    assert {each.reason for each in waits} == {f"HTTP {status}"}


async def test_an_answer_that_breaks_off_is_asked_for_again(picture: bytes) -> None:
    async def breaking_once(request: web.Request, asked: Body) -> web.StreamResponse:
        if len(server.bodies) > 1:
            return web.json_response(completion(PORTRAIT))
        response = web.StreamResponse(headers={"Content-Length": "500"})
        await response.prepare(request)
        await response.write(b'{"choices": [')
        assert request.transport is not None
        request.transport.close()
        return response

    async with SimulatedServer(breaking_once) as server, tagger_of(server) as tagger:
        result = await tagger.tag(picture)
    assert (kinds([result]), result.ledger.nodes[1].attempts) == (Counter(), 2)


async def test_a_used_up_quota_is_not_waited_for(picture: bytes) -> None:
    no_quota = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    async with SimulatedServer(always(no_quota, 429)) as server, tagger_of(server) as tagger:
        result = await tagger.tag(picture)
        assert len(server.bodies) == 1
    assert kinds([result]) == Counter(["EngineRefused"])
    assert "ONELOOK_API_KEY" in (result.errors[0].hint or "")


async def test_a_run_that_is_cancelled_while_it_waits_gives_its_place_back(picture: bytes) -> None:
    async def busy(request: web.Request, asked: Body) -> web.StreamResponse:
        return overloaded("60")

    async with SimulatedServer(busy) as server, tagger_of(server) as tagger:
        (throttle,) = tagger.throttles
        runs = [asyncio.create_task(tagger.tag(picture)) for _ in range(8)]
        while throttle.waiting() is None or throttle.outstanding < len(runs):  # noqa: ASYNC110
            await asyncio.sleep(0)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        assert (throttle.outstanding, throttle.waiting()) == (0, None)
