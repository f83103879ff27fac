"""A SigLIP checkpoint of 1.3 million weights, for the same pictures as the demo's vision-language model."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import typer
from huggingface_hub import ModelCard, ModelCardData
from transformers import Qwen2Tokenizer, SiglipConfig, SiglipModel
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from onelook.engines.transformers.loading import no_progress_bars
from tools.demo_model.tiny import RANDOM_WEIGHTS, prompt_texts, train_tokenizer

SIDE = 224
TEXT_TOKENS = 64
"""Every text is padded to this length, as SigLIP was trained (Zhai et al. 2023, arXiv 2303.15343)."""

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- for part in message.content if part.type == 'text' -%}{{- part.text -}}{%- endfor -%}"
    "{%- endfor -%}"
)
"""A vLLM server gets a picture as a chat message, and SigLIP takes no text with it: only text parts are printed."""

INITIAL_SCALE, INITIAL_BIAS = 10.0, -10.0  # the paper's, section 3.2


def tiny_siglip_config(tokenizer: Qwen2Tokenizer) -> SiglipConfig:
    """SigLIP at 1.3 million parameters: vision 4 layers of 128 on 14 x 14 patches, text 2 layers of 128.

    Heads have width 64, for which vLLM has kernels on every device. Both towers end in vectors of 128 numbers,
    because SigLIP's vision tower has no projection after its pooling head.
    """
    width = 128
    tower = {"hidden_size": width, "intermediate_size": 2 * width, "num_attention_heads": width // 64}
    token_id = tokenizer.get_vocab().__getitem__
    return SiglipConfig(
        text_config={
            **tower,
            "num_hidden_layers": 2,
            "projection_size": width,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": TEXT_TOKENS,
            "pad_token_id": token_id("<|endoftext|>"),
            "bos_token_id": token_id("<|endoftext|>"),
            "eos_token_id": token_id("<|im_end|>"),
        },
        vision_config={**tower, "num_hidden_layers": 4, "image_size": SIDE, "patch_size": 16},
    )


def new_siglip(tokenizer: Qwen2Tokenizer) -> SiglipModel:
    """The model with random weights, and with the initial scale and bias of SigLIP's training."""
    model = SiglipModel(tiny_siglip_config(tokenizer))
    with torch.no_grad():
        model.logit_scale.fill_(math.log(INITIAL_SCALE))
        model.logit_bias.fill_(INITIAL_BIAS)
    return model


def text_tokens(tokenizer: Any, texts: Iterable[str]) -> torch.Tensor:
    """The token ids of `texts` for SigLIP, [texts, 64]: padded or truncated to that length."""
    encoded = tokenizer(list(texts), padding="max_length", truncation=True, max_length=TEXT_TOKENS, return_tensors="pt")
    ids: torch.Tensor = encoded["input_ids"]
    return ids


def save_siglip(folder: Path, model: SiglipModel, tokenizer: Qwen2Tokenizer) -> None:
    """Write weights (bfloat16), picture processor and tokenizer; Transformers and vLLM load the folder."""
    own = copy.deepcopy(tokenizer)
    own.model_max_length = TEXT_TOKENS
    own.chat_template = CHAT_TEMPLATE
    own.save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    half: Any = model
    with no_progress_bars():
        half.to(torch.bfloat16).save_pretrained(folder)


def build_tiny_siglip(folder: Path, *, seed: int = 0) -> Path:
    """Write a checkpoint of random weights, the same for the same `seed`, and return `folder`."""
    tokenizer = train_tokenizer(prompt_texts())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = new_siglip(tokenizer)
    save_siglip(folder, model, tokenizer)
    data = ModelCardData(license="apache-2.0", pipeline_tag="zero-shot-image-classification", tags=[RANDOM_WEIGHTS])
    card = f"---\n{data.to_yaml()}\n---\n\nRandom weights (seed {seed}): the replies of this model are meaningless.\n"
    ModelCard(card).save(folder / "README.md")
    return folder


def main(folder: Path, seed: int = 0) -> None:
    """Write a checkpoint of random weights into FOLDER."""
    typer.echo(build_tiny_siglip(folder, seed=seed))


if __name__ == "__main__":
    typer.run(main)
