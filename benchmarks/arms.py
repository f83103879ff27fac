"""Compares all arms: time, calls, tokens and accuracy.

    python -m benchmarks.arms                                   # the bundled model in this process
    python -m benchmarks.arms --vllm http://127.0.0.1:8000/v1   # and on a vLLM server (`make vllm-cpu` starts one)
    python -m benchmarks.arms --shape FOLDER                    # and a real model's shape with random weights, there
    python -m benchmarks.arms --shape FOLDER --shape-embedded   # and in this process (bfloat16: 8 GB for 3B)

A shape is a folder with a model's `config.json`, `preprocessor_config.json`, chat template and tokenizer, without
weights. Its replies are dictated (see `benchmarks.dictation`), so that all arms do the work of a right answer; its
accuracy is meaningless and left out.

Arms are interleaved per picture, and each time the picture is new to the engine. Pictures run one at a time. In this
process the arm fused runs with jump-forward and without (`fused_stepping`), on the same pictures, and the arm legacy
without the engine's vision cache and with it (`legacy_reusing`): without it, both of its calls encode the picture.
Times are also reported in CPU time of this process, which other programs on the machine disturb less (`*_cpu`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from statistics import fmean, median
from typing import Annotated, Any

import aiohttp
import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from yarl import URL

from benchmarks.arm_runs import (
    FLOOR,
    JUMPING,
    REUSING,
    STEPPING,
    ArmBench,
    CountingEngine,
    Encodings,
    differing_answers,
)
from benchmarks.dictated import dictated_engine
from benchmarks.dictation import ANSWER, Tokens, dictation, load_tokens, prompts_of
from benchmarks.report import write_report
from benchmarks.shaped_engine import ShapedEngine
from benchmarks.shapes import random_checkpoint, read_config
from onelook.demo.checkpoint import ROUTER, with_demo_models
from onelook.engines.build import build_engine
from onelook.engines.transformers.engine import TransformersEngine
from onelook.engines.transformers.generation import Generator
from onelook.engines.transformers.loading import LoadOptions
from onelook.errors import OnelookError
from onelook.lab.album import Labelled, read_labels
from onelook.lab.scores import score
from onelook.prompts.questions import Prompts
from onelook.settings.process import Settings, load_settings
from onelook.tagger import Tagger
from tools.demo_model import HELDOUT
from tools.demo_model.evaluate import ARMS
from tools.vllm_cpu.server import vllm_cpu_server, vllm_python

EMBEDDED = "-embedded"
"""Ends the name of weights that run in this process."""

LONG_EDGE = 768
SHAPE_LONG_EDGES = (448, 768)
SHAPE_TIMEOUT_S = 1800.0
SHAPE_READY_WITHIN_S = 1200.0
COUNTS = (
    "prompt_tokens",
    "cached_tokens",
    "image_tokens",
    "completion_tokens",
    "forced_tokens",
    "passes",
    "encoded_images",
    "reused_images",
)


@asynccontextmanager
async def embedded_bench(album: Sequence[Labelled], long_edge: int) -> AsyncIterator[ArmBench]:
    """The bundled model in this process; pictures are scaled down to `long_edge`."""
    settings = with_demo_models(_settings(engine="embedded"))
    engine = CountingEngine(build_engine(settings))
    async with Tagger(settings, engine) as tagger:
        await tagger.start()
        yield _in_this_process(
            ArmBench(f"demo{EMBEDDED}", long_edge, tagger, engine, _embedded_encodings(engine), album)
        )


@asynccontextmanager
async def embedded_shape_bench(
    weights: str, shaped: ShapedEngine, long_edge: int, album: Sequence[Labelled]
) -> AsyncIterator[ArmBench]:
    """Random weights of a shape in this process; pictures are scaled to `long_edge`, up or down."""
    engine = CountingEngine(shaped)
    async with Tagger(_settings(engine="embedded"), engine) as tagger:
        await shaped.start()
        encodings = _embedded_encodings(engine)
        yield _in_this_process(ArmBench(weights, long_edge, tagger, engine, encodings, album, enlarge=True))


@asynccontextmanager
async def vllm_bench(base_url: str, album: Sequence[Labelled]) -> AsyncIterator[ArmBench]:
    """The bundled model on a vLLM server."""
    settings = _settings(engine="vllm", base_url=base_url)
    engine = CountingEngine(build_engine(settings))
    async with Tagger(settings, engine) as tagger:
        await tagger.start()
        yield ArmBench("demo", LONG_EDGE, tagger, engine, _server_encodings(base_url), album)


@asynccontextmanager
async def shape_bench(
    weights: str, base_url: str, tokens: Tokens, long_edge: int, album: Sequence[Labelled]
) -> AsyncIterator[ArmBench]:
    """Random weights of a shape on a vLLM server; pictures are scaled to `long_edge`, up or down."""
    settings = _settings(engine="vllm", base_url=base_url, timeout_s=SHAPE_TIMEOUT_S)
    replies = dictation(prompts_of(settings), ANSWER)
    engine = CountingEngine(dictated_engine(base_url, replies, tokens, timeout_s=SHAPE_TIMEOUT_S))
    async with Tagger(settings, engine) as tagger:
        yield ArmBench(weights, long_edge, tagger, engine, _server_encodings(base_url), album, enlarge=True)


def _settings(**given: Any) -> Settings:
    """Settings with the bundled router for the arm hybrid."""
    return load_settings(router={"model": str(ROUTER)}, max_attempts=1, **given)


def _generator(counted: CountingEngine) -> Generator:
    """The loaded model: the one place that looks inside an engine, for what no setting switches once it is loaded."""
    engine = counted.engine
    assert isinstance(engine, TransformersEngine)
    assert engine._generator is not None
    return engine._generator


def _embedded_encodings(counted: CountingEngine) -> Encodings:
    """Counts the runs of the vision encoder."""
    runs: list[None] = []
    _generator(counted).model.model.visual.register_forward_hook(lambda *_: runs.append(None))

    async def encodings() -> int:
        return len(runs)

    return encodings


def _in_this_process(bench: ArmBench) -> ArmBench:
    """`bench`, whose engine can be switched."""
    generator = _generator(bench.engine)
    vision = generator.vision
    assert vision is not None
    most = vision.max_bytes

    def jump_forward(on: bool) -> None:
        generator.jump_forward = on

    def vision_cache(on: bool) -> None:
        vision.max_bytes = most if on else 0

    bench.jump_forward, bench.vision_cache = jump_forward, vision_cache
    return bench


def _server_encodings(base_url: str) -> Encodings:
    """Counts the misses of the server's media cache, whose keys its encoder cache uses too."""
    address = URL(base_url).origin() / "metrics"

    async def encodings() -> int:
        async with aiohttp.ClientSession() as session, session.get(address) as response:
            text = await response.text()
        queries, hits = (
            sum(float(value) for value in re.findall(rf"^vllm:mm_cache_{name}_total\S* (\S+)$", text, re.MULTILINE))
            for name in ("queries", "hits")
        )
        return round(queries - hits)

    return encodings


def _mean(counts: Iterable[int | None]) -> float | None:
    """The mean; None if an engine does not report all counts."""
    reported = list(counts)
    known = [count for count in reported if count is not None]
    return fmean(known) if known and len(known) == len(reported) else None


def figures(bench: ArmBench, *, scored: bool) -> dict[str, float]:
    """The flat report of one setup: `<weights>.<long edge>.<arm>.<figure>`."""
    flat: dict[str, float] = {}
    typical = {arm: median(run.ms for run in runs) for arm, runs in bench.runs.items()}
    floor = median(bench.floor_ms)
    for arm, runs in bench.runs.items():
        own: dict[str, float | None] = {
            "p50_ms": typical[arm],
            "engine_ms": median(run.engine_ms for run in runs),
            "p95_ms": float(np.percentile([run.ms for run in runs], 95)),
            "vs_floor": typical[arm] / floor,
            "vs_legacy": typical[arm] / typical["legacy"] if "legacy" in typical else None,
            "calls": fmean(run.calls for run in runs),
            "rounds": fmean(run.rounds for run in runs),
            "encodings": fmean(run.encodings for run in runs),
            "failed": sum(run.result.status == "failed" for run in runs),
            **{name: _mean(getattr(run.result.usage, name) for run in runs if run.calls) for name in COUNTS},
        }
        if bench.in_this_process:
            own["cpu_ms"] = median(run.cpu_ms for run in runs)
        if routed := [run.router_ms for run in runs if run.router_ms is not None]:
            own["router_ms"] = median(routed)
            for category in ("building", "plant"):
                calls = [run.calls for run in runs if run.labelled.truth.category == category]
                own[f"calls_{category}"] = fmean(calls) if calls else None
        if scored:
            scores = score([run.labelled for run in runs])
            own |= {"accuracy": scores.category, "exact_record": scores.exact, "ece": scores.ece}
        flat |= {f"{arm}.{name}": value for name, value in own.items() if value is not None}
    flat[f"{FLOOR}.p50_ms"] = floor
    if bench.in_this_process:
        flat[f"{FLOOR}.cpu_ms"] = median(bench.floor_cpu_ms)
    if "reads" in typical:
        flat["reads_vs_floor"] = typical["reads"] / floor
        flat["reads_engine_vs_floor"] = flat["reads.engine_ms"] / floor
        if bench.in_this_process:
            flat["reads_vs_floor_cpu"] = flat["reads.cpu_ms"] / flat[f"{FLOOR}.cpu_ms"]
    if "fused" in typical:
        flat |= _of_a_json_reply(bench, typical, flat)
    if {"fused", "fused_compact"} <= typical.keys():
        flat["compact_vs_json_tokens"] = flat["fused_compact.completion_tokens"] / flat["fused.completion_tokens"]
    return {f"{bench.weights}.{bench.long_edge}.{name}": round(value, 4) for name, value in flat.items()}


def _of_a_json_reply(bench: ArmBench, typical: dict[str, float], flat: dict[str, float]) -> dict[str, float]:
    """What the arm fused costs beside the others, and how far jump-forward goes: a choice is a category or a value."""
    found = {f"fused_vs_{name}": typical["fused"] / typical[arm] for name, arm in BESIDE.items() if arm in typical}
    if bench.in_this_process:
        for name, arm in BESIDE.items():
            if arm in typical:
                found[f"fused_vs_{name}_cpu"] = flat["fused.cpu_ms"] / flat[f"{arm}.cpu_ms"]
    if "fused.passes" in flat:
        results = [run.result for run in bench.runs["fused"]]
        found["passes_per_json_reply"] = flat["fused.passes"]
        found["choices_per_json_reply"] = fmean(1 + sum(map(len, result.details.values())) for result in results)
    pairs = [(bench.runs[arm], bench.runs[f"{arm}{STEPPING}"]) for arm in JUMPING if f"{arm}{STEPPING}" in bench.runs]
    if pairs:
        differing = sum(len(differing_answers(*pair)) for pair in pairs)
        found["same_with_jump_forward"] = 1 - differing / sum(len(runs) for runs, _ in pairs)
    return found


BESIDE = {
    "compact": "fused_compact",
    "legacy": "legacy",
    "legacy_reusing": f"legacy{REUSING}",
    "stepping": f"fused{STEPPING}",
    "reads": "reads",
}
WORST = (
    "fused_vs_compact",
    "fused_vs_legacy",
    "fused_vs_legacy_reusing",
    "fused_vs_stepping",
    "passes_per_json_reply",
    "reads_engine_vs_floor",
    "reads_vs_floor_cpu",
    "fused_vs_legacy_cpu",
    "fused_vs_legacy_reusing_cpu",
)
"""Reported for the embedded engine as a whole: that of the worst setup."""


def headlines(
    flat: dict[str, float], tokens: Tokens | None, prompts: Prompts, album: Sequence[Labelled]
) -> dict[str, float]:
    """The figures of all setups: the worst ratio to the floor, of real shapes if there are any; and the tokens of the
    album's right answers in the compact format relative to JSON, with the real tokenizer."""
    ratios = {name: value for name, value in flat.items() if name.endswith(".reads_vs_floor")}
    shaped = [value for name, value in ratios.items() if not name.startswith("demo")]
    found = {"reads_vs_floor": max(shaped or ratios.values())} if ratios else {}
    in_process = [(path, value) for path, value in flat.items() if path.rsplit(".", 2)[0].endswith(EMBEDDED)]
    for name in WORST:
        if values := [value for path, value in in_process if path.endswith(f".{name}")]:
            found[name] = max(values)
    if same := [value for each, value in flat.items() if each.endswith(".same_with_jump_forward")]:
        found["same_with_jump_forward"] = min(same)
    if tokens is not None:
        lengths = {
            reply_format: fmean(len(tokens(prompts.fused(reply_format).write(each.truth))) for each in album)
            for reply_format in ("json", "compact")
        }
        found |= {f"{name}_tokens": round(length, 2) for name, length in lengths.items()}
        found["compact_vs_json_tokens"] = round(lengths["compact"] / lengths["json"], 4)
    elif measured := [value for name, value in flat.items() if name.endswith(".compact_vs_json_tokens")]:
        found["compact_vs_json_tokens"] = max(measured)
    return found


COLUMNS = {
    "p50": ("p50_ms", ",.0f"),
    "p95 ms": ("p95_ms", ",.0f"),
    "CPU ms": ("cpu_ms", ",.0f"),
    "engine": ("engine_ms", ",.0f"),
    "× legacy": ("vs_legacy", ".2f"),
    "× floor": ("vs_floor", ".2f"),
    "calls": ("calls", ".1f"),
    "waits": ("rounds", ".1f"),
    "encoded": ("encodings", ".1f"),
    "prompt": ("prompt_tokens", ",.0f"),
    "cached": ("cached_tokens", ",.0f"),
    "image": ("image_tokens", ",.0f"),
    "written": ("completion_tokens", ".1f"),
    "forced": ("forced_tokens", ".1f"),
    "passes": ("passes", ".1f"),
    "right": ("accuracy", ".1%"),
    "record": ("exact_record", ".1%"),
    "ECE": ("ece", ".3f"),
    "failed": ("failed", ".0f"),
}


def table(bench: ArmBench, flat: dict[str, float]) -> Table:
    drawn = Table(title=f"{bench.weights}, long edge {bench.long_edge}, {len(bench.album)} pictures", box=None)
    drawn.add_column("arm", no_wrap=True)
    for heading in COLUMNS:
        drawn.add_column(heading, justify="right", no_wrap=True)
    arms = [name for arm in ARMS for name in (arm, f"{arm}{STEPPING}", f"{arm}{REUSING}") if name in bench.runs]
    for arm in [*arms, FLOOR]:
        values = [
            (flat.get(f"{bench.weights}.{bench.long_edge}.{arm}.{name}"), form) for name, form in COLUMNS.values()
        ]
        drawn.add_row(arm, *("" if value is None else format(value, form) for value, form in values))
    return drawn


def _shaped_engine(folder: Path, tokens: Tokens) -> ShapedEngine:
    return ShapedEngine(
        folder.name,
        lambda _, options: random_checkpoint(folder, read_config(folder), options),
        LoadOptions(dtype="bfloat16"),
        dictation(prompts_of(load_settings()), ANSWER),
        tokens,
    )


@contextmanager
def shape_server(folder: Path, base_url: str | None) -> Iterator[str]:
    """The server at `base_url`, or a new one on the CPU with its log in `.cache`."""
    if base_url is not None:
        yield base_url
        return
    log = Path(".cache") / f"arms-{folder.name}.log"
    arguments = ("--load-format", "dummy", "--dtype", "bfloat16")  # as the real model is served
    with vllm_cpu_server(
        folder, python=vllm_python(), log=log, ready_within_s=SHAPE_READY_WITHIN_S, arguments=arguments
    ) as started:
        yield started


def _measure_embedded_shape(
    folder: Path,
    weights: str,
    tokens: Tokens,
    edges: Sequence[int],
    album: Sequence[Labelled],
    measure: Callable[[AbstractAsyncContextManager[ArmBench]], None],
) -> None:
    shaped = _shaped_engine(folder, tokens)
    for edge in edges:
        measure(embedded_shape_bench(weights, shaped, edge, album))
    shaped.close()


def _chosen(arms: list[str] | None, console: Console) -> list[str]:
    """`arms`, or all, without those that need a router where there is none."""
    chosen = arms or list(ARMS)
    if unknown := set(chosen) - set(ARMS):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: not one of {', '.join(ARMS)}")
    if not ROUTER.is_dir():
        chosen = [name for name in chosen if ARMS[name].arm != "hybrid"]
        console.print(f"the arm hybrid is left out: no router in {ROUTER}")
    return chosen


def main(
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    embedded: Annotated[bool, typer.Option(help="The bundled model in this process.")] = True,
    long_edge: Annotated[int, typer.Option(help="Of the bundled model's pictures in this process.")] = LONG_EDGE,
    vllm: Annotated[str | None, typer.Option(help="Base URL of a vLLM server with the bundled model.")] = None,
    shape: Annotated[Path | None, typer.Option(help="Folder of a model without weights.", file_okay=False)] = None,
    shape_url: Annotated[
        str | None, typer.Option(help="Base URL of a server with the shape; default: start one.")
    ] = None,
    served_shape: Annotated[
        bool, typer.Option("--shape-server/--no-shape-server", help="The shape on a vLLM server.")
    ] = True,
    shape_embedded: Annotated[bool, typer.Option(help="The shape in this process, in bfloat16.")] = False,
    shape_name: Annotated[str, typer.Option(help="Name of the shape in the figures.")] = "3b-shape",
    pictures: Annotated[int, typer.Option(min=1, help="Number of the album's pictures, with all categories.")] = 36,
    shape_pictures: Annotated[int, typer.Option(min=1, help="Pictures for the shape, at each long edge.")] = 3,
    shape_long_edge: Annotated[
        list[int] | None, typer.Option(help=f"Default: {' and '.join(map(str, SHAPE_LONG_EDGES))}.")
    ] = None,
    arm: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(ARMS)}; default: all.")] = None,
) -> None:
    """Measure all arms."""
    console = Console(width=160)
    arms = _chosen(arm, console)
    flat: dict[str, float] = {}
    album = read_labels(HELDOUT)
    tokens = load_tokens(shape) if shape is not None else None

    def show(bench: ArmBench, *, scored: bool) -> None:
        own = figures(bench, scored=scored)
        flat.update(own)
        console.print(table(bench, own))
        for arm, runs in bench.runs.items():
            for difference in differing_answers(runs, bench.runs.get(f"{arm}{STEPPING}", ())):
                console.print(Text(f"{arm}, without jump-forward: {difference}"))

    def measure(opened: AbstractAsyncContextManager[ArmBench], *, scored: bool = False, warm_up: int = 1) -> None:
        async def measured() -> None:
            async with opened as bench:
                await bench.measure(arms, warm_up=warm_up)
                show(bench, scored=scored)

        asyncio.run(measured())

    try:
        if embedded:
            measure(embedded_bench(album[:pictures], long_edge), scored=True, warm_up=2)
        if vllm is not None:
            measure(vllm_bench(vllm, album[:pictures]), scored=True, warm_up=2)
        if shape is not None and tokens is not None:
            portraits = [each for each in album if each.truth.category == ANSWER.category][:shape_pictures]
            edges = shape_long_edge or list(SHAPE_LONG_EDGES)
            if shape_embedded:
                _measure_embedded_shape(shape, f"{shape_name}{EMBEDDED}", tokens, edges, portraits, measure)
            if served_shape:
                with shape_server(shape, shape_url) as base_url:
                    for edge in edges:
                        measure(shape_bench(shape_name, base_url, tokens, edge, portraits))
    except OnelookError as error:
        console.print(Text(f"error: {error.message}\n{error.hint or ''}", style="red"))
        raise typer.Exit(2) from None
    found = headlines(flat, tokens, prompts_of(_settings(engine="vllm")), album)
    for name, value in found.items():
        console.print(f"{name}: {value:.3f}")
    if json is not None:
        write_report(json, {**flat, **found, "pictures": pictures, "shape_pictures": shape_pictures})


if __name__ == "__main__":
    typer.run(main)
