"""Models of real sizes with random weights, made on the device, so that they are there in seconds."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForImageTextToText, SiglipConfig, SiglipModel

from onelook.engines.transformers.loading import Checkpoint, LoadOptions, choose_device
from onelook.engines.transformers.processor import load_processor

# Qwen2.5-VL-7B beside the 3B, from its published config.json; the vision encoder differs in what it hands over.
SIZES_7B = {
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "max_window_layers": 28,
    "layer_types": ["full_attention"] * 28,
    "vocab_size": 152064,
    "tie_word_embeddings": False,
}

# google/siglip-so400m-patch14-384, from its published config.json.
SO400M = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16}


def read_config(folder: Path) -> Any:
    return AutoConfig.from_pretrained(folder, local_files_only=True)


def grown_to_7b(config: Any) -> Any:
    """The sizes of Qwen2.5-VL-7B, from the config of Qwen2.5-VL-3B."""
    grown = copy.deepcopy(config)
    for name, value in SIZES_7B.items():
        setattr(grown.text_config, name, value)
    grown.tie_word_embeddings = False
    grown.vision_config.out_hidden_size = SIZES_7B["hidden_size"]
    return grown


def random_checkpoint(folder: Path, config: Any, options: LoadOptions) -> Checkpoint:
    """A model of `config` with random weights, and the processor in `folder`.

    In `options.dtype`, by default bfloat16 on a GPU and float32 on the CPU, as the embedded engine chooses; attention
    as in `options`, sdpa by default.
    """
    device = choose_device(options.device)
    usual = "float32" if device.type == "cpu" else "bfloat16"
    attention = "sdpa" if options.attention == "auto" else options.attention
    torch.manual_seed(0)
    with device:
        model: Any = AutoModelForImageTextToText.from_config(
            config,
            dtype=getattr(torch, usual if options.dtype == "auto" else options.dtype),
            attn_implementation=attention,
        )
    processor = load_processor(folder, config, min_pixels=options.min_pixels, max_pixels=options.max_pixels)
    return Checkpoint(model.eval().requires_grad_(False), processor)


def save_siglip(source: Path, folder: Path, *, device: torch.device, small: bool) -> Any:
    """Write a SigLIP So400m with random weights to `folder`, with the tokenizer of the small one in `source`.

    `small`: of the sizes in `source`.
    """
    config: Any = SiglipConfig.from_pretrained(source)
    image_processor, size = (source / "preprocessor_config.json").read_text(encoding="utf-8"), 384
    if not small:
        for name, value in SO400M.items():
            setattr(config.text_config, name, value)
            setattr(config.vision_config, name, value)
        config.text_config.projection_size = SO400M["hidden_size"]
        config.text_config.vocab_size = 32000
        config.vision_config.image_size, config.vision_config.patch_size = size, 14
        image_processor = image_processor.replace("224", str(size))
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    with device:
        model: Any = SiglipModel(config)
    model.half().save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((source / name).read_bytes())
    (folder / "preprocessor_config.json").write_text(image_processor, encoding="utf-8")
    return config
