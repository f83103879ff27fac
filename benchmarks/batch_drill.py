"""An archive under fire: the batch is killed again and again, and so is its server, a real vLLM on the CPU.

    python -m benchmarks.batch_drill --json batch_drill.json                               # 2,000 pictures: two hours
    python -m benchmarks.batch_drill --pictures 300 --kills 6 --server-kills 2

Every kill is SIGKILL, at a random moment. Between the batch and the server stands a counter, which passes each request
on and notes whose picture it has, if the server was there to hear it; while the server is down it breaks connections
off, as a dead server does. Then the same pictures again, undisturbed, for the time.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import aiohttp
import orjson
import psutil
import typer
from aiohttp import web
from rich.console import Console

from benchmarks.new_pictures import NewPictures
from benchmarks.report import write_report
from onelook.batch.records import records
from onelook.lab.album import read_labels
from tools.vllm_cpu.server import _free_port

HELD_OUT = Path(__file__).parent.parent / "tools" / "demo_model" / "heldout"
CONCURRENCY = 8
LONGEST_S = 4 * 3600.0


class Counted:
    """Passes requests on to `upstream`, and counts the questions about each picture."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.asked = Counter[str]()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        picture = picture_of(orjson.loads(body)) if request.method == "POST" else None
        headers = {"Content-Type": request.headers.get("Content-Type", "application/json")}
        address = self.upstream + request.path
        try:
            async with aiohttp.request(request.method, address, data=body, headers=headers) as answer:
                if picture is not None:
                    self.asked[picture] += 1
                    picture = None
                content = await answer.read()
                return web.Response(body=content, status=answer.status, content_type=answer.content_type)
        except aiohttp.ClientError as error:
            if picture is not None and not isinstance(error, aiohttp.ClientConnectorError):
                self.asked[picture] += 1  # it died with the question
            if request.transport is not None:
                request.transport.abort()
            raise web.HTTPBadGateway from None  # nobody hears it


def picture_of(body: dict[str, Any]) -> str | None:
    for message in body.get("messages", []):
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part.get("type") == "image_url":
                url = str(part["image_url"]["url"])
                return url if len(url) > 4000 else None  # the probe's own pictures are smaller
    return None


class Server:
    """The vLLM server as a process that can be killed and started again."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        command = [sys.executable, "-m", "tools.vllm_cpu", "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - it returns at once
        async with aiohttp.ClientSession() as session:
            while True:
                with suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{self.port}/v1/models") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.5)

    def kill(self) -> None:
        if self._process is not None:
            with suppress(psutil.NoSuchProcess):
                below = psutil.Process(self._process.pid).children(recursive=True)
                for each in below:
                    with suppress(psutil.NoSuchProcess):
                        each.kill()
            self._process.kill()
            self._process.wait()


async def batch(folder: Path, out: Path, base_url: str) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "onelook", "batch", str(folder), "--out", str(out), "--engine", "vllm"]
    return await asyncio.create_subprocess_exec(
        *command, "--base-url", base_url, "--concurrency", str(CONCURRENCY), stderr=asyncio.subprocess.DEVNULL
    )


async def drill(
    folder: Path, out: Path, base_url: str, counted: Counted, server: Server, total: int, kills: int, server_kills: int
) -> float:
    """Kill what is to be killed, spread over the run. Seconds from the first start to the end."""
    chosen = random.Random(1)  # noqa: S311
    events = ["batch"] * kills + ["server"] * server_kills
    chosen.shuffle(events)
    began_s = time.monotonic()
    process = await batch(folder, out, base_url)
    for number, event in enumerate(events):
        until = (number + chosen.random()) * total / len(events)
        while len(counted.asked) < until and process.returncode is None:  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.05)
        if event == "batch":
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            process = await batch(folder, out, base_url)
        else:
            server.kill()
            await server.start()
    await process.wait()
    return time.monotonic() - began_s


async def run(pictures: int, kills: int, server_kills: int) -> dict[str, float]:
    with TemporaryDirectory() as temporary:
        folder, out, again = Path(temporary, "in"), Path(temporary, "out"), Path(temporary, "again")
        write_pictures(folder, pictures)
        server = Server(_free_port())
        counted = Counted(f"http://127.0.0.1:{server.port}")
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", counted.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        try:
            await server.start()
            disturbed_s = await drill(folder, out, base_url, counted, server, pictures, kills, server_kills)
            asked = counted.asked.copy()
            found = list(records(out))
            counted.asked.clear()
            began_s = time.monotonic()
            process = await batch(folder, again, base_url)
            await process.wait()
            undisturbed_s = time.monotonic() - began_s
        finally:
            await runner.cleanup()
            server.kill()
    places = Counter(each.place for each in found)
    return {
        "pictures": pictures,
        "kills": kills,
        "server_kills": server_kills,
        "lost": pictures - sum(each.state in ("ok", "needs_review") for each in found),
        "duplicated": sum(count - 1 for count in places.values()),
        "asked_again_share": (asked.total() - len(asked)) / pictures,
        "most_asked_again_share": (kills + server_kills) * CONCURRENCY / pictures,
        "time_vs_undisturbed": disturbed_s / undisturbed_s,
        "undisturbed_s": undisturbed_s,
    }


def write_pictures(folder: Path, count: int) -> None:
    """Drawings of the held-out album with new grain: no two have the same bytes."""
    folder.mkdir()
    album, new = read_labels(HELD_OUT), NewPictures()
    for number in range(count):
        (folder / f"{number:05}.jpg").write_bytes(new(album[number % len(album)], long_edge=336))


def main(
    pictures: Annotated[int, typer.Option(help="Pictures of the archive.")] = 2000,
    kills: Annotated[int, typer.Option(help="How often the batch is killed.")] = 20,
    server_kills: Annotated[int, typer.Option(help="How often the server is killed.")] = 5,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
) -> None:
    """Kill the batch and its server, and count what was lost, duplicated and asked again."""
    figures = asyncio.run(asyncio.wait_for(run(pictures, kills, server_kills), LONGEST_S))
    for name, value in figures.items():
        Console().print(f"{name:24} {value:.4g}")
    if json is not None:
        write_report(json, figures)


if __name__ == "__main__":
    typer.run(main)
