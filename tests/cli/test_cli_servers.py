"""What the terminal shows while a server is overloaded: real processes, a real HTTP server, a real terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web
from PIL import Image

from tests.engines.openai_simulation import Body, SimulatedServer, completion
from tests.graph.replies import BUILDING
from tests.patience import HANG_S


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "house.jpg"
    Image.new("RGB", (280, 224), "teal").save(path)
    return path


class Busy:
    """Rejects the question of this number with `Retry-After: 1`, and answers all others."""

    def __init__(self, rejected: int) -> None:
        self.rejected = rejected
        self.asked = 0

    async def __call__(self, request: web.Request, asked: Body) -> web.StreamResponse:
        self.asked += 1
        if self.asked == self.rejected:
            body = {"error": {"message": "slow down"}}
            return web.json_response(body, status=429, headers={"Retry-After": "1"})
        guide = asked.get("structured_outputs", {})
        if "zebra" in str(guide):
            return web.json_response(completion(guide["choice"][0] if "choice" in guide else '{"word":"zebra"}'))
        return web.json_response(completion(BUILDING))


async def onelook(server: SimulatedServer, *words: str | Path, terminal: bool = False) -> tuple[int, str, str]:
    """Exit code, standard output and standard error; `terminal`: the latter is one of 100 columns."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("ONELOOK_")}
    settings = {"ONELOOK_ENGINE": "vllm", "ONELOOK_BASE_URL": server.base_url, "COLUMNS": "100", "TERM": "xterm"}
    ours, theirs = os.openpty() if terminal else (-1, asyncio.subprocess.PIPE)
    command: Sequence[str | Path] = [sys.executable, "-m", "onelook", *words]
    process = await asyncio.create_subprocess_exec(
        *command, env={**others, **settings}, stdout=asyncio.subprocess.PIPE, stderr=theirs
    )
    async with asyncio.timeout(HANG_S):
        if not terminal:
            out, err = await process.communicate()
        else:
            os.close(theirs)
            shown = asyncio.create_task(asyncio.to_thread(read_all, ours))
            (out, _), err = await process.communicate(), await shown
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def read_all(terminal: int) -> bytes:
    """What is written to a terminal until the last program closes it, which Linux reports as an error."""
    shown = b""
    with open(terminal, "rb", buffering=0) as file:
        try:
            while part := file.read(65536):
                shown += part
        except OSError:
            pass
    return shown


async def test_the_progress_line_says_what_is_waited_for(picture: Path) -> None:
    busy = Busy(rejected=2)  # the first question is asked when the engine starts
    async with SimulatedServer(busy) as server:
        code, out, shown = await onelook(server, "tag", picture, terminal=True)
    assert (code, busy.asked) == (0, 3)
    assert "✓" in out or "review" in out
    assert "waiting for the server (HTTP 429, 1 s)" in shown


async def test_without_a_terminal_the_log_says_so(picture: Path) -> None:
    async with SimulatedServer(Busy(rejected=2)) as server:
        code, _, err = await onelook(server, "tag", picture)
    assert code == 0
    line, summary = err.splitlines()
    assert summary.startswith("1 picture in ")
    assert line.startswith("waiting for the server (HTTP 429, 1 s): ")
    assert line.endswith("slow down")


async def test_a_server_that_is_busy_at_the_start_is_waited_for(picture: Path) -> None:
    async with SimulatedServer(Busy(rejected=1)) as server:
        code, _, err = await onelook(server, "tag", picture)
    assert (code, err.count("waiting for the server")) == (0, 1)


async def test_doctor_waits_too_and_says_so() -> None:
    async with SimulatedServer(Busy(rejected=1)) as server:
        code, out, err = await onelook(server, "doctor")
    assert "JSON schema: kept" in out
    assert "waiting for the server (HTTP 429, 1 s): " in err
    assert code == 0, out
