"""Second stage, supervised fine-tuning: the whole model on the project's prompts about a picture.

The long system prompt, which all pictures of a batch share, is computed once. The targets of a picture follow it,
packed in one row, and are masked from each other, so a reply costs a fraction of what it would cost alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import DynamicCache, LlavaForConditionalGeneration, Qwen2_5_VLForConditionalGeneration

from tools.demo_model.train.batches import Batch
from tools.demo_model.train.prompt_sampler import FAMILIES, Example, PromptSampler, Target
from tools.demo_model.train.vision_pretrain import Heads, Hit, pretrain_loss

IGNORED = -100
TOKENS_A_PICTURE = 8.0
"""Scale of the loss: about the number of tokens in a picture's replies that depend on the picture."""


Model = Qwen2_5_VLForConditionalGeneration | LlavaForConditionalGeneration


@dataclass(frozen=True, slots=True)
class SftSetup:
    """The parts of a model that fine-tuning needs."""

    model: Model
    heads: Heads
    side: int
    """Side of the square that one image token covers, in pixels."""
    encode: Callable[[list[Image.Image]], Tensor]
    """Pictures of one size to (pictures, rows * columns, width)."""
    lay_out: Callable[[Tensor, int], Tensor]
    """From these and the number of rows to the input of the text model, which can have one more token per row."""
    draw: Callable[[random.Random, float, str | None], Batch]
    """A batch from a random generator and the progress (0 to 1), of one category if it is given."""
    detail_categories: Sequence[str]
    """Categories for prompts that ask for the details only."""
    frozen_vision_share: float
    """Share of the stage in which the vision tower is frozen."""


def sft_share(setup: SftSetup, sampler: PromptSampler, rng: random.Random, progress: float) -> tuple[Tensor, list[Hit]]:
    """A share of a step on the project's prompts; with the heads' auxiliary loss while the vision tower is trained."""
    (family,) = rng.choices(list(FAMILIES), list(FAMILIES.values()))
    language = rng.choice(list(sampler.prompts))
    category = rng.choice(setup.detail_categories) if family == "legacy_details" else None
    batch = setup.draw(rng, progress, category)
    vision_trained = progress >= setup.frozen_vision_share
    with torch.set_grad_enabled(vision_trained):
        pictures = setup.encode(batch.images)
    example = sampler.example(family, language, batch.truths, rng)
    rows = batch.images[0].height // setup.side
    loss, right = reply_loss(setup.model, setup.lay_out(pictures, rows), rows, example)
    hits = [Hit(f"reply.{family}.{language}", 0, each) for each in right]
    if not vision_trained:
        return loss, hits
    seen, head_hits = pretrain_loss(setup.heads, pictures, batch, setup.side)
    return loss + 0.5 * seen, [*hits, *head_hits]


def reply_loss(model: Model, pictures: Tensor, rows: int, example: Example) -> tuple[Tensor, list[bool]]:
    """Loss of a picture's replies, and for each reply whether every token of it is the likeliest (sampler-forced).

    `pictures`: (pictures, rows * columns, width), the input of the text model.
    """
    network: Any = model.model.language_model
    embed = network.embed_tokens
    count, seen, _ = pictures.shape
    before = torch.tensor([example.before])
    cache = DynamicCache(config=model.config.get_text_config())
    positions = _positions(model, example.before, rows, seen // rows)
    flat = len(positions) == 1
    shared = len(example.before)
    first = positions[:, None, :shared]
    network(inputs_embeds=embed(before), position_ids=first[0] if flat else first, past_key_values=cache)
    layers: Any = cache.layers
    for layer in layers:
        layer.keys = layer.keys.expand(count, -1, -1, -1)
        layer.values = layer.values.expand(count, -1, -1, -1)

    ids, labels, part, offset = _rows(example.targets)
    places = torch.cat([part.new_zeros(count, seen), part], dim=1)
    after = positions[0, -1] + offset  # as in the model: after the larger side of the picture
    place = torch.cat(
        [positions[:, None, shared : shared + seen].expand(-1, count, -1), after.expand(len(positions), -1, -1)], dim=2
    )
    mask = _mask(places, shared, pictures.dtype)
    hidden = network(
        inputs_embeds=torch.cat([pictures, embed(ids)], dim=1),
        position_ids=place[0] if flat else place,
        attention_mask=mask if flat else {"full_attention": mask},
        past_key_values=cache,
    ).last_hidden_state[:, seen:]

    wanted = labels != IGNORED
    logits = model.lm_head(hidden[wanted])
    losses = cross_entropy(logits, labels[wanted], reduction="sum")
    wrong = torch.zeros_like(wanted)
    wrong[wanted] = logits.argmax(-1) != labels[wanted]
    right = [
        not bool(wrong[row][part[row] == number].any())
        for row, targets in enumerate(example.targets)
        for number in range(1, len(targets) + 1)
    ]
    return losses / (count * TOKENS_A_PICTURE), right


def _positions(model: Model, before: Sequence[int], rows: int, columns: int) -> Tensor:
    """The model's own positions (axes, tokens) of the text before the picture, the picture, and one token after it."""
    if isinstance(model, LlavaForConditionalGeneration):
        return torch.arange(len(before) + rows * columns + 1)[None]
    network: Any = model.model
    image = model.config.image_token_id
    ids = torch.tensor([[*before, *[image] * (rows * columns), before[-1]]])
    vision: Any = model.config.vision_config
    merge = vision.spatial_merge_size
    positions, _ = network.get_rope_index(
        ids,
        image_grid_thw=torch.tensor([[1, rows * merge, columns * merge]]),
        mm_token_type_ids=(ids == image).int(),
    )
    positions = positions[-3:, 0]
    return torch.as_tensor(positions)


def _rows(targets: Sequence[Sequence[Target]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The targets of every picture in one row: token ids, next tokens, number of the target (from 1; -1 is padding) and
    position in the target; each (pictures, tokens)."""
    ids, labels, parts, offsets = [], [], [], []
    for row in targets:
        tokens: list[int] = []
        next_tokens: list[int] = []
        numbers: list[int] = []
        within: list[int] = []
        for number, target in enumerate(row, start=1):
            whole = (*target.question, *target.reply[:-1])
            tokens += whole
            next_tokens += [IGNORED] * (len(target.question) - 1) + list(target.reply)
            numbers += [number] * len(whole)
            within += range(len(whole))
        ids.append(torch.tensor(tokens))
        labels.append(torch.tensor(next_tokens))
        parts.append(torch.tensor(numbers))
        offsets.append(torch.tensor(within))
    pad = torch.nn.utils.rnn.pad_sequence
    return (
        pad(ids, batch_first=True),
        pad(labels, batch_first=True, padding_value=IGNORED),
        pad(parts, batch_first=True, padding_value=-1),
        pad(offsets, batch_first=True),
    )


def _mask(part: Tensor, shared: int, dtype: torch.dtype) -> Tensor:
    """Additive mask (pictures, 1, tokens, shared + tokens): earlier tokens of the picture (0) or of the same target."""
    tokens = part.shape[1]
    earlier = torch.ones(tokens, tokens, dtype=torch.bool).tril()
    visible = earlier & ((part[:, None, :] == 0) | (part[:, None, :] == part[:, :, None]))
    mask = torch.zeros(visible.shape, dtype=dtype).masked_fill(~visible, torch.finfo(dtype).min)
    return torch.cat([mask.new_zeros(len(part), tokens, shared), mask], dim=2)[:, None]
