"""Fault drill: the vLLM server behind the HTTP door is killed in the middle of its work, and comes back."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import aiohttp
import psutil
import pytest

from onelook.demo.checkpoint import MODEL
from tests.api.served import Answer, Client, form, served_process, until
from tools.demo_model import HELDOUT
from tools.vllm_cpu.server import vllm_cpu_server, vllm_python

AT_ONCE = 8
READY_WITHIN_S = 120
PICTURE = (HELDOUT / "heldout-0005.jpg").read_bytes()

pytestmark = pytest.mark.vllm


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def server_on(port: int) -> psutil.Process:
    """The process that was started with this port."""
    return next(
        process
        for process in psutil.process_iter(["cmdline"])
        if {"vllm.entrypoints.openai.api_server", str(port)} <= set(process.info["cmdline"] or ())
    )


def kill_with_engine(server: psutil.Process) -> None:
    """As a machine's out-of-memory killer would: no farewell, and its engine process with it."""
    for process in [*server.children(recursive=True), server]:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs([server])


async def until_ready(client: Client) -> None:
    """Return when /readyz says so; a server that has just begun may take longer than the door waits for an answer."""
    for _ in range(READY_WITHIN_S):
        if (await client.get("/readyz")).status == 200:
            return
        await asyncio.sleep(1)
    raise AssertionError("never ready")


async def test_a_killed_and_restarted_engine_costs_time_and_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONELOOK_HTTP__DEADLINE_S", "3600")  # a slow machine takes long to start the engine again
    port = free_port()

    def vllm(name: str) -> AbstractContextManager[str]:
        return vllm_cpu_server(MODEL, python=vllm_python(), log=tmp_path / f"{name}.log", port=port)

    async with (
        served_process(f"http://127.0.0.1:{port}/v1") as (door, address),
        aiohttp.ClientSession() as session,
    ):
        client = Client(session, address)
        answers: list[Answer] = []
        over = asyncio.Event()

        async def caller() -> None:
            while not over.is_set():
                answers.append(await client.post("/v1/tags", data=form(PICTURE)))

        with ExitStack() as stack:
            assert (await client.get("/readyz")).status == 503  # no engine yet, and the door is open

            await asyncio.to_thread(stack.enter_context, vllm("first"))
            await until_ready(client)
            callers = [asyncio.create_task(caller()) for _ in range(AT_ONCE)]
            await until(lambda: len(answers) > 2 * AT_ONCE)
            while not await client.metric("onelook_in_flight"):
                pass  # all callers may be between two requests; the engine dies in the middle of some
            await asyncio.to_thread(kill_with_engine, server_on(port))
            while not await client.metric("onelook_server_outages_total", server=f"http://127.0.0.1:{port}/v1"):
                pass
            unready = await client.get("/readyz")
            unready.problem(503, kind="NotReady")
            assert unready.headers["Retry-After"]

            await asyncio.to_thread(stack.enter_context, vllm("again"))
            await until_ready(client)
            before = len(answers)
            await until(lambda: len(answers) > before + AT_ONCE)
            over.set()
            await asyncio.gather(*callers)

            assert [answer.body for answer in answers if answer.status != 200] == []
            category = (await client.post("/v1/tags", data=form(PICTURE))).result.category
            assert category is not None
            assert category.id == "building"
            while await client.metric("onelook_in_flight") + await client.metric("onelook_queue"):
                pass  # a place is given back behind its answer
            assert door.returncode is None
