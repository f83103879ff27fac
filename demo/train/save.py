"""The trained checkpoint as files, put in its place in one piece."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2Tokenizer

from demo.card import model_card
from demo.checkpoint import TRAINING, Training
from demo.tiny import save_checkpoint
from demo.train.recipe import MOST_IMAGE_TOKENS


def write_checkpoint(
    folder: Path, model: Qwen2_5_VLForConditionalGeneration, tokenizer: Qwen2Tokenizer, training: Training
) -> None:
    """Write weights (bfloat16), processor, tokenizer, chat template, model card and `training.json`.

    What lies in `folder` is replaced only when the new one is whole.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
        new, old = Path(scratch) / "new", Path(scratch) / "old"
        half: Any = model
        save_checkpoint(new, half.to(torch.bfloat16), tokenizer, most_image_tokens=MOST_IMAGE_TOKENS)
        (new / TRAINING).write_text(training.model_dump_json(indent=1) + "\n", encoding="utf-8")
        (new / "README.md").write_text(model_card(training, model), encoding="utf-8")
        if folder.exists():
            shutil.move(folder, old)
        new.rename(folder)
