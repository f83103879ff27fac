"""An archive's rate beside a bare client, its memory, its ledger, and Ray with one and two actors.

    python -m benchmarks.batch --json batch.json
    python -m benchmarks.batch --pictures 20000 --no-vllm --no-ray

`throughput_vs_bare`: a real vLLM on the CPU with the bundled model. The bare client (`benchmarks/bare_batch.py`) reads
and prepares pictures and puts the same questions about them, at the concurrency that was best for it; rounds are
interleaved. `throughput_vs_sending`: beside one whose requests were made before its time began. The same keys after
`paced_`: a server without a model, which works on 16 requests at once, each for 0.8 s, and leaves the processor alone.
`rss_slope_kib_per_10k`: the memory of `onelook batch` over a run against an echo server, by least squares over its last
four fifths. `ray_2_vs_1`: pictures a second with two actors beside one, without Ray's start.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import psutil
import typer
from PIL import Image
from rich.console import Console

from benchmarks.bare_batch import Bare
from benchmarks.batch_drill import write_pictures
from benchmarks.echo_server import MODEL, Pace, echo_server
from benchmarks.report import write_report
from onelook.batch.entries import Listed
from onelook.batch.fingerprint import Fingerprint, fingerprint
from onelook.batch.ledger import Ledger
from onelook.batch.ledger_reader import LedgerReader
from onelook.batch.manifest import Columns
from onelook.batch.runner import BatchRun, Plan
from onelook.batch.sources import listed_pictures
from onelook.demo.checkpoint import MODEL as DEMO
from onelook.errors import OnelookError
from onelook.images.walk import Found
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from tools.vllm_cpu.server import vllm_cpu_server, vllm_python

REPLY = '{"primary_category":"建筑","details":{}}'
ROUND, ROUNDS = 128, 6
TRIED = (8, 16, 32)
PACE = Pace(16, 0.8)
LEDGER_ROWS = 20_000
RAY_PICTURES = 2000
SAMPLED_S = 2

Figures = dict[str, float]


def write_small_pictures(folder: Path, count: int) -> None:
    """JPEGs of some hundred bytes, all different: their comments count them."""
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (280, 224), "teal").save(folder / f"{number:07}.jpg", comment=str(number))


async def tag_all(tagger: Tagger, folder: Path, out: Path) -> float:
    """Seconds for a run over `folder`."""
    with closing(Ledger.create(out)) as ledger:
        ledger.add(listed_pictures([str(folder)], Found(), columns=Columns()))
        version = ledger.version(fingerprint(tagger.services, tagger.services.run))
        batch = BatchRun(tagger, ledger, Plan(version), ledger.begin_run(version, 1, Counter()))
        began_s = time.perf_counter()
        await batch.run()
        return time.perf_counter() - began_s


async def beside_bare(base_url: str) -> Figures:
    """Rounds in which each of the three ways tags pictures of its own, so that no cache helps; the order moves on."""
    with TemporaryDirectory() as temporary:
        numbers = iter(range(1000))

        def pictures(count: int) -> Path:
            folder = Path(temporary, f"in-{next(numbers)}")
            write_pictures(folder, count)
            return folder

        def files(count: int) -> list[Path]:
            return sorted(pictures(count).iterdir())

        bare = await Bare.of(base_url, files(1)[0], REPLY)
        await bare.tag(files(32), 16)  # warm
        speeds = {at_once: ROUND / await bare.tag(files(ROUND), at_once) for at_once in TRIED}
        best = max(speeds, key=lambda at_once: speeds[at_once])

        async def ours_s() -> float:
            async with Tagger(load_settings(engine="vllm", base_url=base_url, concurrency=best)) as tagger:
                await tagger.start()
                return await tag_all(tagger, pictures(ROUND), Path(temporary, f"out-{next(numbers)}"))

        ways: list[tuple[str, Callable[[], Awaitable[float]]]] = [
            ("ours", ours_s),
            ("bare", lambda: bare.tag(files(ROUND), best)),
            ("sending", lambda: bare.tag(files(ROUND), best, prepared=True)),
        ]
        seconds: dict[str, list[float]] = {name: [] for name, _ in ways}
        for number in range(ROUNDS):
            for name, run in ways[number % len(ways) :] + ways[: number % len(ways)]:
                seconds[name].append(await run())
    ours, theirs, sending = (np.array(seconds[name]) for name, _ in ways)
    return {
        "throughput_vs_bare": float(np.median(theirs / ours)),
        "throughput_vs_bare_least": float(np.min(theirs / ours)),
        "throughput_vs_bare_most": float(np.max(theirs / ours)),
        "throughput_vs_sending": float(np.median(sending / ours)),
        "pictures_per_s": ROUND / float(np.median(ours)),
        "bare_pictures_per_s": ROUND / float(np.median(theirs)),
        "sending_pictures_per_s": ROUND / float(np.median(sending)),
        "concurrency": best,
    }


def size_of(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.iterdir())


def memory(base_url: str, pictures: int) -> Figures:
    """`onelook batch` as a user starts it, looked at from outside."""
    samples: list[tuple[float, int, int]] = []
    with TemporaryDirectory() as temporary:
        folder, out = Path(temporary, "in"), Path(temporary, "out")
        write_small_pictures(folder, pictures)
        command = [sys.executable, "-m", "onelook", "batch", str(folder), "--out", str(out), "--concurrency", "32"]
        command += ["--engine", "vllm", "--base-url", base_url, "--model", MODEL]
        run = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while run.poll() is None:
            time.sleep(SAMPLED_S)
            done, rss = answered(out), run.memory_info().rss  # 0 when it has ended
            if done and rss:
                samples.append((time.perf_counter(), done, rss))
        size = size_of(out)
    late = samples[len(samples) // 5 :]
    slope, _ = np.polyfit([done for _, done, _ in late], [rss for *_, rss in late], 1)
    return {
        "rss_slope_kib_per_10k": float(slope) * 10_000 / 1024,
        "rss_mib": late[-1][2] / 2**20,
        "rss_mib_most": max(rss for *_, rss in samples) / 2**20,
        "echo_pictures_per_s": (late[-1][1] - late[0][1]) / (late[-1][0] - late[0][0]),
        "ledger_bytes_per_picture": size / pictures,
    }


def answered(folder: Path) -> int:
    """How many pictures of the batch in `folder` have an answer; 0 before it has begun."""
    try:
        with closing(LedgerReader.read(folder)) as ledger:
            versions = ledger.versions()
            return ledger.count(versions[-1].id)["ok"] if versions else 0
    except OnelookError:
        return 0


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
    pictures: Annotated[int, typer.Option(help="Pictures of the memory's run; 0: none.")] = 100_000,
    vllm: Annotated[bool, typer.Option(help="Measure beside a bare client on a real vLLM.")] = True,
    paced: Annotated[bool, typer.Option(help="Measure beside a bare client on a server that only waits.")] = True,
    ray: Annotated[bool, typer.Option(help="Measure Ray.")] = True,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
) -> None:
    """Measure the batch."""
    figures: Figures = {}
    if vllm:
        with TemporaryDirectory() as temporary:
            log = Path(temporary, "vllm.log")
            with vllm_cpu_server(DEMO, python=vllm_python(), log=log) as base_url:
                figures |= asyncio.run(beside_bare(base_url))
    if paced:
        with echo_server(REPLY, PACE) as base_url:
            figures |= {f"paced_{name}": value for name, value in asyncio.run(beside_bare(base_url)).items()}
    with echo_server(REPLY) as base_url:
        figures |= ledger_rate(asyncio.run(one_result(base_url)))
        if pictures:
            figures |= memory(base_url, pictures)
        if ray:
            figures |= ray_rates(base_url)
    for name, value in figures.items():
        Console().print(f"{name:28} {value:.4g}")
    if json is not None:
        write_report(json, figures)


if __name__ == "__main__":
    typer.run(main)
