"""The specialist learns pages, charts and people at a higher resolution, from what the demo model has learnt to see."""

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
from tools.demo_model.train.attention import SPELLED_OUT
from tools.demo_model.train.batches import Batch, Batches
from tools.demo_model.train.lessons import Teacher
from tools.demo_model.train.loop import Plan, scheduled, train
from tools.demo_model.train.pixtral_tower import encode_patches, inherit
from tools.demo_model.train.sight import Heads, Hit, sight_loss, slots
from tools.demo_model.train.speech import Speaker, answer_share

SIGHT = Plan("specialist_sight", steps=600, rate=8e-4, shares=2)
SPEECH = Plan("specialist_speech", steps=900, rate=1e-3, shares=2)
HEADS_AGAIN = Plan("specialist_heads_again", steps=150, rate=1.2e-3, shares=2)
SIGHT_AGAIN = Plan("specialist_sight_again", steps=1500, rate=8e-4, shares=2)
SPEECH_AGAIN = Plan("specialist_speech_again", steps=500, rate=8e-4, shares=2)
"""The last three: of a model that goes on. Its heads are new, and learn to use its eyes before they teach them."""
BATCH = {"sight": 8, "speech": 10}  # pictures a share of a step

SHARES: Mapping[str, float] = {"document": 0.4, "diagram": 0.33, "portrait": 0.12}
"""Of what it sees; the other categories share the rest, so that it does not take an animal for a page."""


def taught(seed: int) -> bool:
    """Of the album, all pages, charts and portraits, and one in six of the others."""
    return CATEGORIES[seed % len(CATEGORIES)] in SHARES or seed // len(CATEGORIES) % 6 == 0


LONG_EDGES = ((0.3, (500, 600)), (1.0, (700, LONG_EDGE)))
AGAIN_LONG_EDGES = ((1.0, (700, LONG_EDGE)),)
"""Until which share of a stage, which long edges in pixels at most."""

LISTENING = 0.8
"""Share of the stage of speech in which the text model learns alone."""


class Specialist(nn.Module):
    """The model, and classifier heads over what its text model is shown."""

    def __init__(self, prompts: Mapping[Language, Prompts], tokenizer: Qwen2Tokenizer, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        config = specialist_config(tokenizer)
        attention: Any = {"attn_implementation": {"text_config": SPELLED_OUT}}
        self.model = LlavaForConditionalGeneration._from_config(config, dtype=torch.float32, **attention)
        text: Any = config.text_config
        self.heads = Heads(slots(next(iter(prompts.values())).taxonomy), text.hidden_size)
        marks = tokenizer.convert_tokens_to_ids([BREAK, END])
        self.register_buffer("marks", torch.tensor(marks), persistent=False)


def take_eyes(pupil: Specialist, elder: Qwen2_5_VLForConditionalGeneration, batches: Batches) -> None:
    """Take over the demo model's."""
    sample = _batch(batches, random.Random("sample"), LONG_EDGES[0][1], 4)  # noqa: S311
    inherit(pupil.model, elder.model.visual, sample.images)


def learn_to_point(pupil: Specialist, batches: Batches, folder: Path, *, plan: Plan, console: Console) -> None:
    """The heads alone, on what a tower that has learnt already sees."""

    def share(chance: random.Random, progress: float) -> tuple[Tensor, Sequence[Hit]]:
        batch = _batch(batches, chance, scheduled(AGAIN_LONG_EDGES, progress), BATCH["sight"])
        with torch.no_grad():
            seen = encode_patches(pupil.model, batch.images)
        return sight_loss(pupil.heads, seen, batch, PATCH)

    train(plan, pupil.heads, share, folder, console=console)


def learn_to_see(
    pupil: Specialist, batches: Batches, folder: Path, *, plan: Plan, again: bool, console: Console
) -> None:
    """Vision tower and heads, on nothing but pictures and their truth. `again`: it has seen before."""
    long_edges = AGAIN_LONG_EDGES if again else LONG_EDGES

    def share(chance: random.Random, progress: float) -> tuple[Tensor, Sequence[Hit]]:
        batch = _batch(batches, chance, scheduled(long_edges, progress), BATCH["sight"])
        return sight_loss(pupil.heads, encode_patches(pupil.model, batch.images), batch, PATCH)

    train(plan, pupil, share, folder, console=console)


def learn_to_answer(
    pupil: Specialist, teacher: Teacher, batches: Batches, folder: Path, *, plan: Plan, again: bool, console: Console
) -> None:
    """The whole model on the project's prompts; the vision tower joins in at last. `again`: it has answered before,
    and the text model alone goes on."""
    long_edges = AGAIN_LONG_EDGES if again else LONG_EDGES

    def draw(chance: random.Random, progress: float, category: str | None) -> Batch:
        return _batch(batches, chance, scheduled(long_edges, progress), BATCH["speech"], category)

    speaker = Speaker(
        pupil.model,
        pupil.heads,
        PATCH,
        encode=partial(encode_patches, pupil.model),
        lay_out=partial(with_row_ends, pupil),
        draw=draw,
        asked_alone=[id_ for id_ in teacher.with_details if id_ in SHARES],
        listening=1.0 if again else LISTENING,
    )
    eyes = [*pupil.model.model.vision_tower.parameters(), *pupil.heads.parameters()]
    train(plan, pupil, partial(answer_share, speaker, teacher), folder, console=console, slow=eyes)


def with_row_ends(pupil: Specialist, pictures: Tensor, rows: int) -> Tensor:
    """Patches (pictures, rows * columns, width) with a token behind every row, so one more column."""
    embed: Any = pupil.model.get_input_embeddings()
    kinds: Any = pupil.marks
    ends = embed(kinds[[0] * (rows - 1) + [1]])
    marked = torch.cat([pictures.unflatten(1, (rows, -1)), ends[:, None].expand(len(pictures), -1, -1, -1)], dim=2)
    return marked.flatten(1, 2)


def _batch(
    batches: Batches, chance: random.Random, long_edges: Sequence[int], size: int, category: str | None = None
) -> Batch:
    wanted = {category: 1.0} if category else SHARES
    return batches.draw_shares(chance, size, wanted, chance.choice(long_edges), PATCH)
