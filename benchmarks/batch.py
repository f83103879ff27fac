"""An archive's rate beside a bare client, its memory, its ledger, and Ray with one and two actors.

    python -m benchmarks.batch --json batch.json
    python -m benchmarks.batch --pictures 20000 --no-vllm --no-ray

`throughput_vs_bare`: a real vLLM on the CPU with the bundled model. The bare client (aiohttp) sends the same requests
about other pictures, so that no cache helps it, at the concurrency that was best for it; rounds are interleaved.
`rss_slope_kib_per_10k`: the memory of the process over a run against an echo server, by least squares over its last
four fifths. `ray_2_vs_1`: pictures a second with two actors beside one, without Ray's start.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import aiohttp
import numpy as np
import orjson
import psutil
import typer
from aiohttp import web
from PIL import Image
from rich.console import Console

from benchmarks.batch_drill import write_pictures
from benchmarks.echo_server import MODEL, application, echo_server
from benchmarks.report import write_report
from onelook.batch.fingerprint import Fingerprint, fingerprint
from onelook.batch.ledger import Ledger, Listed
from onelook.batch.manifest import Columns
from onelook.batch.runner import BatchRun, Plan
from onelook.batch.sources import listed_pictures
from onelook.demo.checkpoint import MODEL as DEMO
from onelook.images.walk import Found
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from tools.vllm_cpu.server import vllm_cpu_server, vllm_python

REPLY = '{"primary_category":"建筑","details":{}}'
ROUND, ROUNDS = 48, 3
TRIED = (8, 16, 32)
LEDGER_ROWS = 20_000
RAY_PICTURES = 2000

Figures = dict[str, float]


def write_small_pictures(folder: Path, count: int) -> None:
    """JPEGs of some hundred bytes, all different: their comments count them."""
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (280, 224), "teal").save(folder / f"{number:07}.jpg", comment=str(number))


async def tag_all(tagger: Tagger, folder: Path, out: Path, samples: list[tuple[int, int]] | None = None) -> float:
    """Seconds for a run over `folder`; `samples` gets the memory after every hundredth of the pictures."""
    process, done = psutil.Process(), 0
    with closing(Ledger.create(out)) as ledger:
        added = ledger.add(listed_pictures([str(folder)], Found(), columns=Columns()))
        version = ledger.version(fingerprint(tagger.services, tagger.services.run))

        def sample(*_: object) -> None:
            nonlocal done
            done += 1
            if samples is not None and done % max(added.new // 100, 1) == 0:
                samples.append((done, process.memory_info().rss))

        batch = BatchRun(tagger, ledger, Plan(version), ledger.begin_run(version, 1, Counter()), on_outcome=sample)
        began_s = time.perf_counter()
        await batch.run()
        return time.perf_counter() - began_s


async def requests_of(folder: Path) -> list[bytes]:
    """The bodies that onelook sends about the pictures of `folder`, caught by a server that answers with a fixed
    reply."""
    caught: list[bytes] = []

    @web.middleware
    async def catch(request: web.Request, handler: Any) -> web.StreamResponse:
        body = await request.read()
        if b"image_url" in body and b"zebra" not in body:
            caught.append(body)
        answer: web.StreamResponse = await handler(request)
        return answer

    app = application(REPLY)
    app.middlewares.append(catch)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = load_settings(engine="vllm", base_url=f"http://127.0.0.1:{runner.addresses[0][1]}/v1", concurrency=32)
    try:
        with TemporaryDirectory() as out:
            async with Tagger(settings) as tagger:
                await tag_all(tagger, folder, Path(out, "out"))
    finally:
        await runner.cleanup()
    return caught


async def bare(base_url: str, model: str, bodies: Sequence[bytes], at_once: int) -> float:
    """Seconds of a client that sends `bodies`, `at_once` at a time."""
    waiting = iter([orjson.dumps({**orjson.loads(body), "model": model}) for body in bodies])

    async def work(session: aiohttp.ClientSession) -> None:
        for body in waiting:
            headers = {"Content-Type": "application/json"}
            async with session.post(f"{base_url}/chat/completions", data=body, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
                orjson.loads(await answer.read())

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        began_s = time.perf_counter()
        await asyncio.gather(*(work(session) for _ in range(at_once)))
        return time.perf_counter() - began_s


async def beside_bare(base_url: str, model: str) -> Figures:
    """Interleaved rounds, each over pictures of its own."""
    with TemporaryDirectory() as temporary:
        numbers = iter(range(1000))

        def folder(count: int) -> Path:
            made = Path(temporary, f"in-{next(numbers)}")
            write_pictures(made, count)
            return made

        await bare(base_url, model, await requests_of(folder(16)), 8)  # warm
        speeds = {
            at_once: ROUND / await bare(base_url, model, await requests_of(folder(ROUND)), at_once) for at_once in TRIED
        }
        best = max(speeds, key=lambda at_once: speeds[at_once])
        ours, theirs = [], []
        for _ in range(ROUNDS):
            settings = load_settings(engine="vllm", base_url=base_url, concurrency=best)
            async with Tagger(settings) as tagger:
                await tagger.start()
                ours.append(await tag_all(tagger, folder(ROUND), Path(temporary, f"out-{next(numbers)}")))
            theirs.append(await bare(base_url, model, await requests_of(folder(ROUND)), best))
    return {
        "throughput_vs_bare": median(theirs) / median(ours),
        "pictures_per_s": ROUND / median(ours),
        "bare_pictures_per_s": ROUND / median(theirs),
        "concurrency": best,
    }


def size_of(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.iterdir())


async def memory(base_url: str, pictures: int) -> Figures:
    samples: list[tuple[int, int]] = []
    with TemporaryDirectory() as temporary:
        folder, out = Path(temporary, "in"), Path(temporary, "out")
        write_small_pictures(folder, pictures)
        async with Tagger(load_settings(engine="vllm", base_url=base_url, model=MODEL, concurrency=32)) as tagger:
            await tagger.start()
            seconds = await tag_all(tagger, folder, out, samples)
        size = size_of(out)
    late = samples[len(samples) // 5 :]
    slope, _ = np.polyfit([done for done, _ in late], [rss for _, rss in late], 1)
    return {
        "rss_slope_kib_per_10k": float(slope) * 10_000 / 1024,
        "rss_mib": late[-1][1] / 2**20,
        "echo_pictures_per_s": pictures / seconds,
        "ledger_bytes_per_picture": size / pictures,
    }


def ledger_rate(result: TagResult) -> Figures:
    with TemporaryDirectory() as temporary, closing(Ledger.create(Path(temporary, "out"))) as ledger:
        began_s = time.perf_counter()
        ledger.add(Listed(f"/photos/{number}.jpg".encode(), None, number, 1) for number in range(LEDGER_ROWS))
        listed_s = time.perf_counter() - began_s
        version = ledger.version(Fingerprint({"arm": "fused"}))
        began_s = time.perf_counter()
        for number in range(LEDGER_ROWS):
            ledger.record(version, number + 1, number.to_bytes(32, "big"), result)
        recorded_s = time.perf_counter() - began_s
    return {"ledger_rows_per_s": LEDGER_ROWS / recorded_s, "listed_per_s": LEDGER_ROWS / listed_s}


def ray_rates(base_url: str) -> Figures:
    def seconds(folder: Path, out: Path, actors: int) -> float:
        command = [sys.executable, "-m", "onelook", "batch", str(folder), "--out", str(out), "--runner", "ray"]
        command += ["--actors", str(actors), "--engine", "vllm", "--base-url", base_url, "--model", MODEL]
        began_s = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "ONELOOK_CONCURRENCY": "16"})
        return time.perf_counter() - began_s

    with TemporaryDirectory() as temporary:
        few, many = Path(temporary, "few"), Path(temporary, "many")
        write_small_pictures(few, 2)
        write_small_pictures(many, RAY_PICTURES)
        rates = {}
        for actors in (1, 2):
            start_s = seconds(few, Path(temporary, f"few-{actors}"), actors)
            rates[actors] = RAY_PICTURES / (seconds(many, Path(temporary, f"many-{actors}"), actors) - start_s)
    return {"ray_1_per_s": rates[1], "ray_2_per_s": rates[2], "ray_2_vs_1": rates[2] / rates[1]}


async def one_result(base_url: str) -> TagResult:
    with TemporaryDirectory() as temporary:
        write_small_pictures(Path(temporary, "in"), 1)
        async with Tagger(load_settings(engine="vllm", base_url=base_url, model=MODEL)) as tagger:
            return await tagger.tag(f"{temporary}/in/{0:07}.jpg")


def main(
    pictures: Annotated[int, typer.Option(help="Pictures of the memory's run.")] = 100_000,
    vllm: Annotated[bool, typer.Option(help="Measure beside a bare client on a real vLLM.")] = True,
    ray: Annotated[bool, typer.Option(help="Measure Ray.")] = True,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
) -> None:
    """Measure the batch."""
    figures: Figures = {}
    if vllm:
        with TemporaryDirectory() as temporary:
            log = Path(temporary, "vllm.log")
            with vllm_cpu_server(DEMO, python=vllm_python(), log=log) as base_url:
                figures |= asyncio.run(beside_bare(base_url, "onelook-demo"))
    with echo_server(REPLY) as base_url:
        figures |= ledger_rate(asyncio.run(one_result(base_url)))
        figures |= asyncio.run(memory(base_url, pictures))
        if ray:
            figures |= ray_rates(base_url)
    for name, value in figures.items():
        Console().print(f"{name:28} {value:.4g}")
    if json is not None:
        write_report(json, figures)


if __name__ == "__main__":
    typer.run(main)
