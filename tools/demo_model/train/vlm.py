"""The two training stages of the vision-language model, with their sizes, steps and learning rates."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor, nn
from transformers import AutoModelForImageTextToText, Qwen2Tokenizer

from onelook.prompts.questions import Prompts
from onelook.types import Language
from tools.demo_model.tiny import tiny_config
from tools.demo_model.train.attention import GROUPED_BF16
from tools.demo_model.train.batches import Batch, Batches
from tools.demo_model.train.loop import Plan, scheduled, train
from tools.demo_model.train.prompt_sampler import PromptSampler
from tools.demo_model.train.sft import SftSetup, sft_share
from tools.demo_model.train.tower import SIDE, encode
from tools.demo_model.train.vision_pretrain import Heads, Hit, pretrain_loss, slots

FEWEST_IMAGE_TOKENS, MOST_IMAGE_TOKENS = 144, 196
"""The checkpoint's processor scales pictures between these: 336 x 336 to 392 x 392 pixels, the sizes at the end of
training. Of 60 drawings with fewer pixels than 250 x 250, 48 were right at their own size and 59 when enlarged."""

VISION_PRETRAIN = Plan("vision_pretrain", steps=3600, rate=1.2e-3, shares=2)
SFT = Plan("sft", steps=1800, rate=1e-3, shares=2)
HEADS_AGAIN = Plan("heads_again", steps=150, rate=1.2e-3, shares=2)
SFT_AGAIN = Plan("sft_again", steps=800, rate=6e-4, shares=2)
"""The last two are for a model that continues. Its heads are new: they are trained alone before the vision tower."""

BATCH = {"vision_pretrain": 14, "sft": 12}  # pictures per share of a step

VISION_PRETRAIN_TOKENS = ((0.25, (64, 80, 100)), (0.6, (100, 144)), (1.0, (144, 196)))
SFT_TOKENS = ((0.5, (100, 144)), (1.0, (144, 196)))
AGAIN_TOKENS = ((1.0, (144, 196)),)
"""Numbers of image tokens, each until that share of the stage. Small pictures come first: they cost less time."""

FROZEN_VISION_SHARE = 0.8
"""Share of the fine-tuning in which the vision tower is frozen; 0 for a model that continues."""

TIMES: Mapping[str, int] = {"portrait": 2, "animal": 2, "food": 2, "document": 2, "diagram": 3}
"""Sampling weight of the categories with difficult details; the others have 1."""


class VlmWithHeads(nn.Module):
    """The model, and classifier heads on its vision tower for an auxiliary loss."""

    def __init__(self, prompts: Mapping[Language, Prompts], tokenizer: Qwen2Tokenizer, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        config = tiny_config(tokenizer)
        attention = {"text_config": GROUPED_BF16}
        self.network = AutoModelForImageTextToText.from_config(
            config, dtype=torch.float32, attn_implementation=attention
        )
        self.visual = self.network.model.visual
        # Both frames are equal and pixels are correlated: unscaled, the first layer would dominate the residual stream.
        self.visual.patch_embed.proj.weight.data.mul_(0.25)
        taxonomy = next(iter(prompts.values())).taxonomy
        text: Any = config.text_config
        self.heads = Heads(slots(taxonomy), text.hidden_size)


def pretrain_vision(trained: VlmWithHeads, batches: Batches, folder: Path, *, plan: Plan, console: Console) -> None:
    """First stage: vision tower and heads, on pictures and their labels."""

    def share(rng: random.Random, progress: float) -> tuple[Tensor, Sequence[Hit]]:
        batch = batches.draw(rng, BATCH["vision_pretrain"], rng.choice(scheduled(VISION_PRETRAIN_TOKENS, progress)))
        return pretrain_loss(trained.heads, encode(trained.visual, batch.images), batch, SIDE)

    module = nn.ModuleDict({"visual": trained.visual, "heads": trained.heads})
    train(plan, module, share, folder, console=console)


def train_heads(trained: VlmWithHeads, batches: Batches, folder: Path, *, plan: Plan, console: Console) -> None:
    """The heads alone, on the output of a trained vision tower."""

    def share(rng: random.Random, progress: float) -> tuple[Tensor, Sequence[Hit]]:
        batch = batches.draw(rng, BATCH["vision_pretrain"], rng.choice(scheduled(AGAIN_TOKENS, progress)))
        with torch.no_grad():
            seen = encode(trained.visual, batch.images)
        return pretrain_loss(trained.heads, seen, batch, SIDE)

    train(plan, trained.heads, share, folder, console=console)


def finetune(
    trained: VlmWithHeads,
    sampler: PromptSampler,
    batches: Batches,
    folder: Path,
    *,
    plan: Plan,
    again: bool,
    console: Console,
) -> None:
    """Second stage: the whole model on the project's prompts, with the heads as an auxiliary loss for the tower.
    `again`: the model continues from a checkpoint."""
    tokens = AGAIN_TOKENS if again else SFT_TOKENS

    def draw(rng: random.Random, progress: float, category: str | None) -> Batch:
        return batches.draw(rng, BATCH["sft"], rng.choice(scheduled(tokens, progress)), category)

    setup = SftSetup(
        trained.network,
        trained.heads,
        SIDE,
        encode=partial(encode, trained.visual),
        lay_out=lambda pictures, _: pictures,
        draw=draw,
        detail_categories=sampler.with_details,
        frozen_vision_share=0.0 if again else FROZEN_VISION_SHARE,
    )
    vision = [*trained.visual.parameters(), *trained.heads.parameters()]
    train(plan, trained, partial(sft_share, setup, sampler), folder, console=console, slow=vision)
