"""Second stage: the whole model learns to answer the project's prompts about a picture.

What all pictures of a batch share, the long system prompt, is computed once; each picture's exercises stand behind it
in one row and cannot see each other. A reply's tokens then cost a fraction of what they would cost alone.
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
from tools.demo_model.train.lessons import FAMILIES, Exercise, Lesson, Teacher
from tools.demo_model.train.sight import Heads, Hit, sight_loss

IGNORED = -100
TOKENS_A_PICTURE = 8.0
"""Scale of the loss: about as many tokens of a picture's replies say something that the prompt does not."""


Model = Qwen2_5_VLForConditionalGeneration | LlavaForConditionalGeneration


@dataclass(frozen=True, slots=True)
class Speaker:
    """What of a model this stage must know."""

    model: Model
    heads: Heads
    side: int
    """Pixels across what one image token stands for."""
    encode: Callable[[list[Image.Image]], Tensor]
    """Pictures of one size to (pictures, rows * columns, width)."""
    lay_out: Callable[[Tensor, int], Tensor]
    """These and their number of rows to what the text model reads, which may have a token more a row."""
    draw: Callable[[random.Random, float, str | None], Batch]
    """A batch by chance and progress (0 to 1), of one category if it is named."""
    asked_alone: Sequence[str]
    """Categories about whose details alone it is asked."""
    listening: float
    """Share of the stage in which the text model learns alone, before the tower joins in."""


def answer_share(
    speaker: Speaker, teacher: Teacher, chance: random.Random, progress: float
) -> tuple[Tensor, list[Hit]]:
    """A share of a step on the project's prompts; once the tower joins in, with the heads as a second loss for it."""
    (family,) = chance.choices(list(FAMILIES), list(FAMILIES.values()))
    language = chance.choice(list(teacher.prompts))
    category = chance.choice(speaker.asked_alone) if family == "legacy_details" else None
    batch = speaker.draw(chance, progress, category)
    seeing = progress >= speaker.listening
    with torch.set_grad_enabled(seeing):
        pictures = speaker.encode(batch.images)
    lesson = teacher.lesson(family, language, batch.truths, chance)
    rows = batch.images[0].height // speaker.side
    loss, right = reply_loss(speaker.model, speaker.lay_out(pictures, rows), rows, lesson)
    hits = [Hit(f"reply.{family}.{language}", 0, each) for each in right]
    if not seeing:
        return loss, hits
    seen, told = sight_loss(speaker.heads, pictures, batch, speaker.side)
    return loss + 0.5 * seen, [*hits, *told]


def reply_loss(model: Model, pictures: Tensor, rows: int, lesson: Lesson) -> tuple[Tensor, list[bool]]:
    """Loss of a picture's replies, and for each reply whether every token of it is the likeliest (teacher-forced).

    `pictures`: (pictures, rows * columns, width), as the text model reads them.
    """
    network: Any = model.model.language_model
    embed = network.embed_tokens
    count, seen, _ = pictures.shape
    before = torch.tensor([lesson.before])
    cache = DynamicCache(config=model.config.get_text_config())
    positions = _positions(model, lesson.before, rows, seen // rows)
    flat = len(positions) == 1
    shared = len(lesson.before)
    first = positions[:, None, :shared]
    network(inputs_embeds=embed(before), position_ids=first[0] if flat else first, past_key_values=cache)
    layers: Any = cache.layers
    for layer in layers:
        layer.keys = layer.keys.expand(count, -1, -1, -1)
        layer.values = layer.values.expand(count, -1, -1, -1)

    ids, labels, part, offset = _rows(lesson.exercises)
    places = torch.cat([part.new_zeros(count, seen), part], dim=1)
    after = positions[0, -1] + offset  # as the model does: behind the picture's larger side
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
        for row, exercises in enumerate(lesson.exercises)
        for number in range(1, len(exercises) + 1)
    ]
    return losses / (count * TOKENS_A_PICTURE), right


def _positions(model: Model, before: Sequence[int], rows: int, columns: int) -> Tensor:
    """The model's own positions (axes, tokens) of the text before, the picture, and one token behind it."""
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


def _rows(exercises: Sequence[Sequence[Exercise]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Every picture's exercises one behind the other: token ids, next token to learn, number of the exercise (0 for
    padding is -1), and place within its exercise; each (pictures, tokens)."""
    ids, labels, parts, offsets = [], [], [], []
    for row in exercises:
        tokens: list[int] = []
        targets: list[int] = []
        numbers: list[int] = []
        within: list[int] = []
        for number, exercise in enumerate(row, start=1):
            whole = (*exercise.question, *exercise.reply[:-1])
            tokens += whole
            targets += [IGNORED] * (len(exercise.question) - 1) + list(exercise.reply)
            numbers += [number] * len(whole)
            within += range(len(whole))
        ids.append(torch.tensor(tokens))
        labels.append(torch.tensor(targets))
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
    """Additive mask (pictures, 1, tokens, shared + tokens): what stands earlier in the picture (0) or the same part."""
    tokens = part.shape[1]
    earlier = torch.ones(tokens, tokens, dtype=torch.bool).tril()
    visible = earlier & ((part[:, None, :] == 0) | (part[:, None, :] == part[:, :, None]))
    mask = torch.zeros(visible.shape, dtype=dtype).masked_fill(~visible, torch.finfo(dtype).min)
    return torch.cat([mask.new_zeros(len(part), tokens, shared), mask], dim=2)[:, None]
