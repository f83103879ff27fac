"""Writes a trained checkpoint, and loads its weights to continue."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from onelook.demo.checkpoint import TRAINING, Training
from onelook.engines.transformers.loading import no_progress_bars
from tools.demo_model.card import model_card


def write_checkpoint(
    folder: Path, name: str, model: PreTrainedModel, training: Training, save: Callable[[Path, Any], None]
) -> None:
    """Write the model in bfloat16 with `save`, the card of the bundled model `name`, and `training.json`.

    `folder` is replaced when the new checkpoint is complete. The tokenizer's file is written without indentation, which
    halves its size.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
        new, old = Path(scratch) / "new", Path(scratch) / "old"
        new.mkdir()
        half: Any = model
        save(new, half.to(torch.bfloat16))
        vocabulary = str(new / "tokenizer.json")
        Tokenizer.from_file(vocabulary).save(vocabulary, pretty=False)
        (new / TRAINING).write_text(training.model_dump_json(indent=1) + "\n", encoding="utf-8")
        card = model_card(name, training, model.config, model.num_parameters())
        (new / "README.md").write_text(card, encoding="utf-8")
        if folder.exists():
            shutil.move(folder, old)
        new.rename(folder)


def load_weights(model: PreTrainedModel, folder: Path) -> None:
    """Load the weights of the checkpoint in `folder` into `model`, as float32.

    Raises:
        RuntimeError: the checkpoint has another shape or vocabulary.
    """
    with no_progress_bars():
        earlier = type(model).from_pretrained(folder, dtype=torch.float32)
    model.load_state_dict(earlier.state_dict())
