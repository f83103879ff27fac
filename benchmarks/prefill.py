"""What a forced beginning that is sent (ONELOOK_PREFILL) saves, and what n-gram speculation does, on a vLLM server.

    python -m benchmarks.prefill             # starts vLLM's CPU build twice: plain, and with --speculative-config
    python -m benchmarks.prefill --vllm http://127.0.0.1:8000/v1 --json build/bench/prefill.json

JSON replies of the arm fused to the album's pictures. With and without the beginning, picture by picture in random
order, each picture new to the server; then as many at once. Ratios are to the plain request on the same server.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.new_pictures import NewPictures
from benchmarks.report import write_report
from onelook.demo.checkpoint import DRAWINGS, MODEL
from onelook.lab.album import Labelled, read_labels
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tools.vllm_cpu.server import vllm_cpu_server, vllm_python

WAYS = {"plain": False, "prefill": True}
AT_ONCE = 16
NGRAM = '{"method":"ngram","num_speculative_tokens":4,"prompt_lookup_min":1,"prompt_lookup_max":4}'
ASKED = Context(arm="fused", reply_format="json")


@dataclass
class Runs:
    """Of one way: seconds a picture, alone and at AT_ONCE, tokens written, and answers."""

    alone: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


async def measure(base_url: str, pictures: int, rounds: int) -> dict[str, Runs]:
    drawings = read_labels(DRAWINGS)
    new = NewPictures()
    runs = {way: Runs() for way in WAYS}
    async with AsyncExitStack() as stack:
        taggers = {
            way: await stack.enter_async_context(
                Tagger(load_settings(engine="vllm", base_url=base_url, prefill=prefill, concurrency=AT_ONCE))
            )
            for way, prefill in WAYS.items()
        }
        for tagger in taggers.values():
            await tagger.tag(new(drawings[0]), ASKED)
        for number in range(pictures):
            for way in random.sample(list(WAYS), len(WAYS)):
                data = new(drawings[number % len(drawings)])
                started = time.perf_counter()
                result = await tagger_result(taggers[way], data)
                runs[way].alone.append(time.perf_counter() - started)
                runs[way].tokens.append(result.usage.completion_tokens or 0)
                runs[way].answers.append(answer(result))
        for _ in range(rounds):
            for way in random.sample(list(WAYS), len(WAYS)):
                runs[way].together.append(await at_once(taggers[way], new, drawings, pictures))
    return runs


async def tagger_result(tagger: Tagger, data: bytes) -> TagResult:
    result = await tagger.tag(data, ASKED)
    if result.errors:
        raise RuntimeError(result.errors[-1].message)
    return result


async def at_once(tagger: Tagger, new: NewPictures, drawings: list[Labelled], pictures: int) -> float:
    """Seconds a picture, with AT_ONCE in flight."""
    held = [new(drawings[number % len(drawings)]) for number in range(pictures)]
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(data: bytes) -> None:
        async with turns:
            await tagger_result(tagger, data)

    started = time.perf_counter()
    await asyncio.gather(*(one(data) for data in held))
    return (time.perf_counter() - started) / pictures


def answer(result: TagResult) -> str:
    details = {key: [tag.id for tag in tags] for key, tags in result.details.items()}
    return f"{result.category.id if result.category else None} {details}"


def figures_of(runs: Mapping[str, Runs]) -> dict[str, float]:
    plain, prefill = runs["plain"], runs["prefill"]
    same = fmean(one == other for one, other in zip(plain.answers, prefill.answers, strict=True))
    return {
        "tokens_plain": fmean(plain.tokens),
        "tokens_prefill": fmean(prefill.tokens),
        "s_at_1_plain": median(plain.alone),
        "s_at_16_plain": median(plain.together),
        "prefill_vs_plain_at_1": median(prefill.alone) / median(plain.alone),
        "prefill_vs_plain_at_16": median(prefill.together) / median(plain.together),
        "same_answers": same,
    }


app = typer.Typer(add_completion=False)


@app.command()
def main(
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    vllm: Annotated[str | None, typer.Option(help="Base URL of a vLLM server; default: start one, twice.")] = None,
    pictures: Annotated[int, typer.Option(min=1, help="Number of pictures.")] = 48,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds with all pictures, 16 at once.")] = 3,
) -> None:
    """Measure what a forced beginning that is sent saves on a vLLM server, and what n-gram speculation does."""
    os.environ["ONELOOK_CACHE"] = "off"
    found: dict[str, float] = {}
    if vllm is not None:
        found = figures_of(asyncio.run(measure(vllm, pictures, rounds)))
    else:
        with TemporaryDirectory() as folder:
            for name, more in (("", []), ("ngram_", ["--speculative-config", NGRAM])):
                log = Path(folder) / "server.log"
                with vllm_cpu_server(MODEL, python=vllm_python(), log=log, arguments=more) as base_url:
                    runs = asyncio.run(measure(base_url, pictures, rounds))
                found |= {f"{name}{key}": value for key, value in figures_of(runs).items()}
    table = Table("figure", "value")
    for key, value in found.items():
        table.add_row(key, f"{value:.3f}")
    Console().print(table)
    if json is not None:
        json.parent.mkdir(parents=True, exist_ok=True)
        write_report(json, found)


if __name__ == "__main__":
    app()
