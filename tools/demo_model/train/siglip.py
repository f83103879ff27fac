"""Training of the zero-shot classifier: matching pictures with the texts of the categories."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid, normalize
from transformers import Qwen2Tokenizer, SiglipModel

from onelook.types import Language
from tools.demo_model.tiny_siglip import SIDE, text_tokens
from tools.demo_model.train.batches import Batch, Batches
from tools.demo_model.train.loop import Plan, train
from tools.demo_model.train.vision_pretrain import Hit

PLAN = Plan("siglip", steps=2500, rate=1e-3, shares=2)
PLAN_AGAIN = Plan("siglip_again", steps=400, rate=4e-4, shares=2)
"""For a model that continues."""
BATCH = 24  # pictures per share of a step


def train_matching(
    model: SiglipModel,
    tokenizer: Qwen2Tokenizer,
    texts: Mapping[Language, Mapping[str, str]],
    batches: Batches,
    folder: Path,
    *,
    plan: Plan,
    console: Console,
) -> None:
    """Train on the album. `texts`: for each language, the sentence of every category."""
    ids = {language: text_tokens(tokenizer, each.values()) for language, each in texts.items()}
    categories = list(next(iter(texts.values())))

    def share(rng: random.Random, progress: float) -> tuple[Tensor, Sequence[Hit]]:
        batch = batches.draw_squares(rng, BATCH, SIDE)
        language = rng.choice(list(ids))
        target = torch.tensor([categories.index(truth.category) for truth in batch.truths])
        logits = match(model, pixels(batch), ids[language])
        hits = [
            Hit(f"{language}.{truth.category}", row, bool(right))
            for row, (truth, right) in enumerate(zip(batch.truths, logits.argmax(1) == target, strict=True))
        ]
        return matching_loss(logits, model.logit_bias, target), hits

    train(plan, model, share, folder, console=console)


def match(model: SiglipModel, pictures: Tensor, texts: Tensor) -> Tensor:
    """Scaled cosines (pictures, texts) of pictures (pictures, 3, side, side) and token ids (texts, 64)."""
    towers: Any = model
    images = normalize(towers.vision_model(pixel_values=pictures).pooler_output, dim=-1)
    sentences = normalize(towers.text_model(input_ids=texts).pooler_output, dim=-1)
    logits: Tensor = images @ sentences.T * towers.logit_scale.exp()
    return logits


def matching_loss(logits: Tensor, bias: Tensor, target: Tensor) -> Tensor:
    """SigLIP's pairwise sigmoid loss (Zhai et al. 2023, arXiv 2303.15343, section 3.2), plus the cross-entropy of the
    router's choice among the texts."""
    signs = torch.full_like(logits, -1.0).scatter(1, target[:, None], 1.0)
    pairs = -logsigmoid(signs * (logits + bias)).sum(1).mean()
    return pairs + cross_entropy(logits, target)


def pixels(batch: Batch) -> Tensor:
    """The batch's pictures (pictures, 3, side, side) from -1 to 1, as from SigLIP's processor."""
    stacked = torch.from_numpy(np.stack([np.asarray(image) for image in batch.images]))
    return stacked.permute(0, 3, 1, 2).float() / 127.5 - 1
