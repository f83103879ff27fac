"""`onelook serve --workers 2`: one server to its callers and its operators, in several processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from typer.testing import CliRunner

from onelook.api.workers import shared_out
from onelook.cli.app import app
from onelook.errors import SettingsError
from onelook.settings.process import load_settings
from tests.api.served import Client, form, served_process, until
from tests.api.slow_engine import SlowEngine
from tests.api.test_http_jobs import Model, ended, pictures
from tests.engines.openai_simulation import SimulatedServer
from tests.patience import HANG_S
from tests.processes import free_port

TWO = {"ONELOOK_HTTP__WORKERS": "2"}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A connection for each request, so that all workers get some."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as session:
        yield session


def workers_of(running: asyncio.subprocess.Process) -> list[psutil.Process]:
    return psutil.Process(running.pid).children()


async def until_metric(client: Client, value: float, name: str, **labels: str) -> None:
    while await client.metric(name, **labels) != value:
        pass


async def test_both_work_within_one_limit_and_any_of_them_has_the_metrics_of_both(
    session: aiohttp.ClientSession, picture: bytes
) -> None:
    async with (
        SlowEngine() as engine,
        served_process(engine.base_url, **TWO, ONELOOK_HTTP__MAX_IN_FLIGHT="2") as (_, address),
    ):
        client = Client(session, address)
        sent = [asyncio.create_task(client.post("/v1/tags", data=form(picture))) for _ in range(8)]
        await engine.asked.acquire()
        while engine.asked.locked():  # each worker may ask about one, so the second question is the other worker's
            sent.append(asyncio.create_task(client.post("/v1/tags", data=form(picture))))
            await asyncio.sleep(0.05)
        await until_metric(client, len(sent), "onelook_http_requests_inside")
        await until_metric(client, len(sent) - 2, "onelook_queue")
        await until_metric(client, 2, "onelook_in_flight")
        await engine.asked.acquire()
        assert engine.asked.locked()  # no third one
        engine.may_answer.set()
        answers = await asyncio.gather(*sent)
        assert {answer.status for answer in answers} == {200}
        for _ in range(8):  # of one or the other
            assert await client.metric("onelook_results_total", arm="fused", status="needs_review") == len(sent)
            assert await client.metric("onelook_http_request_seconds_count", route="/v1/tags") == len(sent)
            assert await client.metric("onelook_http_requests_total", route="/v1/tags", status="200") == len(sent)
        await until_metric(client, 0, "onelook_http_requests_inside")


async def test_all_together_take_no_more_than_one_server_may(session: aiohttp.ClientSession, picture: bytes) -> None:
    limits = {"ONELOOK_HTTP__MAX_IN_FLIGHT": "2", "ONELOOK_HTTP__MAX_QUEUE": "3"}  # of three, each has one
    async with SlowEngine() as engine, served_process(engine.base_url, **TWO, **limits) as (_, address):
        client = Client(session, address)
        sent = [asyncio.create_task(client.post("/v1/tags", data=form(picture))) for _ in range(12)]
        await until(lambda: sum(not each.done() for each in sent) <= 4)
        engine.may_answer.set()
        statuses = Counter([answer.status for answer in await asyncio.gather(*sent)])
        assert set(statuses) == {200, 429}
        assert statuses[200] <= 4
        for status, count in statuses.items():
            labels = {"route": "/v1/tags", "status": str(status)}
            assert await client.metric("onelook_http_requests_total", **labels) == count


async def test_killed_workers_are_replaced_and_what_they_counted_stays(
    session: aiohttp.ClientSession, picture: bytes, tmp_path: Path
) -> None:
    log = bytearray()
    async with (
        SlowEngine() as engine,
        served_process(engine.base_url, log, **TWO, TMPDIR=str(tmp_path)) as (running, address),
    ):
        client = Client(session, address)
        engine.may_answer.set()
        for _ in range(3):
            assert (await client.post("/v1/tags", data=form(picture))).status == 200
        engine.may_answer.clear()
        lost = asyncio.create_task(client.post("/v1/tags", data=form(picture)))
        await until_metric(client, 1, "onelook_in_flight")
        first = workers_of(running)
        assert len(first) == 2
        for worker in first:
            worker.kill()
        with pytest.raises(aiohttp.ClientConnectionError):
            await lost
        await until(lambda: len(set(workers_of(running)) - set(first)) == 2)
        now = workers_of(running)
        engine.may_answer.set()
        assert (await client.post("/v1/tags", data=form(picture))).status == 200
        assert await client.metric("onelook_results_total", arm="fused", status="needs_review") == 4
        await until_metric(client, 0, "onelook_in_flight")
        running.terminate()
        await running.wait()
        assert not any(worker.is_running() for worker in (*first, *now))
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240
    for worker in first:
        assert f"worker lost, another one takes its place pid={worker.pid} by=SIGKILL" in log.decode()


async def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    async with (
        SimulatedServer() as engine,
        served_process(engine.base_url, **TWO, TMPDIR=str(tmp_path)) as (running, _),
    ):
        await until(lambda: len(workers_of(running)) == 2)
        workers = workers_of(running)
        running.kill()
        await running.wait()
        await asyncio.to_thread(psutil.wait_procs, workers, HANG_S)
        assert not any(worker.is_running() for worker in workers)
        assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


async def test_a_job_that_is_sent_to_both_at_once_runs_once(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with (
        SimulatedServer(model := Model()) as server,
        served_process(server.base_url, **TWO, ONELOOK_HTTP__JOBS=str(tmp_path / "jobs")) as (_, address),
    ):
        client, key = Client(session, address), {"Idempotency-Key": "order-17"}
        sent = [client.post("/v1/jobs", data=form(*pictures(3)), headers=key) for _ in range(8)]
        made = {answer.json["id"] for answer in await asyncio.gather(*sent)}
        assert len(made) == 1
        for _ in range(4):  # by one or the other
            status = await ended(client, *made)
            assert status["pictures"] == {"ok": 0, "needs_review": 3, "failed": 0, "to_do": 0}
        assert model.asked == 3


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "(--workers or ONELOOK_HTTP__WORKERS) would each load the model"),
    ({"engine": "vllm", "specialist": {"engine": "embedded"}}, "would each load the model"),
    ({"engine": "vllm", "http": {"max_in_flight": 3}}, "cannot share 3 pictures"),
    ({"engine": "vllm", "http": {"max_held_mb": 400}}, "100 MB each for the bodies of requests, and one can have 128"),
]


@pytest.mark.parametrize(("given", "problem"), REFUSED)
def test_what_workers_cannot_share_is_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError) as refused:
        shared_out(load_settings(**{**given, "http": {"workers": 4, **given.get("http", {})}}))
    assert problem in refused.value.message
    assert "or leave it at one (--workers 1 or ONELOOK_HTTP__WORKERS=1)" in str(refused.value.hint)


def test_one_worker_is_allowed_everything() -> None:
    settings = load_settings()
    assert shared_out(settings) is settings


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--engine", "vllm", "--taxonomy", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["--engine", "vllm", "--host", "192.0.2.1", "--port", str(free_port())], "cannot listen at 192.0.2.1"),
    ],
)
def test_the_command_refuses_once_before_there_are_workers(words: list[str], problem: str) -> None:
    command = [sys.executable, "-m", "onelook", "serve", "--workers", "2", *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    said = " ".join(ran.stderr.split())
    assert ran.returncode == 2
    assert said.count("error:") == said.count(problem) == 1
    assert "Traceback" not in said


def test_the_help_names_the_option() -> None:
    said = " ".join(CliRunner().invoke(app, ["serve", "--help"]).output.split())
    assert "--workers" in said
    assert "ONELOOK_HTTP__WORKERS, or 1" in said


CANNOT_START = """
import sys
from onelook.api.supervisor import Supervisor
print(Supervisor(2, lambda number: sys.exit(3)).run())
"""


def test_where_a_worker_cannot_start_all_end() -> None:
    ran = subprocess.run([sys.executable, "-c", CANNOT_START], capture_output=True, text=True, check=True)
    assert ran.stdout == "None\n"
    assert "a worker could not start, so all end" in ran.stderr
