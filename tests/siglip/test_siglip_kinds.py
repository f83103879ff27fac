"""The other kinds of checkpoint: SigLIP with its own tokenizer, and SigLIP 2 with pictures in their own proportions."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from PIL import Image
from transformers import AutoTokenizer, Siglip2Config, Siglip2Model
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

from onelook.engines.zero_shot.embedded import EmbeddedSiglip
from onelook.engines.zero_shot.router import SiglipRouter
from tools.demo_model.tiny import prompt_texts

END = 1
TEXT = "Portrait photo: a PERSON, the main subject!"


@pytest.fixture
def sentencepiece_siglip(tiny_siglip: Path, tmp_path: Path) -> Path:
    """Laid out like google/siglip-so400m-patch14-384, as far as it is not weights."""
    folder = tmp_path / "sentencepiece"
    folder.mkdir()
    for name in ("config.json", "preprocessor_config.json"):
        shutil.copy(tiny_siglip / name, folder)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter("\n".join(prompt_texts()).splitlines()),
        model_prefix=str(folder / "spiece"),
        vocab_size=600,
        hard_vocab_limit=False,
        eos_id=END,
        unk_id=2,
        pad_id=-1,
        bos_id=-1,
        minloglevel=2,
    )
    words = {"pad_token": "</s>", "eos_token": "</s>", "unk_token": "<unk>", "model_max_length": 64}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "SiglipTokenizer", **words}))
    return folder


def test_siglips_own_tokenizer_pads_with_its_end_token_and_needs_no_pytorch(sentencepiece_siglip: Path) -> None:
    program = f"""
import sys
sys.modules["torch"] = None
import json
from onelook.engines.zero_shot.files import read_files
print(json.dumps(read_files({str(sentencepiece_siglip)!r}, elsewhere="").token_ids([{TEXT!r}, {TEXT.lower()!r}])))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    ids, in_small_letters = json.loads(done.stdout)
    words = sentencepiece.SentencePieceProcessor(model_file=str(sentencepiece_siglip / "spiece.model")).encode(
        "portrait photo a person the main subject"  # punctuation does not count there
    )
    assert ids == in_small_letters == [*words, *[END] * (64 - len(words))]


async def test_siglip_2_looks_at_pictures_in_their_own_proportions(tiny_siglip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "naflex"
    tokenizer = AutoTokenizer.from_pretrained(tiny_siglip)
    tokenizer.save_pretrained(folder)
    tower = {"hidden_size": 64, "intermediate_size": 64, "num_attention_heads": 1, "num_hidden_layers": 1}
    text = {**tower, "vocab_size": len(tokenizer), "projection_size": 64, "bos_token_id": 0, "eos_token_id": 0}
    config = Siglip2Config(text_config={**text, "pad_token_id": 0}, vision_config={**tower, "num_patches": 64})
    model: Any = Siglip2Model(config)
    model.save_pretrained(folder)
    Siglip2ImageProcessorPil(max_num_patches=64).save_pretrained(folder)

    encoder = EmbeddedSiglip(str(folder), device="cpu", logit_scale=30.0)
    router = SiglipRouter(encoder, ["a photo", "a chart"], temperature=1.0, cache=tmp_path)
    wide, tall = [Image.linear_gradient("L").resize(size) for size in ((400, 100), (100, 400))]
    found = [await router.classify(pictures) for pictures in ([wide], [tall], [wide, tall])]
    await router.aclose()
    assert all(sum(probabilities) == pytest.approx(1) for probabilities in found)
    assert found[0] != found[1]
