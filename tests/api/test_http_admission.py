"""Admission control, deadlines and cancelled requests, on a simulated slow engine."""

from __future__ import annotations

import asyncio
import signal

import aiohttp
import psutil
import pytest

from onelook.api.state import GRACE_S
from onelook.cli.stopping import SIGNALS
from tests.api.conftest import Connect
from tests.api.served import Client, form, served_process
from tests.api.slow_engine import SlowEngine

WITHIN_30_S = {"X-Timeout-Seconds": "30"}  # sooner than the engine itself is given up


async def test_a_request_beyond_the_queue_gets_429_and_is_not_read(connect: Connect, picture: bytes) -> None:
    async with SlowEngine() as engine, connect(engine, http={"max_in_flight": 2, "max_queue": 1}) as client:
        inside = [asyncio.create_task(client.post("/v1/tags", data=form(picture))) for _ in range(2)]
        for _ in inside:
            await engine.asked.acquire()
        inside.append(asyncio.create_task(client.post("/v1/tags", data=form(picture))))
        while await client.metric("onelook_queue") < 1:
            pass
        assert await client.metric("onelook_in_flight") == 2

        for route in ("/v1/tags", "/v1/tags/batch", "/v1/compare"):
            turned_away = await client.post(route, data=form(picture))
            turned_away.problem(429, kind="Overloaded")
            assert int(turned_away.headers["Retry-After"]) > 0
        assert (await client.get("/healthz")).status == 200

        engine.may_answer.set()
        assert [answer.status for answer in await asyncio.gather(*inside)] == [200, 200, 200]
        assert (await client.post("/v1/tags", data=form(picture))).status == 200
        assert await client.metric("onelook_in_flight") == await client.metric("onelook_queue") == 0


async def test_the_memory_for_all_bodies_is_limited(connect: Connect, picture: bytes) -> None:
    megabyte = picture + b"\0" * 1_000_000
    async with SlowEngine() as engine, connect(engine, http={"max_held_mb": 2.5}) as client:
        inside = [asyncio.create_task(client.post("/v1/tags", data=form(megabyte))) for _ in range(2)]
        for _ in inside:
            await engine.asked.acquire()
        (await client.post("/v1/tags", data=form(megabyte))).problem(429, kind="Overloaded")
        engine.may_answer.set()
        assert [answer.status for answer in await asyncio.gather(*inside)] == [200, 200]
        assert (await client.post("/v1/tags", data=form(megabyte))).status == 200


@pytest.mark.parametrize("route", ["/v1/tags", "/v1/tags/batch", "/v1/compare"])
async def test_a_client_that_disconnects_cancels_its_engine_request(
    connect: Connect, picture: bytes, route: str
) -> None:
    async with SlowEngine() as engine, connect(engine) as client:
        body = form(picture)()
        headers = {"Content-Type": body.content_type, "Content-Length": str(body.size)}
        host, port = client.address.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST {route} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + await body.as_bytes())
        await engine.asked.acquire()
        writer.close()
        await engine.given_up.acquire()
        while await client.metric("onelook_in_flight") + await client.metric("onelook_http_requests_inside"):
            pass


async def test_a_callers_deadline_reaches_the_engine(connect: Connect, picture: bytes) -> None:
    async with SlowEngine() as engine, connect(engine, own_clock=True) as client:
        asking = asyncio.create_task(client.post("/v1/tags", data=form(picture), headers=WITHIN_30_S))
        await engine.asked.acquire()
        client.skip(30)
        late = await asking
        said = late.problem(504, kind="DeadlinePassed")
        assert late.headers["Retry-After"]
        assert said["result"]["ledger"]["nodes"][1]["attempts"] == 1
        await engine.given_up.acquire()

        asking = asyncio.create_task(client.post("/v1/tags/batch", data=form(picture, picture), headers=WITHIN_30_S))
        for _ in range(2):
            await engine.asked.acquire()
        client.skip(30)
        answer = await asking
        assert [line["result"]["errors"][0]["kind"] for line in answer.lines] == ["DeadlinePassed"] * 2


async def test_a_client_cannot_extend_the_servers_deadline(connect: Connect, picture: bytes) -> None:
    async with SlowEngine() as engine, connect(engine, own_clock=True, http={"deadline_s": 30}) as client:
        hour = {"X-Timeout-Seconds": "3600"}
        asking = asyncio.create_task(client.post("/v1/tags", data=form(picture), headers=hour))
        await engine.asked.acquire()
        client.skip(30)
        (await asking).problem(504, kind="DeadlinePassed")


async def test_the_deadline_includes_the_time_in_the_queue(connect: Connect, picture: bytes) -> None:
    async with SlowEngine() as engine, connect(engine, own_clock=True, http={"max_in_flight": 1}) as client:
        first = asyncio.create_task(client.post("/v1/tags", data=form(picture)))
        await engine.asked.acquire()
        second = asyncio.create_task(client.post("/v1/tags", data=form(picture), headers=WITHIN_30_S))
        while await client.metric("onelook_queue") < 1:
            pass
        client.skip(30 + GRACE_S)
        (await second).problem(504, kind="DeadlinePassed")
        engine.may_answer.set()
        assert (await first).status == 200
        assert len([body for body in engine.bodies if "Say hello." not in str(body)]) == 1


async def test_a_batch_shares_the_limit_with_other_requests(connect: Connect, picture: bytes) -> None:
    async with SlowEngine() as engine, connect(engine, concurrency=4, http={"max_in_flight": 2}) as client:
        batch = asyncio.create_task(client.post("/v1/tags/batch", data=form(*[picture] * 6)))
        for _ in range(2):
            await engine.asked.acquire()
        assert await client.metric("onelook_in_flight") == 2
        single = asyncio.create_task(client.post("/v1/tags", data=form(picture)))
        engine.may_answer.set()
        assert (await single).status == 200
        assert sorted(line["index"] for line in (await batch).lines) == list(range(6))


@pytest.mark.parametrize(
    ("number", "workers"),
    [*((number, "1") for number in SIGNALS), *((number, "2") for number in SIGNALS)],
)
async def test_a_signal_finishes_requests_and_accepts_no_new_ones(number: int, workers: str, picture: bytes) -> None:
    async with (
        SlowEngine() as engine,
        served_process(engine.base_url, ONELOOK_HTTP__WORKERS=workers) as (running, address),
        aiohttp.ClientSession() as session,
    ):
        client = Client(session, address)
        inside = asyncio.create_task(client.post("/v1/tags", data=form(picture)))
        await engine.asked.acquire()
        children = psutil.Process(running.pid).children()
        for child in children:  # a terminal and systemd send it to all processes
            child.send_signal(number)
        running.send_signal(number)
        await until_it_listens_no_more(client)
        assert not inside.done()
        engine.may_answer.set()
        assert (await inside).result.category is not None
        await running.wait()
        assert running.returncode in (-number, 128 + number)  # a shell reports both as the latter
        assert not any(child.is_running() for child in children)


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_second_ctrl_c_finishes_nothing(workers: str, picture: bytes) -> None:
    async with (
        SlowEngine() as engine,
        served_process(engine.base_url, ONELOOK_HTTP__WORKERS=workers) as (running, address),
        aiohttp.ClientSession() as session,
    ):
        client = Client(session, address)
        inside = asyncio.create_task(client.post("/v1/tags", data=form(picture)))
        await engine.asked.acquire()
        running.send_signal(signal.SIGINT)
        await until_it_listens_no_more(client)
        assert not inside.done()
        running.send_signal(signal.SIGINT)
        (outcome,) = await asyncio.gather(inside, return_exceptions=True)
        assert isinstance(outcome, aiohttp.ClientConnectionError) or getattr(outcome, "status", 200) == 500
        await running.wait()
        assert running.returncode in (-signal.SIGINT, 128 + signal.SIGINT)


async def until_it_listens_no_more(client: Client) -> None:
    while True:
        try:
            await client.get("/healthz")
        except aiohttp.ClientConnectionError:
            return
