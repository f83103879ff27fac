"""A trained checkpoint as files: put in its place in one piece, and taken up again."""

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
    """Write what `save` writes of the model in bfloat16, the card of the bundled model `name`, and `training.json`.

    What lies in `folder` is replaced only when the new one is whole. The tokenizer's file is written without
    indentation, which is half of it.
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


def take_weights(model: PreTrainedModel, folder: Path) -> None:
    """Give `model` the weights of the checkpoint in `folder`, of the same shape and vocabulary, as float32.

    Raises:
        RuntimeError: it has another shape.
    """
    with no_progress_bars():
        earlier = type(model).from_pretrained(folder, dtype=torch.float32)
    model.load_state_dict(earlier.state_dict())
