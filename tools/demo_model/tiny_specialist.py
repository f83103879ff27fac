"""A Pixtral checkpoint of 1.5 million weights, with a higher resolution than the demo model."""

from __future__ import annotations

import copy
from pathlib import Path

from transformers import GenerationConfig, LlavaConfig, LlavaForConditionalGeneration, Qwen2Tokenizer
from transformers.models.pixtral.image_processing_pil_pixtral import PixtralImageProcessorPil

from onelook.engines.transformers.loading import no_progress_bars
from onelook.engines.transformers.pixtral import pixtral_processor
from tools.demo_model.tiny import CHAT_TEMPLATE

PATCH = 25
LONG_EDGE = 800
"""In pixels: 32 patches. The demo model has 28 patches of 14 pixels on a square picture."""

IMAGE, BREAK, END = "<|image_pad|>", "<|vision_pad|>", "<|vision_end|>"
"""Tokens for a patch, for the end of a row, and for the end of the last row."""


def specialist_tokenizer(tokenizer: Qwen2Tokenizer) -> Qwen2Tokenizer:
    """The demo model's vocabulary, with a chat template that has one token per picture, for Pixtral's processor."""
    own = copy.deepcopy(tokenizer)
    template = CHAT_TEMPLATE.read_text(encoding="utf-8")
    own.chat_template = template.replace("<|vision_start|><|image_pad|><|vision_end|>", IMAGE)
    return own


def specialist_config(tokenizer: Qwen2Tokenizer) -> LlavaConfig:
    """Vision 4 layers of 128 as in the demo model, on patches of 25 pixels; text 2 layers of 128."""
    width = 128
    token_id = tokenizer.get_vocab().__getitem__
    return LlavaConfig(
        vision_config={
            "model_type": "pixtral",
            "hidden_size": width,
            "intermediate_size": 320,
            "num_hidden_layers": 4,
            "num_attention_heads": 2,
            "patch_size": PATCH,
            "image_size": LONG_EDGE,
            "hidden_act": "silu",
            "initializer_range": width**-0.5,
        },
        text_config={
            "model_type": "mistral",
            "vocab_size": len(tokenizer),
            "hidden_size": width,
            "intermediate_size": 256,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 64,
            "sliding_window": None,
            "max_position_embeddings": 8192,
            "initializer_range": width**-0.5,
            "tie_word_embeddings": True,
            "bos_token_id": token_id("<|endoftext|>"),
            "eos_token_id": token_id("<|im_end|>"),
            "pad_token_id": token_id("<|endoftext|>"),
        },
        image_token_index=token_id(IMAGE),
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        projector_hidden_act="gelu",
        tie_word_embeddings=True,
    )


def save_specialist(folder: Path, model: LlavaForConditionalGeneration, tokenizer: Qwen2Tokenizer) -> None:
    """Write weights, processor, tokenizer and chat template; Transformers and vLLM load the folder."""
    processor = pixtral_processor()(
        PixtralImageProcessorPil(size={"longest_edge": LONG_EDGE}, patch_size={"height": PATCH, "width": PATCH}),
        tokenizer,
        patch_size=PATCH,
        chat_template=tokenizer.chat_template,
        image_token=IMAGE,
        image_break_token=BREAK,
        image_end_token=END,
    )
    processor.save_pretrained(folder)
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    with no_progress_bars():
        model.save_pretrained(folder)
