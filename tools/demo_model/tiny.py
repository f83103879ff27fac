"""A vision-language checkpoint of a few million random weights, made in seconds.

It is for tests that do not depend on the content of replies: grammars, logprobs, prefix reuse, timing, servers.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
import typer
from huggingface_hub import ModelCard, ModelCardData
from transformers import (
    AutoModelForImageTextToText,
    GenerationConfig,
    PreTrainedModel,
    Qwen2_5_VLConfig,
    Qwen2Tokenizer,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from onelook.engines.transformers.loading import no_progress_bars

PROMPTS = Path(__file__).parent.parent.parent / "prompts"
CHAT_TEMPLATE = Path(__file__).parent / "chat_template.jinja"
RANDOM_WEIGHTS = "random-weights"
VOCABULARY = 1536

PIXELS_PER_TOKEN = 28 * 28  # patch 14, merged 2 x 2: Qwen2.5-VL technical report, arXiv 2502.13923
FEWEST_IMAGE_TOKENS = 16
MOST_IMAGE_TOKENS = 1024


def prompt_texts() -> list[str]:
    """The bundled prompt templates and taxonomies."""
    files = [*PROMPTS.glob("templates/**/*.j2"), *PROMPTS.glob("taxonomy/*.yaml")]
    return [file.read_text(encoding="utf-8") for file in sorted(files)]


def train_tokenizer(texts: Iterable[str], vocabulary: int = VOCABULARY) -> Qwen2Tokenizer:
    """A byte-level BPE of at most `vocabulary` tokens, with Qwen2's special tokens."""
    tokenizer: Qwen2Tokenizer = Qwen2Tokenizer().train_new_from_iterator(
        texts,
        vocabulary,
        new_special_tokens=[
            "<|im_start|>",
            "<|im_end|>",
            "<|vision_start|>",
            "<|vision_end|>",
            "<|vision_pad|>",
            "<|image_pad|>",
            "<|video_pad|>",
        ],
        show_progress=False,
    )
    tokenizer.eos_token = "<|im_end|>"  # noqa: S105
    tokenizer.chat_template = CHAT_TEMPLATE.read_text(encoding="utf-8")
    return tokenizer


def tiny_config(tokenizer: Qwen2Tokenizer) -> Qwen2_5_VLConfig:
    """Qwen2.5-VL at about 4 million parameters: text 4 layers of 256, vision 4 layers of 128."""
    width, vision_width = 256, 128
    token_id = tokenizer.get_vocab().__getitem__
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": width,
            "intermediate_size": 640,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 4096,
            "initializer_range": width**-0.5,  # keeps the scale of activations, so logits are not flat
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [8, 12, 12]},
            "tie_word_embeddings": True,
            "bos_token_id": token_id("<|endoftext|>"),
            "eos_token_id": token_id("<|im_end|>"),
            "pad_token_id": token_id("<|endoftext|>"),
        },
        vision_config={
            "depth": 4,
            "hidden_size": vision_width,
            "intermediate_size": 320,
            "num_heads": 2,  # of width 64: attention with heads of 32 takes twice the time on a CPU
            "out_hidden_size": width,
            "fullatt_block_indexes": [1, 3],
            "initializer_range": vision_width**-0.5,
        },
        image_token_id=token_id("<|image_pad|>"),
        video_token_id=token_id("<|video_pad|>"),
        vision_start_token_id=token_id("<|vision_start|>"),
        vision_end_token_id=token_id("<|vision_end|>"),
        tie_word_embeddings=True,
    )


def build_tiny_checkpoint(folder: Path, *, texts: Iterable[str] | None = None, seed: int = 0) -> Path:
    """Write the checkpoint in the layout of Hugging Face (bfloat16 safetensors, about 9 MB) and return `folder`.

    The same `texts` (default: the bundled prompts) and `seed` give the same bytes. Both Transformers and vLLM load it.
    """
    tokenizer = train_tokenizer(prompt_texts() if texts is None else texts)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForImageTextToText.from_config(tiny_config(tokenizer), dtype=torch.bfloat16)
    save_checkpoint(folder, model, tokenizer)

    data = ModelCardData(license="apache-2.0", pipeline_tag="image-text-to-text", tags=[RANDOM_WEIGHTS])
    card = f"---\n{data.to_yaml()}\n---\n\nRandom weights (seed {seed}): the replies of this model are meaningless.\n"
    ModelCard(card).save(folder / "README.md")
    return folder


def save_checkpoint(
    folder: Path,
    model: PreTrainedModel,
    tokenizer: Qwen2Tokenizer,
    *,
    fewest_image_tokens: int = FEWEST_IMAGE_TOKENS,
    most_image_tokens: int = MOST_IMAGE_TOKENS,
) -> None:
    """Write the files for Transformers and vLLM; the processor scales pictures to between these numbers of tokens."""
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessorPil(
        min_pixels=fewest_image_tokens * PIXELS_PER_TOKEN, max_pixels=most_image_tokens * PIXELS_PER_TOKEN
    ).save_pretrained(folder)
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    with no_progress_bars():
        model.save_pretrained(folder)


def weights_are_random(folder: Path) -> bool:
    """Whether the model card in `folder` has the tag of random weights."""
    card = folder / "README.md"
    return card.is_file() and RANDOM_WEIGHTS in (ModelCard.load(card).data.tags or ())


def main(folder: Path, seed: int = 0) -> None:
    """Write a checkpoint of random weights into FOLDER."""
    typer.echo(build_tiny_checkpoint(folder, seed=seed))


if __name__ == "__main__":
    typer.run(main)
