"""What can be wrong with a checkpoint, a device or the installation, and the message that the user reads."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import Qwen2Config

from onelook.demo.checkpoint import SPECIALIST
from onelook.engines.transformers.engine import TransformersEngine
from onelook.engines.transformers.loading import LoadOptions, load_checkpoint
from onelook.errors import EngineIncapable
from tests.embedded.architectures import build_llava
from tests.embedded.questions import request

needs_no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")


@pytest.fixture
def copy(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A checkpoint to be spoilt."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "copy"))


def load(model: Path | str, options: LoadOptions | None = None) -> None:
    load_checkpoint(str(model), options or LoadOptions())


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json", "chat_template.jinja"]
)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(EngineIncapable, match=re.escape(name)) as caught:
        load(copy)
    assert str(copy) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"]
)
def test_half_a_file_is_refused(copy: Path, name: str) -> None:
    whole = (copy / name).read_bytes()
    (copy / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EngineIncapable) as caught:
        load(copy)
    assert str(copy) in caught.value.message


@pytest.mark.parametrize(
    "change", [{"num_hidden_layers": 5, "layer_types": ["full_attention"] * 5}, {"intermediate_size": 704}]
)
def test_weights_of_another_shape_are_refused_rather_than_made_up(copy: Path, change: dict[str, object]) -> None:
    config = json.loads((copy / "config.json").read_text())
    config["text_config"] |= change
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(EngineIncapable, match=r"weights.*layers"):
        load(copy)


def test_a_model_that_sees_nothing_is_refused(copy: Path) -> None:
    (copy / "config.json").unlink()
    Qwen2Config(vocab_size=300, hidden_size=32, num_hidden_layers=1).save_pretrained(copy)
    with pytest.raises(EngineIncapable, match="qwen2 model"):
        load(copy)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EngineIncapable, match="no model folder"):
        load(tmp_path / "nowhere")


def test_an_id_that_was_never_fetched_names_the_command_that_fetches_it() -> None:
    with pytest.raises(EngineIncapable, match=r"not on this machine, or not complete") as caught:
        load("onelook-tests/never-fetched")
    assert caught.value.hint is not None
    assert "onelook pull onelook-tests/never-fetched" in caught.value.hint


@needs_no_cuda
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (LoadOptions(device="cuda"), "device cuda"),
        (LoadOptions(device="toaster"), "device toaster"),
        (LoadOptions(attention="flash_attention_2"), "flash-attn"),
        (LoadOptions(quantization="4bit"), "4bit quantization needs a CUDA device"),
        (LoadOptions(quantization="8bit"), "8bit quantization needs a CUDA device"),
    ],
)
def test_what_the_machine_lacks_is_named(tiny_checkpoint: Path, options: LoadOptions, says: str) -> None:
    with pytest.raises(EngineIncapable, match=says) as caught:
        load(tiny_checkpoint, options)
    assert caught.value.hint


@needs_no_cuda
def test_defaults_on_a_machine_without_a_gpu(tiny_checkpoint: Path) -> None:
    model = load_checkpoint(str(tiny_checkpoint), LoadOptions()).model
    if not torch.backends.mps.is_available():
        assert (model.device.type, model.dtype) == ("cpu", torch.float32)


async def test_bfloat16_and_eager_attention_answer_too(tiny_checkpoint: Path) -> None:
    options = LoadOptions(dtype="bfloat16", attention="eager", device="cpu")
    engine = TransformersEngine(str(tiny_checkpoint), options)
    assert (await engine.ask(request([1], max_tokens=3))).text
    await engine.aclose()


@pytest.mark.parametrize(("max_pixels", "image_tokens"), [(9 * 28 * 28, 6), (16 * 28 * 28, 12), (None, 20)])
async def test_fewer_pixels_are_fewer_tokens(tiny_checkpoint: Path, max_pixels: int | None, image_tokens: int) -> None:
    """The first is below what the checkpoint itself has as its least: 16 tokens."""
    engine = TransformersEngine(str(tiny_checkpoint), LoadOptions(max_pixels=max_pixels))
    assert (await engine.ask(request([1], max_tokens=2))).usage.image_tokens == image_tokens
    await engine.aclose()


def test_pixel_limits_are_refused_where_they_mean_nothing(tiny_checkpoint: Path, tmp_path: Path) -> None:
    build_llava(tiny_checkpoint, tmp_path / "llava")
    with pytest.raises(EngineIncapable, match="not scaled by number of pixels"):
        load(tmp_path / "llava", LoadOptions(max_pixels=10_000))


async def test_a_broken_model_is_reported_to_each_question(tmp_path: Path) -> None:
    engine = TransformersEngine(str(tmp_path))
    for _ in range(2):
        with pytest.raises(EngineIncapable, match=r"has no config\.json"):
            await engine.ask(request([1], max_tokens=3))
    with pytest.raises(EngineIncapable, match=r"has no config\.json"):
        await engine.start()
    await engine.aclose()


def test_without_the_extra_it_imports_and_says_what_to_install() -> None:
    program = """
import asyncio, sys
sys.modules["torch"] = None
from onelook.demo.checkpoint import SPECIALIST
from onelook.engines.transformers.engine import TransformersEngine
from onelook.errors import EngineIncapable
engine = TransformersEngine("anything")
try:
    asyncio.run(engine.start())
except EngineIncapable as error:
    print(error.message, "|", error.hint)
engine.close()
"""
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "needs the package torch" in printed
    assert "onelook[embedded]" in printed


def test_loading_and_answering_print_nothing(tiny_checkpoint: Path) -> None:
    program = f"""
import asyncio
from onelook.engines.base import AskRequest
from onelook.demo.checkpoint import SPECIALIST
from onelook.engines.transformers.engine import TransformersEngine
from langchain_core.messages import HumanMessage
engine = TransformersEngine({str(tiny_checkpoint)!r})
asyncio.run(engine.ask(AskRequest([HumanMessage("你好")], None, max_tokens=3)))
engine.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


async def test_the_size_grid_is_that_of_the_checkpoint(tiny_checkpoint: Path) -> None:
    grids = []
    for model in (tiny_checkpoint, SPECIALIST):
        engine = TransformersEngine(str(model))
        grids.append((await engine.look_up()).size_grid)
        engine.close()
    assert grids == [28, 25]
