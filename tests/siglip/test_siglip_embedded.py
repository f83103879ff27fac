"""SigLIP in this process, on a checkpoint of random weights: what the classifier makes of texts and pictures."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from onelook.engines.zero_shot.build import build_router
from onelook.engines.zero_shot.embedded import EmbeddedSiglip
from onelook.engines.zero_shot.router import SiglipRouter
from onelook.engines.zero_shot.scale import read_logit_scale
from onelook.engines.zero_shot.vectors import Vector
from onelook.errors import EngineIncapable, SettingsError
from onelook.settings.router import RouterSettings
from tools.demo_model.tiny_siglip import build_tiny_siglip, text_tokens

TEXTS = (
    "portrait photo: a person is the main subject",
    "植物照片：画面主体是一株植物或一朵花",
    "document photo: mostly text",
)
PICTURE = Image.linear_gradient("L").resize((300, 200)).convert("RGB")
OTHER = Image.radial_gradient("L").convert("RGB")


class Counting(EmbeddedSiglip):
    """Notes which texts were encoded."""

    def __init__(self, model: Path) -> None:
        super().__init__(str(model), device="cpu", logit_scale=None)
        self.encoded: list[int] = []

    async def encode_texts(self, texts: Sequence[str]) -> list[Vector]:
        self.encoded.append(len(texts))
        return await super().encode_texts(texts)


@pytest.fixture
async def siglip(tiny_siglip: Path) -> AsyncIterator[Counting]:
    encoder = Counting(tiny_siglip)
    yield encoder
    await encoder.aclose()


@pytest.fixture
def router(siglip: Counting, tmp_path: Path) -> SiglipRouter:
    return SiglipRouter(siglip, TEXTS, temperature=1.0, cache=tmp_path)


async def first_run(folder: Path, cache: Path, texts: Sequence[str] = TEXTS) -> tuple[list[int], tuple[float, ...]]:
    """How many texts each request of a fresh process encoded, and what became of the picture."""
    encoder = Counting(folder)
    try:
        return encoder.encoded, await SiglipRouter(encoder, texts, temperature=1.0, cache=cache).classify([PICTURE])
    finally:
        await encoder.aclose()


def kept(cache: Path) -> Path:
    """The one file of a cache."""
    (file,) = cache.iterdir()
    return file


async def test_it_says_what_transformers_says(siglip: Counting, router: SiglipRouter, tiny_siglip: Path) -> None:
    model: Any = AutoModel.from_pretrained(tiny_siglip, dtype="float32")
    pixels = SiglipImageProcessorPil.from_pretrained(tiny_siglip)(images=PICTURE, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        seen = model(input_ids=text_tokens(AutoTokenizer.from_pretrained(tiny_siglip), TEXTS), pixel_values=pixels)
    (picture,), texts = await siglip.encode_pictures([PICTURE]), await siglip.encode_texts(TEXTS)
    assert picture == pytest.approx(seen.image_embeds[0].tolist(), abs=1e-5)
    for text, expected in zip(texts, seen.text_embeds.tolist(), strict=True):
        assert text == pytest.approx(expected, abs=1e-5)
    probabilities = seen.logits_per_image[0].softmax(-1).tolist()
    assert await router.classify([PICTURE]) == pytest.approx(probabilities, abs=1e-4)


async def test_temperature_flattens_the_choice_and_keeps_its_order(siglip: Counting, tmp_path: Path) -> None:
    def at(temperature: float) -> SiglipRouter:
        return SiglipRouter(siglip, TEXTS, temperature=temperature, cache=tmp_path)

    sharp, plain, flat = [await at(temperature).classify([PICTURE]) for temperature in (0.1, 1.0, 10.0)]
    assert max(sharp) > max(plain) > max(flat)
    assert sharp.index(max(sharp)) == plain.index(max(plain)) == flat.index(max(flat))


async def test_grey_and_transparent_pictures_are_seen(router: SiglipRouter) -> None:
    coloured = await router.classify([PICTURE])
    assert await router.classify([PICTURE.convert("L")]) == pytest.approx(coloured)
    assert await router.classify([PICTURE.convert("RGBA")]) == pytest.approx(coloured)


async def test_several_pictures_count_alike_and_in_any_order(router: SiglipRouter) -> None:
    one, other = await router.classify([PICTURE]), await router.classify([OTHER])
    both = await router.classify([PICTURE, OTHER])
    assert both == pytest.approx(await router.classify([OTHER, PICTURE]))
    assert both not in (one, other)
    assert await router.classify([PICTURE, PICTURE]) == pytest.approx(one)


async def test_texts_are_encoded_once_and_kept_for_the_next_start(tiny_siglip: Path, tmp_path: Path) -> None:
    encoded, first = await first_run(tiny_siglip, tmp_path)
    assert encoded == [len(TEXTS)]
    encoded, again = await first_run(tiny_siglip, tmp_path)
    assert encoded == [1]  # the one that tells whether the weights are still the same
    assert again == pytest.approx(first)


async def test_other_texts_and_other_weights_are_encoded_anew(tiny_siglip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_siglip, folder)
    await first_run(folder, tmp_path)
    assert (await first_run(folder, tmp_path, TEXTS[::-1]))[0] == [len(TEXTS)]
    shutil.rmtree(folder)
    build_tiny_siglip(folder, seed=1)
    assert (await first_run(folder, tmp_path))[0] == [len(TEXTS)]


@pytest.mark.parametrize(
    "content", [b"", b"[", b"[[0.1, 0.2]]", b'[["a"]]', b"[[0,0],[0,0],[0,0]]", b"[[1],[1,2],[1]]"]
)
async def test_a_broken_cache_is_made_again(content: bytes, tiny_siglip: Path, tmp_path: Path) -> None:
    _, good = await first_run(tiny_siglip, tmp_path)
    file = kept(tmp_path)
    file.write_bytes(content)
    encoded, again = await first_run(tiny_siglip, tmp_path)
    assert encoded == [len(TEXTS)]
    assert again == pytest.approx(good)
    assert len(json.loads(file.read_bytes())) == len(TEXTS)


async def test_a_folder_that_cannot_be_written_keeps_nothing(tiny_siglip: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    encoded, _ = await first_run(tiny_siglip, tmp_path / "file" / "texts")
    assert encoded == [len(TEXTS)]


async def test_many_at_once_encode_the_texts_once(router: SiglipRouter, siglip: Counting) -> None:
    answers = await asyncio.gather(*(router.classify([PICTURE]) for _ in range(8)))
    assert siglip.encoded == [len(TEXTS)]
    assert len(set(answers)) == 1


async def test_capitals_do_not_count(siglip: Counting) -> None:
    small, capital = await siglip.encode_texts(["mostly text", "Mostly TEXT"])
    assert small == pytest.approx(capital)


async def test_a_text_that_would_be_cut_off_is_refused(tiny_siglip: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"reads 64 tokens, and this text has [0-9]+: 'a very long"):
        await first_run(tiny_siglip, tmp_path, ["a very long sentence " * 30])


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "preprocessor_config.json"])
async def test_a_folder_that_lacks_a_file_is_reported(name: str, tiny_siglip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_siglip, folder)
    (folder / name).unlink()
    with pytest.raises(EngineIncapable, match=str(folder)) as raised:
        await first_run(folder, tmp_path)
    assert raised.value.hint


async def test_another_architecture_is_refused(tiny_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineIncapable, match="holds a qwen2_5_vl model"):
        await first_run(tiny_checkpoint, tmp_path)


async def test_a_model_that_is_not_here_says_what_to_set() -> None:
    router = build_router(RouterSettings(), TEXTS)
    with pytest.raises(EngineIncapable, match="google/siglip-so400m-patch14-384") as raised:
        await router.start()
    assert raised.value.hint is not None
    for way_out in ("onelook pull google/siglip", "ONELOOK_ROUTER__MODEL", "ONELOOK_ROUTER__ENGINE=vllm"):
        assert way_out in raised.value.hint
    (finding,) = await router.probe()
    assert (finding.ok, finding.hint) == (False, raised.value.hint)
    await router.aclose()


async def test_a_good_one_is_found_good(router: SiglipRouter) -> None:
    (finding,) = await router.probe()
    assert finding.ok
    assert "3 texts" in finding.detail


def test_the_scale_is_read_without_loading_the_weights(tiny_siglip: Path, tmp_path: Path) -> None:
    assert read_logit_scale(tiny_siglip) == pytest.approx(10, rel=0.01)  # the paper's, in bfloat16
    tensors = load_file(tiny_siglip / "model.safetensors")
    for dtype in (torch.float32, torch.float16):
        save_file({"logit_scale": tensors["logit_scale"].to(dtype)}, tmp_path / "model.safetensors")
        assert read_logit_scale(tmp_path) == pytest.approx(10, rel=0.01)
    save_file({"other": tensors["logit_scale"]}, tmp_path / "model.safetensors")
    assert read_logit_scale(tmp_path) is None
    (tmp_path / "model.safetensors").write_bytes(b"short")
    assert read_logit_scale(tmp_path) is None
    (tmp_path / "model.safetensors").unlink()
    assert read_logit_scale(tmp_path) is None


def test_loading_and_looking_print_nothing(tiny_siglip: Path, tmp_path: Path) -> None:
    program = f"""
import asyncio
from pathlib import Path
from PIL import Image
from onelook.engines.zero_shot.build import build_router
from onelook.settings.router import RouterSettings
async def main():
    router = build_router(RouterSettings(model={str(tiny_siglip)!r}), ["a", "b"])
    await router.classify([Image.new("RGB", (9, 9))])
    await router.aclose()
asyncio.run(main())
"""
    environment = {"PATH": "", "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert (done.stdout, done.stderr) == ("", "")


def test_without_pytorch_it_says_what_to_install(tiny_siglip: Path) -> None:
    program = f"""
import sys
sys.modules["torch"] = None
import asyncio
from onelook.engines.zero_shot.build import build_router
from onelook.errors import EngineIncapable
from onelook.settings.router import RouterSettings
async def main():
    try:
        await build_router(RouterSettings(model={str(tiny_siglip)!r}), ["a", "b"]).start()
    except EngineIncapable as error:
        print(error.message, "|", error.hint)
asyncio.run(main())
"""
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "needs the package torch" in printed
    assert "onelook[embedded]" in printed
