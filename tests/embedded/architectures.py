"""Checkpoints of random weights in architectures other than the demo's, around its tokenizer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import AutoConfig, AutoModelForImageTextToText, AutoTokenizer, LlavaProcessor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from onelook.engines.transformers.generation import Generator


class MakeGenerator(Protocol):
    """A generator of an architecture, with so many bytes for the states of prefixes and for encoded pictures."""

    def __call__(self, architecture: str, prefix_cache_bytes: int, vision_cache_bytes: int = 0, /) -> Generator: ...


MROPE = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]}


def build_qwen2_5_vl(tiny: Path, folder: Path) -> None:
    """The demo's own."""
    shutil.copytree(tiny, folder)


def build_qwen2_vl(tiny: Path, folder: Path) -> None:
    """Qwen2-VL: the positions of Qwen2.5-VL, another vision encoder."""
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    _copy_processor(tiny, folder)
    _save_random(
        folder,
        "qwen2_vl",
        text_config=_text(len(tokenizer)) | {"rope_parameters": MROPE},
        vision_config={"depth": 2, "embed_dim": 64, "hidden_size": 128, "num_heads": 4, "mlp_ratio": 2},
        **_token_ids(tokenizer.get_vocab()),
    )


def build_qwen3_vl(tiny: Path, folder: Path) -> None:
    """Qwen3-VL: features of the deeper vision layers enter the first text layers."""
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    _copy_processor(tiny, folder)
    _save_random(
        folder,
        "qwen3_vl",
        text_config=_text(len(tokenizer)) | {"head_dim": 32, "rope_parameters": MROPE},
        vision_config={
            "depth": 3,
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_heads": 4,
            "out_hidden_size": 128,
            "patch_size": 14,
            "deepstack_visual_indexes": [1, 2],
            "num_position_embeddings": 256,
        },
        **_token_ids(tokenizer.get_vocab()),
    )


def build_llava(tiny: Path, folder: Path) -> None:
    """LLaVA: pictures of one size through CLIP, and plain positions."""
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    template = (tiny / "chat_template.jinja").read_text(encoding="utf-8")
    LlavaProcessor(
        CLIPImageProcessorPil(size={"shortest_edge": 112}, crop_size={"height": 112, "width": 112}),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        image_token="<|image_pad|>",
        num_additional_image_tokens=1,
        chat_template=template.replace("<|vision_start|><|image_pad|><|vision_end|>", "<|image_pad|>"),
    ).save_pretrained(folder)
    vision = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4}
    _save_random(
        folder,
        "llava",
        text_config=_text(len(tokenizer)) | {"model_type": "llama"},
        vision_config=vision | {"model_type": "clip_vision_model", "image_size": 112, "patch_size": 14},
        image_token_id=tokenizer.get_vocab()["<|image_pad|>"],
        image_seq_length=64,
    )


ARCHITECTURES: dict[str, Callable[[Path, Path], None]] = {
    "qwen2_5_vl": build_qwen2_5_vl,
    "qwen2_vl": build_qwen2_vl,
    "qwen3_vl": build_qwen3_vl,
    "llava": build_llava,
}


def _copy_processor(tiny: Path, folder: Path) -> None:
    shutil.copytree(
        tiny, folder, ignore=shutil.ignore_patterns("config.json", "generation_config.json", "*.safetensors")
    )


def _save_random(folder: Path, model_type: str, **config: Any) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        AutoModelForImageTextToText.from_config(AutoConfig.for_model(model_type, **config)).save_pretrained(folder)


def _text(vocabulary: int) -> dict[str, Any]:
    return {
        "vocab_size": vocabulary,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "initializer_range": 0.09,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }


def _token_ids(vocabulary: dict[str, int]) -> dict[str, int]:
    return {
        "image_token_id": vocabulary["<|image_pad|>"],
        "video_token_id": vocabulary["<|video_pad|>"],
        "vision_start_token_id": vocabulary["<|vision_start|>"],
        "vision_end_token_id": vocabulary["<|vision_end|>"],
    }
