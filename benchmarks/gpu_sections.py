"""The sections of `benchmarks.gpu`: what is measured, each as flat figures."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import count, cycle
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.dictation import ANSWER, dictation, load_tokens, prompts_of
from benchmarks.new_pictures import NewPictures
from benchmarks.shaped_engine import ShapedEngine
from benchmarks.shapes import save_siglip
from onelook.demo.checkpoint import ROUTER
from onelook.engines.transformers.engine import Load
from onelook.engines.transformers.loading import Attention, Checkpoint, LoadOptions, load_checkpoint
from onelook.engines.zero_shot.embedded import EmbeddedSiglip
from onelook.errors import EngineIncapable
from onelook.lab.album import Labelled, read_labels
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tools.demo_model import HELDOUT

Figures = dict[str, float | int | str | None]
Make = Callable[[Path, Any, LoadOptions], Checkpoint]

ARMS = {
    "fused": Context(arm="fused"),
    "fused_compact": Context(arm="fused", reply_format="compact"),
    "reads": Context(arm="reads"),
    "legacy": Context(arm="legacy"),
}
STEPPING = "_stepping"
BATCHES = (1, 4, 8)
BATCHED_PICTURES = 24
SIGLIP_BATCHES = (1, 8, 32)
BACKENDS = {
    "sdpa_flash": SDPBackend.FLASH_ATTENTION,
    "sdpa_efficient": SDPBackend.EFFICIENT_ATTENTION,
    "sdpa_cudnn": SDPBackend.CUDNN_ATTENTION,
    "sdpa_math": SDPBackend.MATH,
}
GIB = 2**30


class Skipped(Exception):
    """This section cannot run here; the text says why."""


@dataclass(frozen=True)
class Measured:
    """A shape to measure, before its weights are made."""

    name: str
    folder: Path
    config: Any
    device: str
    pictures: int
    make: Make

    def load(self) -> Load:
        return lambda _, options: self.make(self.folder, self.config, options)

    def portraits(self) -> list[Labelled]:
        """Album pictures of the dictated category."""
        return [each for each in read_labels(HELDOUT) if each.truth.category == ANSWER.category]


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture through one arm."""

    wall_ms: float
    first_token_ms: float | None
    decode_ms: float | None
    written: int
    calls: int
    passes: int
    vision_ms: float
    image_tokens: int
    prompt_tokens: int


@contextmanager
def _memory(figures: Figures, name: str) -> Iterator[None]:
    """Adds the largest use of GPU memory inside, weights included."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    yield
    if torch.cuda.is_available():
        figures[name] = round(torch.cuda.max_memory_allocated() / GIB, 2)


@contextmanager
def _engine(shape: Measured, attention: Attention = "auto", load: Load | None = None) -> Iterator[ShapedEngine]:
    engine = ShapedEngine(
        f"{shape.name}-shape",
        load or shape.load(),
        LoadOptions(device=shape.device, attention=attention),
        dictation(prompts_of(load_settings()), ANSWER),
        load_tokens(shape.folder),
    )
    try:
        yield engine
    finally:
        engine.close()


async def _one(tagger: Tagger, engine: ShapedEngine, context: Context, data: bytes) -> Sample:
    engine.answered.clear()
    engine.vision.take()
    passes = engine.dictator.passes
    result = await tagger.tag(data, context)
    if result.status == "failed":
        raise RuntimeError(f"{context.arm}: {result.errors}")
    replies = engine.answered
    decoded = [reply for reply in replies if reply.usage.completion_tokens and reply.usage.completion_tokens > 1]
    steps = sum((reply.usage.completion_tokens or 0) - 1 for reply in decoded)
    return Sample(
        wall_ms=result.ledger.wall_ms or 0.0,
        first_token_ms=replies[0].timing.first_token_ms,
        decode_ms=sum(reply.timing.decode_ms or 0.0 for reply in decoded) / steps if steps else None,
        written=sum(reply.usage.completion_tokens or 0 for reply in replies),
        calls=len(replies),
        passes=engine.dictator.passes - passes,
        vision_ms=sum(engine.vision.take()),
        image_tokens=replies[0].usage.image_tokens or 0,
        prompt_tokens=replies[0].usage.prompt_tokens or 0,
    )


async def _interleaved(
    engine: ShapedEngine, names: Iterable[str], long_edge: int, album: Sequence[Labelled], most: int, until: float
) -> dict[str, list[Sample]]:
    """Each arm on each picture, new each time, after a warm-up; until `most` pictures or the time is up. An arm whose
    name ends with `STEPPING` runs without jump-forward."""
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    fresh = NewPictures()
    async with Tagger(load_settings(engine="embedded", max_attempts=1), engine) as tagger:
        for index, labelled in zip(range(-1, most), cycle(album), strict=False):
            if index > 0 and time.monotonic() > until:
                break
            for name in samples:
                engine.jump_forward(not name.endswith(STEPPING))
                arm = ARMS[name.removesuffix(STEPPING)]
                context = arm.model_copy(update={"language": "zh", "long_edge": long_edge})
                sample = await _one(tagger, engine, context, fresh(labelled, long_edge=long_edge))
                if index >= 0:  # the first picture warms up
                    samples[name].append(sample)
    return samples


def _summary(samples: Sequence[Sample]) -> dict[str, float]:
    walls = [each.wall_ms for each in samples]
    firsts = [each.first_token_ms for each in samples if each.first_token_ms is not None]
    decodes = [each.decode_ms for each in samples if each.decode_ms is not None]
    found = {
        "p50_ms": median(walls),
        "p95_ms": float(np.percentile(walls, 95)),
        "vision_ms": median(each.vision_ms for each in samples),
        **{name: fmean(getattr(each, name) for each in samples) for name in ("passes", "written", "calls")},
        **{name: fmean(getattr(each, name) for each in samples) for name in ("image_tokens", "prompt_tokens")},
        "pictures": len(samples),
    }
    found |= {"first_token_ms": median(firsts)} if firsts else {}
    found |= {"decode_ms": median(decodes)} if decodes else {}
    return {name: round(value, 2) for name, value in found.items()}


def _prefixed(prefix: str, figures: Mapping[str, float]) -> Figures:
    return {f"{prefix}.{name}": value for name, value in figures.items()}


def arms(shape: Measured, long_edges: Sequence[int], until: float) -> Figures:
    """Every arm at every long edge."""
    figures: Figures = {}
    with _engine(shape) as engine:
        started = time.monotonic()
        asyncio.run(engine.start())
        figures[f"{shape.name}.make_s"] = round(time.monotonic() - started, 1)
        figures[f"{shape.name}.parameters_b"] = round(
            sum(each.numel() for each in engine.checkpoint.model.parameters()) / 1e9, 3
        )
        for index, long_edge in enumerate(long_edges):
            now = time.monotonic()
            share = now + (until - now) / (len(long_edges) - index)
            with _memory(figures, f"{shape.name}.{long_edge}.peak_gib"):
                found = asyncio.run(_interleaved(engine, ARMS, long_edge, shape.portraits(), shape.pictures, share))
            for name, samples in found.items():
                figures |= _prefixed(f"{shape.name}.{long_edge}.{name}", _summary(samples))
            base = f"{shape.name}.{long_edge}"
            typical = {name: median(each.wall_ms for each in samples) for name, samples in found.items()}
            figures[f"{base}.fused_vs_compact"] = round(typical["fused"] / typical["fused_compact"], 3)
            figures[f"{base}.fused_vs_legacy"] = round(typical["fused"] / typical["legacy"], 3)
    return figures


def jumps(shape: Measured, long_edge: int, until: float) -> Figures:
    """JSON replies of the arm fused with jump-forward, and with a pass of its own for each forced token."""
    ways = {"on": "fused", "off": f"fused{STEPPING}"}
    with _engine(shape) as engine:
        asyncio.run(engine.start())
        found = asyncio.run(_interleaved(engine, ways.values(), long_edge, shape.portraits(), shape.pictures, until))
    base = f"{shape.name}.{long_edge}.jump_forward"
    figures: Figures = {}
    for way, name in ways.items():
        figures |= _prefixed(f"{base}.{way}", _summary(found[name]))
    on, off = (median(each.wall_ms for each in found[name]) for name in ways.values())
    return figures | {f"{base}.on_vs_off": round(on / off, 3)}


def attention(shape: Measured, long_edge: int, until: float) -> Figures:
    """The arm fused with each attention kernel."""
    figures: Figures = {}
    kinds: list[tuple[str, Attention]] = [(name, "sdpa") for name in BACKENDS]
    kinds += [("flash_attention_2", "flash_attention_2"), ("eager", "eager")]
    with _engine(shape, "sdpa") as engine:
        asyncio.run(engine.start())
        for index, (name, implementation) in enumerate(kinds):
            now = time.monotonic()
            try:
                if now > until:
                    raise Skipped("no time left")
                if implementation == "flash_attention_2" and importlib.util.find_spec("flash_attn") is None:
                    raise Skipped("flash-attn is not installed")
                engine.checkpoint.model.set_attn_implementation(implementation)
                with sdpa_kernel(BACKENDS[name]) if name in BACKENDS else sdpa_kernel(list(BACKENDS.values())):
                    share = now + (until - now) / (len(kinds) - index)
                    found = asyncio.run(
                        _interleaved(engine, ["fused"], long_edge, shape.portraits(), shape.pictures, share)
                    )
                figures |= _prefixed(f"{shape.name}.{long_edge}.attention.{name}", _summary(found["fused"]))
            except Skipped as reason:
                figures[f"skipped.{shape.name}.attention.{name}"] = str(reason)
            except RuntimeError as error:  # PyTorch has no such kernel for this device, dtype or mask
                figures[f"skipped.{shape.name}.attention.{name}"] = str(error).splitlines()[0][:200]
    return figures


def batches(shape: Measured, long_edges: Sequence[int], until: float) -> Figures:
    """Pictures a second when several share a forward pass, as the model computes them: in mixed sizes, and sorted.

    By Transformers' own `generate`, without constraints. The engine's padded batches (`ONELOOK_BATCH_SIZE`) are
    measured in notebooks/04_backends.ipynb. Each reply has the JSON reply's length.
    """
    figures: Figures = {}
    with _engine(shape) as engine:
        asyncio.run(engine.start())
        model: Any = engine.checkpoint.model
        processor: Any = engine.checkpoint.processor
        processor.tokenizer.padding_side = "left"
        question = prompts_of(load_settings()).fused("json")
        length = len(load_tokens(shape.folder)(question.write(ANSWER))) - 1
        fresh, portraits = NewPictures(), shape.portraits()
        # In mixed order every batch holds all sizes.
        pictures = [
            Image.open(BytesIO(fresh(portraits[index % len(portraits)], long_edge=long_edges[index % len(long_edges)])))
            for index in range(min(BATCHED_PICTURES, BATCHES[-1] * shape.pictures))
        ]
        turns = [{"role": "system", "content": [{"type": "text", "text": question.system}]}] if question.system else []
        conversations = [
            [
                *turns,
                {
                    "role": "user",
                    "content": [{"type": "image", "image": picture}, {"type": "text", "text": question.text}],
                },
            ]
            for picture in pictures
        ]

        def answer(batch: Sequence[Any]) -> None:
            inputs = processor.apply_chat_template(
                list(batch),
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
                processor_kwargs={"padding": True},
            )
            with torch.no_grad():
                model.generate(**inputs.to(model.device, model.dtype), min_new_tokens=length, max_new_tokens=length)
            _synchronize(model.device)

        answer(conversations[: BATCHES[-1]])  # warm-up
        by_size = sorted(range(len(pictures)), key=lambda index: max(pictures[index].size))
        ordered = [conversations[index] for index in by_size]
        orders = {"mixed": conversations, "sorted": ordered}
        for size in reversed(BATCHES):
            for order, all_of_it in orders.items():
                if size == 1 and order == "sorted":
                    continue  # the same
                name = f"{shape.name}.batch.{size}.{order}"
                done, started = 0, time.perf_counter()
                with _memory(figures, f"{name}.peak_gib"):
                    for at in range(0, len(all_of_it), size):
                        if at and (time.monotonic() > until or (size == 1 and at >= 2 * len(long_edges))):
                            break
                        answer(all_of_it[at : at + size])
                        done += len(all_of_it[at : at + size])
                figures[f"{name}.pictures_per_s"] = round(done / (time.perf_counter() - started), 3)
                figures[f"{name}.pictures"] = done
                if done < len(all_of_it) and size > 1:
                    figures[f"skipped.{name}"] = f"time was up after {done} of {len(all_of_it)} pictures"
    return figures


def siglip(device: torch.device, small: bool, until: float) -> Figures:
    """The router's encoder: pictures in batches, and texts."""
    figures: Figures = {}
    if not ROUTER.is_dir():
        raise Skipped(f"no tokenizer for it in {ROUTER}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "siglip"
        config = save_siglip(ROUTER, folder, device=device, small=small)
        side: int = config.vision_config.image_size
        encoder = EmbeddedSiglip(str(folder), device=str(device), logit_scale=None)
        noise = np.random.default_rng(0)

        def pictures(number: int) -> list[Image.Image]:
            return [
                Image.fromarray(noise.integers(0, 256, (side * 2, side * 2, 3), dtype=np.uint8)) for _ in range(number)
            ]

        async def timed(work: Callable[[], Any]) -> list[float]:
            await work()  # warm-up
            times: list[float] = []
            while len(times) < 3 or (len(times) < 20 and time.monotonic() < until):
                started = time.perf_counter()
                await work()
                times.append((time.perf_counter() - started) * 1e3)
            return times

        async def measure() -> None:
            for number in SIGLIP_BATCHES:
                batch = pictures(number)
                times = await timed(lambda batch=batch: encoder.encode_pictures(batch))  # type: ignore[misc]
                figures[f"siglip.pictures_{number}_ms"] = round(median(times), 2)
            serial = count()
            times = await timed(lambda: encoder.encode_texts([f"a photo of number {next(serial)}"] * 8))
            figures["siglip.texts_8_ms"] = round(median(times), 2)
            await encoder.aclose()

        with _memory(figures, "siglip.peak_gib"):
            asyncio.run(measure())
    return figures


def quantized(shape: Measured, long_edge: int, until: float) -> Figures:
    """The arm fused after loading from files, as a user's checkpoint is: as it is, in 8 bits, in 4 bits."""
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made = shape.make(shape.folder, shape.config, LoadOptions(device=shape.device))
        made.model.save_pretrained(folder)
        for file in shape.folder.iterdir():
            if file.suffix in (".json", ".jinja", ".txt") and not (folder / file.name).exists():
                (folder / file.name).write_bytes(file.read_bytes())
        del made
        kinds = ("none", "8bit", "4bit")
        for index, kind in enumerate(kinds):
            name = f"{shape.name}.quantized.{kind}"
            now = time.monotonic()

            def load(_: str, options: LoadOptions, kind: Any = kind) -> Checkpoint:
                return load_checkpoint(str(folder), LoadOptions(options.device, quantization=kind))

            try:
                if now > until:
                    raise Skipped("no time left")
                with _engine(shape, load=load) as engine, _memory(figures, f"{name}.peak_gib"):
                    asyncio.run(engine.start())
                    figures[f"{name}.load_s"] = round(time.monotonic() - now, 1)
                    share = now + (until - now) / (len(kinds) - index)
                    found = asyncio.run(
                        _interleaved(engine, ["fused"], long_edge, shape.portraits(), shape.pictures, share)
                    )
                figures |= _prefixed(name, _summary(found["fused"]))
            except (Skipped, EngineIncapable) as reason:
                figures[f"skipped.{name}"] = str(reason)
    return figures


def vllm(folder: Path, long_edges: Sequence[int], pictures: int, until: float) -> Figures:
    """The arms on a vLLM server with dummy weights of the shape, where vLLM is installed beside this."""
    if importlib.util.find_spec("vllm") is None and "ONELOOK_VLLM_PYTHON" not in os.environ:
        raise Skipped("vllm is not installed")
    os.environ.setdefault("ONELOOK_VLLM_PYTHON", sys.executable)
    from benchmarks.arms import figures as arm_figures
    from benchmarks.arms import shape_bench, shape_server

    figures: Figures = {}
    album = [each for each in read_labels(HELDOUT) if each.truth.category == ANSWER.category][:pictures]

    async def measured(base_url: str, long_edge: int) -> None:
        async with shape_bench("vllm", base_url, load_tokens(folder), long_edge, album) as bench:
            await bench.measure(list(ARMS), warm_up=1)
            figures.update(arm_figures(bench, scored=False))

    with shape_server(folder, None) as base_url:
        for long_edge in long_edges:
            if time.monotonic() > until:
                figures[f"skipped.vllm.{long_edge}"] = "no time left"
                continue
            asyncio.run(measured(base_url, long_edge))
    return figures


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
