"""Training of the specialist on pages, charts and people at a higher resolution, from the demo model's vision tower."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration, Qwen2_5_VLForConditionalGeneration, Qwen2Tokenizer

from onelook.prompts.questions import Prompts
from onelook.types import Language
from tools.demo_model.album.truth import CATEGORIES
from tools.demo_model.tiny_specialist import BREAK, END, LONG_EDGE, PATCH, specialist_config
from tools.demo_model.train.attention import GROUPED_BF16
from tools.demo_model.train.batches import Batch, Batches
from tools.demo_model.train.loop import Plan, scheduled, train
from tools.demo_model.train.pixtral_tower import encode_patches, transfer_tower
from tools.demo_model.train.prompt_sampler import PromptSampler
from tools.demo_model.train.sft import SftSetup, sft_share
from tools.demo_model.train.vision_pretrain import Heads, Hit, pretrain_loss, slots

VISION_PRETRAIN = Plan("specialist_vision_pretrain", steps=600, rate=8e-4, shares=2)
SFT = Plan("specialist_sft", steps=900, rate=1e-3, shares=2)
HEADS_AGAIN = Plan("specialist_heads_again", steps=150, rate=1.2e-3, shares=2)
VISION_PRETRAIN_AGAIN = Plan("specialist_vision_pretrain_again", steps=1500, rate=8e-4, shares=2)
SFT_AGAIN = Plan("specialist_sft_again", steps=500, rate=8e-4, shares=2)
"""The last three are for a model that continues. Its heads are new: they are trained before the vision tower."""
BATCH = {"vision_pretrain": 8, "sft": 10}  # pictures per share of a step

SHARES: Mapping[str, float] = {"document": 0.4, "diagram": 0.33, "portrait": 0.12}
"""Shares of the pictures; the other categories share the rest, so that an animal is not taken for a page."""


def is_specialist_seed(seed: int) -> bool:
    """Whether the specialist is trained on this drawing: all pages, charts and portraits, a sixth of the others."""
    return CATEGORIES[seed % len(CATEGORIES)] in SHARES or seed // len(CATEGORIES) % 6 == 0


LONG_EDGES = ((0.3, (500, 600)), (1.0, (700, LONG_EDGE)))
AGAIN_LONG_EDGES = ((1.0, (700, LONG_EDGE)),)
"""Largest long edges in pixels, each until that share of the stage."""

FROZEN_VISION_SHARE = 0.8
"""Share of the fine-tuning in which the vision tower is frozen."""


class SpecialistWithHeads(nn.Module):
    """The model, and classifier heads on the input of its text model."""

    def __init__(self, prompts: Mapping[Language, Prompts], tokenizer: Qwen2Tokenizer, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        config = specialist_config(tokenizer)
        attention: Any = {"attn_implementation": {"text_config": GROUPED_BF16}}
        self.network = LlavaForConditionalGeneration._from_config(config, dtype=torch.float32, **attention)
        text: Any = config.text_config
        self.heads = Heads(slots(next(iter(prompts.values())).taxonomy), text.hidden_size)
        marks = tokenizer.convert_tokens_to_ids([BREAK, END])
        self.register_buffer("marks", torch.tensor(marks), persistent=False)


def take_vision_tower(
    trained: SpecialistWithHeads, donor: Qwen2_5_VLForConditionalGeneration, batches: Batches
) -> None:
    """Start from the vision tower of the demo model."""
    sample = _batch(batches, random.Random("sample"), LONG_EDGES[0][1], 4)  # noqa: S311
    transfer_tower(trained.network, donor.model.visual, sample.images)


def train_heads(trained: SpecialistWithHeads, batches: Batches, folder: Path, *, plan: Plan, console: Console) -> None:
    """The heads alone, on the output of a trained vision tower."""

    def share(rng: random.Random, progress: float) -> tuple[Tensor, Sequence[Hit]]:
        batch = _batch(batches, rng, scheduled(AGAIN_LONG_EDGES, progress), BATCH["vision_pretrain"])
        with torch.no_grad():
            seen = encode_patches(trained.network, batch.images)
        return pretrain_loss(trained.heads, seen, batch, PATCH)

    train(plan, trained.heads, share, folder, console=console)


def pretrain_vision(
    trained: SpecialistWithHeads, batches: Batches, folder: Path, *, plan: Plan, again: bool, console: Console
) -> None:
    """Vision tower and heads, on pictures and their labels. `again`: the model continues from a checkpoint."""
    long_edges = AGAIN_LONG_EDGES if again else LONG_EDGES

    def share(rng: random.Random, progress: float) -> tuple[Tensor, Sequence[Hit]]:
        batch = _batch(batches, rng, scheduled(long_edges, progress), BATCH["vision_pretrain"])
        return pretrain_loss(trained.heads, encode_patches(trained.network, batch.images), batch, PATCH)

    train(plan, trained, share, folder, console=console)


def finetune(
    trained: SpecialistWithHeads,
    sampler: PromptSampler,
    batches: Batches,
    folder: Path,
    *,
    plan: Plan,
    again: bool,
    console: Console,
) -> None:
    """The whole model on the project's prompts; the vision tower is trained at the end only. `again`: the model
    continues from a checkpoint, and the vision tower stays frozen."""
    long_edges = AGAIN_LONG_EDGES if again else LONG_EDGES

    def draw(rng: random.Random, progress: float, category: str | None) -> Batch:
        return _batch(batches, rng, scheduled(long_edges, progress), BATCH["sft"], category)

    setup = SftSetup(
        trained.network,
        trained.heads,
        PATCH,
        encode=partial(encode_patches, trained.network),
        lay_out=partial(with_row_ends, trained),
        draw=draw,
        detail_categories=[id_ for id_ in sampler.with_details if id_ in SHARES],
        frozen_vision_share=1.0 if again else FROZEN_VISION_SHARE,
    )
    vision = [*trained.network.model.vision_tower.parameters(), *trained.heads.parameters()]
    train(plan, trained, partial(sft_share, setup, sampler), folder, console=console, slow=vision)


def with_row_ends(trained: SpecialistWithHeads, pictures: Tensor, rows: int) -> Tensor:
    """Patches (pictures, rows * columns, width) with a token after each row, so with one more column."""
    embed: Any = trained.network.get_input_embeddings()
    kinds: Any = trained.marks
    ends = embed(kinds[[0] * (rows - 1) + [1]])
    marked = torch.cat([pictures.unflatten(1, (rows, -1)), ends[:, None].expand(len(pictures), -1, -1, -1)], dim=2)
    return marked.flatten(1, 2)


def _batch(
    batches: Batches, rng: random.Random, long_edges: Sequence[int], size: int, category: str | None = None
) -> Batch:
    wanted = {category: 1.0} if category else SHARES
    return batches.draw_shares(rng, size, wanted, rng.choice(long_edges), PATCH)
