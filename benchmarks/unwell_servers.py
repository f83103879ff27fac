"""What becomes of a run whose server is overloaded, or is killed in the middle of it. In real time, about two minutes.

    python -m benchmarks.unwell_servers --json unwell_servers.json

150 pictures each: a server that answers 10 requests in 5 s, and the others with HTTP 429 and `Retry-After`; and one
that is killed (SIGKILL) when 50 pictures are done, and is back after 20 s. The server is a process of its own, without
a model; the client is onelook as it is set by default.
"""

from __future__ import annotations

import asyncio
import io
import math
import random
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from socket import socket
from typing import Annotated

import aiohttp
import typer
from aiohttp import web
from PIL import Image
from rich.console import Console

from benchmarks.echo_server import application
from benchmarks.report import write_report
from onelook.settings.process import load_settings
from onelook.tagger import Tagger

PICTURES, DONE_BEFORE_THE_KILL, DOWN_S = 150, 50, 20.0
ALLOWED, WINDOW_S = 10, 5.0
ANSWER_S = 0.1
REPLY = '{"primary_category":"建筑","details":{}}'

Figures = dict[str, float | int]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
cli = typer.Typer(add_completion=False)


@cli.command("serve")
def serve(port: int, allowed: int = 0) -> None:
    """The server: `allowed` questions in 5 s (0: all), each answered after 0.1 s. GET /counts tells what came."""
    taken: deque[float] = deque()
    counts = {"requests": 0, "rejected": 0}

    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/counts":
            return web.json_response(counts)
        if request.method != "POST":
            return await handler(request)
        counts["requests"] += 1
        now = time.monotonic()
        while taken and taken[0] <= now - WINDOW_S:
            taken.popleft()
        if allowed and len(taken) >= allowed:
            counts["rejected"] += 1
            seconds = str(math.ceil(taken[0] + WINDOW_S - now))
            return web.json_response({"error": {"message": "slow down"}}, status=429, headers={"Retry-After": seconds})
        taken.append(now)
        await asyncio.sleep(ANSWER_S)
        return await handler(request)

    app = application(REPLY)
    app.middlewares.append(limit)
    web.run_app(app, host="127.0.0.1", port=port, print=lambda line: print(line, flush=True))


def start(port: int, allowed: int) -> subprocess.Popen[str]:
    """The server as a process; it listens when this returns."""
    command = [sys.executable, "-m", "benchmarks.unwell_servers", "serve", str(port), "--allowed", str(allowed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def free_port() -> int:
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pictures() -> list[bytes]:
    """150 small JPEGs, each of another colour."""
    rng = random.Random(0)  # noqa: S311
    encoded = []
    for _ in range(PICTURES):
        file = io.BytesIO()
        Image.new("RGB", (280, 224), (rng.randrange(256), rng.randrange(256), rng.randrange(256))).save(file, "JPEG")
        encoded.append(file.getvalue())
    return encoded


async def run(allowed: int, *, kill: bool) -> Figures:
    """Tag all pictures; how many failed, and what the server saw."""
    port = free_port()
    server = start(port, allowed)
    restart: asyncio.Task[None] | None = None

    async def kill_and_restart() -> None:
        nonlocal server
        server.kill()
        server.wait()
        await asyncio.sleep(DOWN_S)
        server = await asyncio.to_thread(start, port, allowed)

    began = time.monotonic()
    failed = done = 0
    slowest_ms = 0.0
    try:
        async with Tagger(load_settings(engine="vllm", base_url=f"http://127.0.0.1:{port}/v1")) as tagger:
            await tagger.start()
            async for _, result in tagger.tag_many(pictures()):
                done += 1
                failed += result.status == "failed"
                slowest_ms = max(slowest_ms, result.ledger.wall_ms or 0.0)
                if kill and done == DONE_BEFORE_THE_KILL:
                    restart = asyncio.create_task(kill_and_restart())
        seconds = time.monotonic() - began
        if restart is not None:
            await restart
        url = f"http://127.0.0.1:{port}/counts"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            counts: dict[str, int] = await response.json()
    finally:
        server.kill()
        server.wait()
    return {"pictures": done, "failed": failed, "seconds": seconds, "slowest_s": slowest_ms / 1000, **counts}


@cli.callback(invoke_without_command=True)
def main(
    context: typer.Context, json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None
) -> None:
    """Run both drills, and print what became of the pictures."""
    if context.invoked_subcommand is not None:
        return
    figures: Figures = {}
    drills = {"rate_limited": (ALLOWED, False), "killed": (0, True)}
    for name, (allowed, kill) in drills.items():
        found = asyncio.run(run(allowed, kill=kill))
        Console().print(f"{name}: " + ", ".join(f"{key} {value:.4g}" for key, value in found.items()))
        figures |= {f"{name}_{key}": value for key, value in found.items()}
    if json is not None:
        write_report(json, figures)


if __name__ == "__main__":
    cli()
