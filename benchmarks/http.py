"""The cost of the HTTP API without a model: 64 clients, and an echo server in another process as the engine.

    python -m benchmarks.http --json http.json
    python -m benchmarks.http --minutes 20 --json http.json
    python -m benchmarks.http --workers 2 --json http.json

Three ways to tag the same JPEG of about 300 kB, in interleaved rounds: the HTTP API
(`onelook serve`), a bare FastAPI route that only calls the same engine (`benchmarks/bare_route.py`), each in a
process of its own, and the graph called in this process. The CPU time of its process is shown beside the rate, because
clients and echo server share the cores with it. With `--workers`, the API is there a second time, in so many processes.
With `--minutes`, the API is then kept under load and its memory is measured.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from statistics import linear_regression, median, quantiles
from typing import Annotated

import aiohttp
import psutil
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.overhead import ANSWER, AT_ONCE, echoing
from benchmarks.report import write_report
from onelook.settings.process import Settings
from onelook.tagger import Tagger

API, BARE, GRAPH = "onelook over HTTP", "bare FastAPI route", "graph in process"
KEYS = {API: "http", BARE: "bare", GRAPH: "graph"}
BOUNDARY = "onelook-benchmark"
WARM_UP = 0.2  # share of the time under load in which caches, connections and the allocator's arenas still grow

Contender = Callable[[], Awaitable[None]]


@contextmanager
def serving(command: list[str], **environment: str) -> Iterator[tuple[str, psutil.Process]]:
    """Run a uvicorn server in another process; its address once it listens, and the process."""
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        assert process.stderr is not None
        try:
            output = ""
            while not (found := re.search(r"running on (http://\S+)", output)):
                line = process.stderr.readline()
                if not line:
                    raise RuntimeError(f"{command[0]} did not start: {output}")
                output += line
            # From now on it logs a line for each request; drain the pipe, or it would fill up.
            drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
            try:
                yield found[1], psutil.Process(process.pid)
            finally:
                process.terminate()
                process.wait()
                drain.wait()
        finally:
            process.kill()


def form(picture: bytes) -> bytes:
    """The multipart body that a browser or curl sends for one file."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="photograph.jpg"\r\n'
    return f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()


async def contenders(
    addresses: dict[str, str], engine: str, picture: bytes, stack: AsyncExitStack
) -> dict[str, Contender]:
    """The compared clients, as functions that can be called repeatedly."""
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    tagger = await stack.enter_async_context(Tagger(Settings(engine="vllm", base_url=engine)))
    body, headers = form(picture), {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

    def over_http(address: str) -> Contender:
        async def post() -> None:
            async with session.post(f"{address}/v1/tags", data=body, headers=headers) as response:
                answer = await response.read()
                assert response.status == 200, answer

        return post

    async def in_process() -> None:
        result = await tagger.tag(picture)
        assert result.category is not None
        assert result.category.id == ANSWER.category

    return {**{name: over_http(address) for name, address in addresses.items()}, GRAPH: in_process}


async def load(ask: Contender, until: Callable[[], bool]) -> list[float]:
    """Milliseconds of each request, with `AT_ONCE` in flight until `until()` is true."""
    taken: list[float] = []

    async def client() -> None:
        while not until():
            started = time.perf_counter()
            await ask()
            taken.append((time.perf_counter() - started) * 1e3)

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    return taken


def up_to(requests: int) -> Callable[[], bool]:
    left = iter(range(requests))
    return lambda: next(left, None) is None


Figures = dict[str, dict[str, float]]


def cpu_s(process: psutil.Process) -> float:
    """CPU time of a process and of those that it started, so far."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


async def measure(
    entrants: dict[str, Contender], processes: dict[str, psutil.Process], rounds: int, requests: int
) -> Figures:
    """Medians of the rounds, for each contender: requests a second, CPU time of its process for one request in ms, and
    the 50th and 99th percentile in ms."""
    names = ("per_s", "cpu_ms", "p50_ms", "p99_ms")
    taken: dict[str, dict[str, list[float]]] = {entrant: {name: [] for name in names} for entrant in entrants}
    for ask in entrants.values():
        await load(ask, up_to(4 * AT_ONCE))
    for _ in track(range(rounds), description="rounds"):
        for name, ask in entrants.items():
            started, cpu_before_s = time.perf_counter(), cpu_s(processes[name])
            each = await load(ask, up_to(requests))
            seconds, used_s = time.perf_counter() - started, cpu_s(processes[name]) - cpu_before_s
            percentiles = quantiles(each, n=100)
            values = (requests / seconds, used_s / requests * 1e3, percentiles[49], percentiles[98])
            for key, value in zip(names, values, strict=True):
                taken[name][key].append(value)
    return {name: {key: median(values) for key, values in by.items()} for name, by in taken.items()}


async def memory_slope(ask: Contender, server: psutil.Process, minutes: float) -> tuple[float, int]:
    """Growth of the server's memory under load in KiB per minute (least squares, after `WARM_UP`), and the requests."""
    seconds = minutes * 60
    started = time.monotonic()
    samples: list[tuple[float, float]] = []

    async def watch() -> None:
        while (elapsed := time.monotonic() - started) < seconds:
            samples.append((elapsed / 60, server.memory_info().rss / 1024))
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch())
    answered = await load(ask, lambda: time.monotonic() - started > seconds)
    await watching
    settled = [(minute, kib) for minute, kib in samples if minute > WARM_UP * minutes]
    slope, _ = linear_regression([minute for minute, _ in settled], [kib for _, kib in settled])
    return slope, len(answered)


def table(figures: Figures) -> Table:
    drawn = Table(title=f"{AT_ONCE} clients, no model")
    drawn.add_column(no_wrap=True)
    for heading in ("per s", "× bare", "CPU ms", "p50 ms", "p99 ms"):
        drawn.add_column(heading, justify="right", no_wrap=True)
    for name, of in figures.items():
        ratio = of["per_s"] / figures[BARE]["per_s"]
        values = [f"{of['per_s']:.0f}", f"{ratio:.2f}", f"{of['cpu_ms']:.1f}"]
        drawn.add_row(name, *values, f"{of['p50_ms']:.0f}", f"{of['p99_ms']:.0f}")
    return drawn


async def run(
    base_url: str,
    servers: dict[str, tuple[str, psutil.Process]],
    picture: bytes,
    rounds: int,
    requests: int,
    minutes: float,
) -> tuple[Figures, tuple[float, int] | None]:
    async with AsyncExitStack() as stack:
        entrants = await contenders({name: address for name, (address, _) in servers.items()}, base_url, picture, stack)
        processes = {name: process for name, (_, process) in servers.items()} | {GRAPH: psutil.Process()}
        figures = await measure(entrants, processes, rounds, requests)
        slope = await memory_slope(entrants[API], processes[API], minutes) if minutes else None
    return figures, slope


def main(
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    rounds: Annotated[int, typer.Option(help="Interleaved rounds.")] = 9,
    requests: Annotated[int, typer.Option(help="Requests per contender and round.")] = 512,
    minutes: Annotated[
        float, typer.Option(help="Then keep the API under load for so long, and measure its memory.")
    ] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Measure the API in so many processes as well.")] = 1,
) -> None:
    """Compare the HTTP API with a bare route and with the graph in process."""
    several = f"{API}, {workers} workers"
    with echoing() as (base_url, file):
        picture = file.read_bytes()
        settings = {"ONELOOK_ENGINE": "vllm", "ONELOOK_BASE_URL": base_url, "ONELOOK_HTTP__PORT": "0"}
        commands = {API: ["onelook", "serve"]}
        if workers > 1:
            commands[several] = ["onelook", "serve", "--workers", str(workers)]
        commands[BARE] = ["benchmarks.bare_route", base_url]
        with ExitStack() as stack:
            servers = {name: stack.enter_context(serving(words, **settings)) for name, words in commands.items()}
            figures, grown = asyncio.run(run(base_url, servers, picture, rounds, requests, minutes))
    console = Console(soft_wrap=True)
    console.print(table(figures))
    keys = {**KEYS, several: f"http_{workers}_workers"}
    flat = {f"{keys[name]}_{key}": round(value, 1) for name, of in figures.items() for key, value in of.items()}
    flat["throughput_vs_bare"] = round(figures[API]["per_s"] / figures[BARE]["per_s"], 3)
    flat["cpu_vs_bare"] = round(figures[API]["cpu_ms"] / figures[BARE]["cpu_ms"], 3)
    if workers > 1:
        flat[f"workers_{workers}_vs_1"] = round(figures[several]["per_s"] / figures[API]["per_s"], 3)
    if grown is not None:
        slope, answered = grown
        console.print(f"{minutes:g} minutes under load: {answered} requests, memory {slope:+.1f} KiB a minute")
        flat |= {"rss_slope_kib_per_min": round(slope, 2), "load_minutes": minutes, "load_requests": answered}
    if json is not None:
        write_report(json, {**flat, "clients": AT_ONCE, "picture_bytes": len(picture), "rounds": rounds})


if __name__ == "__main__":
    typer.run(main)
