"""The cost of onelook without a model: an echo server in another process replaces it.

    python -m benchmarks.overhead --json overhead.json

Each contender sends the same question about the same picture: a JPEG of about 300 kB that needs no scaling. Only
onelook starts from the file; the others get the finished messages or the finished request. Rounds are
interleaved, so that other load on the machine affects all alike, and medians of the rounds are compared. What is loaded
is frozen for all contenders, as in `onelook serve` and `onelook batch`: collecting garbage is a tenth of the time else.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import aiohttp
import openai
import orjson
import typer
from langchain_openai import ChatOpenAI
from PIL import Image, ImageFilter
from pydantic import SecretStr
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.echo_server import MODEL, echo_server
from benchmarks.report import write_report
from onelook.engines.base import AskRequest
from onelook.engines.openai.request import guidance_fields
from onelook.images.original import Original
from onelook.images.source import read
from onelook.ledger.model import Ledger
from onelook.result import TagResult
from onelook.settings.process import Settings
from onelook.settings.resolution import at_most
from onelook.steady_memory import freeze_loaded
from onelook.tagger import Tagger, build_services
from onelook.types import Answer

WIDTH, HEIGHT = 756, 560  # multiples of 28 within the default long edge of 768: passed through untouched
PICTURE_BYTES = 300_000
ANSWER = Answer(
    category="portrait",
    details={"gender": ("female",), "composition": ("selfie", "half_body"), "mood": ("happy",), "scene": ("indoor",)},
)
AT_ONCE = 64

Contender = Callable[[], Awaitable[Any]]

GRAPH, ENGINE, OPENAI = "onelook, from the file", "its engine alone", "openai client"
STOCK, FLOOR = "ChatOpenAI", "aiohttp + orjson"
KEYS = {GRAPH: "graph_client", ENGINE: "engine", OPENAI: "openai", STOCK: "chat_openai", FLOOR: "aiohttp_orjson"}


def photograph(path: Path) -> None:
    """Write a JPEG of about `PICTURE_BYTES`: soft shapes under grain, at the quality that gives this size."""
    noise = Image.frombytes("RGB", (WIDTH, HEIGHT), random.Random(0).randbytes(WIDTH * HEIGHT * 3))  # noqa: S311
    picture = Image.blend(noise, noise.filter(ImageFilter.GaussianBlur(12)), 0.85)
    low, high = 1, 100
    while high - low > 1:
        quality = (low + high) // 2
        picture.save(path, quality=quality)
        low, high = (quality, high) if path.stat().st_size < PICTURE_BYTES else (low, quality)
    picture.save(path, quality=low)


@contextmanager
def echoing() -> Iterator[tuple[str, Path]]:
    """The base URL of an echo server, whose reply is valid because the prompts write it, and a photograph for it."""
    reply = build_services(Settings(engine="vllm")).prompts["zh"].fused("json").write(ANSWER)
    with TemporaryDirectory() as folder, echo_server(reply) as base_url:
        picture = Path(folder) / "photograph.jpg"
        photograph(picture)
        yield base_url, picture


async def contenders(base_url: str, picture: Path, stack: AsyncExitStack) -> dict[str, Contender]:
    """The compared clients, as functions that can be called repeatedly; `stack` closes them."""
    settings = Settings(engine="vllm", base_url=base_url, model=MODEL)
    tagger = await stack.enter_async_context(Tagger(settings))
    services = tagger.services

    bounds = at_most(services.run.long_edge)
    data = await read(str(picture), services.limits)
    original = Original(
        data,
        name=picture.name,
        max_pixels=services.limits.max_pixels,
        up_to=[bounds],
        grid=services.engine.capabilities.size_grid,
    )
    prepared = original.picture(bounds)
    assert prepared.untouched
    question = services.prompts["zh"].fused("json")
    messages = question.messages([prepared.data_url])
    options: dict[str, Any] = {"max_tokens": question.max_tokens, "temperature": 0.0, "logprobs": True}
    request = AskRequest(messages, question.constraint, question.max_tokens)
    guided = guidance_fields(question.constraint, "structured_outputs")
    wire = [{"role": "system", "content": messages[0].content}, {"role": "user", "content": messages[1].content}]
    assert len(messages) == len(wire)

    client = await stack.enter_async_context(openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0))
    stock = ChatOpenAI(
        base_url=base_url, api_key=SecretStr("none"), model=MODEL, max_retries=0, extra_body=guided, **options
    )
    session = await stack.enter_async_context(aiohttp.ClientSession())

    async def onelook() -> TagResult:
        result = await tagger.tag(str(picture))
        assert result.category is not None
        assert result.category.id == ANSWER.category
        return result

    async def floor() -> Any:
        body = orjson.dumps({"model": MODEL, "messages": wire, **options, **guided})
        headers = {"Content-Type": "application/json"}
        async with session.post(f"{base_url}/chat/completions", data=body, headers=headers) as response:
            return orjson.loads(await response.read())

    create: Any = client.chat.completions.create  # its overloads are about streaming
    return {
        GRAPH: onelook,
        ENGINE: lambda: services.engine.ask(request),
        OPENAI: lambda: create(model=MODEL, messages=wire, extra_body=guided, **options),
        STOCK: lambda: stock.ainvoke(messages),
        FLOOR: floor,
    }


async def milliseconds(ask: Contender, pictures: int, at_once: int) -> float:
    """Wall time divided by the number of pictures, `at_once` of them in flight."""
    waiting = iter(range(pictures))

    async def worker() -> None:
        for _ in waiting:
            await ask()

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return (time.perf_counter() - started) / pictures * 1e3


async def shares(ask: Contender, pictures: int) -> dict[str, float]:
    """The parts of onelook's own time, one picture at a time: medians from its ledgers, in milliseconds."""
    ledgers = [(await ask()).ledger for _ in range(pictures)]

    def typical(part: Callable[[Ledger], float]) -> float:
        return median(map(part, ledgers))

    def engine(ledger: Ledger) -> float:
        return sum(span.duration_ms for node in ledger.nodes for span in node.spans if span.name == "engine")

    return {
        "preparation": typical(lambda ledger: ledger.nodes[0].duration_ms),
        "engine": typical(engine),
        "scheduling": typical(lambda ledger: ledger.scheduling_overhead_ms or 0.0),
        "whole": typical(lambda ledger: ledger.wall_ms or 0.0),
    }


Taken = dict[str, dict[int, float]]


async def measure(base_url: str, picture: Path, rounds: int, pictures: int) -> tuple[Taken, dict[str, float]]:
    """Median milliseconds per picture for each contender and concurrency, and the parts of onelook's own."""
    taken: dict[str, dict[int, list[float]]] = {}
    async with AsyncExitStack() as stack:
        entrants = await contenders(base_url, picture, stack)
        for ask in entrants.values():
            await milliseconds(ask, 2 * AT_ONCE, AT_ONCE)  # warm: connections, caches, compiled patterns
        freeze_loaded()
        for _ in track(range(rounds), description="rounds"):
            for at_once in (1, AT_ONCE):
                for name, ask in entrants.items():
                    ms = await milliseconds(ask, max(pictures, 2 * at_once), at_once)
                    taken.setdefault(name, {}).setdefault(at_once, []).append(ms)
        parts = await shares(entrants[GRAPH], pictures)
    return {name: {at_once: median(each) for at_once, each in by.items()} for name, by in taken.items()}, parts


def figures(taken: Taken) -> dict[str, float]:
    """The flat report: each contender's milliseconds and pictures a second, and its time over the openai client's."""
    flat = {}
    for at_once in (1, AT_ONCE):
        for name, key in KEYS.items():
            ms = taken[name][at_once]
            flat[f"{key}_ms_c{at_once}"] = round(ms, 3)
            flat[f"{key}_per_s_c{at_once}"] = round(1e3 / ms, 1)
            if name is not OPENAI:
                flat[f"{key}_vs_openai_c{at_once}"] = round(ms / taken[OPENAI][at_once], 3)
    return flat


def table(taken: Taken) -> Table:
    drawn = Table(title=f"time per picture without a model, one at a time and {AT_ONCE} at once")
    drawn.add_column(no_wrap=True)
    for at_once in (1, AT_ONCE):
        for heading in (f"ms @{at_once}", "per s", "× openai"):
            drawn.add_column(heading, justify="right", no_wrap=True)
    for name, by in taken.items():
        cells = [
            cell
            for at_once, ms in by.items()
            for cell in (f"{ms:.2f}", f"{1e3 / ms:.0f}", f"{ms / taken[OPENAI][at_once]:.2f}")
        ]
        drawn.add_row(name, *cells)
    return drawn


def main(
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    rounds: Annotated[int, typer.Option(help="Interleaved rounds.")] = 9,
    pictures: Annotated[int, typer.Option(help="Pictures per contender and round.")] = 128,
) -> None:
    """Compare onelook's own time per picture with that of bare clients."""
    with echoing() as (base_url, picture):
        taken, parts = asyncio.run(measure(base_url, picture, rounds, pictures))
        size = picture.stat().st_size
    console = Console(soft_wrap=True)
    console.print(table(taken))
    console.print("onelook, one at a time: " + ", ".join(f"{part} {ms:.2f} ms" for part, ms in parts.items()))
    if json is not None:
        named = {f"graph_client_{part}_ms": round(ms, 3) for part, ms in parts.items()}
        write_report(json, {**figures(taken), **named, "picture_bytes": size, "rounds": rounds})


if __name__ == "__main__":
    typer.run(main)
