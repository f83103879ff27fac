"""Two embedded engines share memory: two real checkpoints of 130 MB, with the process's memory watched."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from transformers import AutoModelForImageTextToText

from onelook.engines.base import AskRequest, Choice, Engine
from onelook.engines.build import build_engine
from onelook.engines.resident import share_memory
from onelook.engines.transformers.engine import TransformersEngine
from onelook.engines.transformers.loading import free_memory
from onelook.errors import EngineIncapable
from onelook.settings.process import load_settings
from tests.embedded.questions import question
from tools.demo_model.tiny import prompt_texts, save_checkpoint, tiny_config, train_tokenizer

MB = 1_000_000
WIDE = 42_000  # one layer so wide that its three matrices of 43 MB are most of the model
WEIGHTS_MB: float = 3 * 256 * WIDE * 4 / MB
WORDS = ("a", "b")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two models of random weights, each about 130 MB in memory."""
    tokenizer = train_tokenizer(prompt_texts())
    config = tiny_config(tokenizer)
    text_config: Any = config.text_config
    text_config.num_hidden_layers = 1
    text_config.layer_types = text_config.layer_types[:1]
    text_config.intermediate_size = WIDE
    model = AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16)
    folders = [tmp_path_factory.mktemp("wide") / name for name in ("first", "second")]
    for folder in folders:
        save_checkpoint(folder, model, tokenizer, most_image_tokens=64)
    return folders


class Watch:
    """The most memory of this process, in bytes, since the watch began."""

    def __init__(self) -> None:
        self.process = psutil.Process()
        self.begun: int = self.process.memory_info().rss
        self.most = self.begun

    @property
    def most_mb(self) -> float:
        return float(self.most - self.begun) / MB


@contextmanager
def watched() -> Iterator[Watch]:
    watch, over = Watch(), threading.Event()

    def look() -> None:
        while not over.wait(0.001):
            watch.most = max(watch.most, watch.process.memory_info().rss)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def engines(checkpoints: list[Path]) -> list[Engine]:
    return [build_engine(load_settings(engine="embedded", model=str(folder))) for folder in checkpoints]


def model_of(engine: Engine) -> weakref.ref[Any] | None:
    """The loaded model, weakly."""
    assert isinstance(engine, TransformersEngine)
    generator = engine._generator
    return None if generator is None else weakref.ref(generator.model)


async def ask(engine: Engine) -> str:
    return (await engine.ask(AskRequest(question([1]), Choice(WORDS), max_tokens=3))).text


async def asked_in_turn(both: list[Engine]) -> None:
    for engine in both * 2:
        assert await ask(engine) in WORDS
    await asyncio.gather(*(ask(engine) for engine in both * 2))


async def most_mb(both: list[Engine]) -> float:
    """The most memory that it took to ask these engines in turn, and then all at once."""
    free_memory()
    with watched() as watch:
        await asked_in_turn(both)
    for engine in both:
        await engine.aclose()
    return watch.most_mb


async def test_two_models_are_never_in_memory_at_once(checkpoints: list[Path]) -> None:
    """One engine alone, two, and two that share memory: those need the memory of one."""
    first, second = engines(checkpoints)
    await most_mb(list(share_memory(first, second, defer=False)))  # libraries and buffers that stay
    one_mb = await most_mb(engines(checkpoints[:1]))
    two_mb = await most_mb(engines(checkpoints))
    first, second = engines(checkpoints)
    shared_mb = await most_mb(list(share_memory(first, second, defer=False)))
    assert one_mb > WEIGHTS_MB
    assert two_mb > one_mb + 0.6 * WEIGHTS_MB
    assert shared_mb < (one_mb + two_mb) / 2


async def test_a_model_that_leaves_is_gone_before_the_other_is_read(checkpoints: list[Path]) -> None:
    inner = engines(checkpoints)
    first, second = share_memory(inner[0], inner[1], defer=False)
    await ask(first)
    was_first = model_of(inner[0])
    assert was_first is not None
    assert was_first() is not None
    seen: list[object] = []
    loaded = TransformersEngine._loaded

    def looking(self: TransformersEngine) -> object:
        seen.append(was_first())
        return loaded(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransformersEngine, "_loaded", looking)
        await ask(second)
    assert seen
    assert set(seen) == {None}
    assert model_of(inner[0]) is None
    assert model_of(inner[1]) is not None
    for each in (first, second):
        await each.aclose()


async def test_a_specialist_that_cannot_be_loaded_is_refused_at_start_without_being_loaded(
    checkpoints: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text("{}")
    inner = engines([checkpoints[0], tmp_path])
    first, second = share_memory(inner[0], inner[1], defer=False)
    with pytest.raises(EngineIncapable, match="has no tokenizer"):
        await second.start()
    await first.start()
    assert model_of(inner[0]) is not None
    for each in (first, second):
        await each.aclose()
