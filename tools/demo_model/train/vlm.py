"""The vision-language model learns in two stages: to see, then to answer. With their numbers: how large, how long, how
fast."""

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
from tools.demo_model.train.attention import SPELLED_OUT
from tools.demo_model.train.batches import Batch, Batches
from tools.demo_model.train.lessons import Teacher
from tools.demo_model.train.loop import Plan, scheduled, train
from tools.demo_model.train.sight import Heads, Hit, sight_loss, slots
from tools.demo_model.train.speech import Speaker, answer_share
from tools.demo_model.train.tower import SIDE, encode

FEWEST_IMAGE_TOKENS, MOST_IMAGE_TOKENS = 144, 196
"""Between which the checkpoint's processor scales pictures: 336 x 336 to 392 x 392 pixels or their like, the sizes that
training ends with. Of 60 drawings with fewer pixels than 250 x 250, 48 were told right as they came, 59 enlarged so."""

SIGHT = Plan("sight", steps=3600, rate=1.2e-3, shares=2)
SPEECH = Plan("speech", steps=1800, rate=1e-3, shares=2)
HEADS_AGAIN = Plan("heads_again", steps=150, rate=1.2e-3, shares=2)
SPEECH_AGAIN = Plan("speech_again", steps=800, rate=6e-4, shares=2)
"""The last two: of a model that goes on. Its heads are new, and learn to use its eyes before they teach them."""

BATCH = {"sight": 14, "speech": 12}  # pictures a share of a step

SIGHT_TOKENS = ((0.25, (64, 80, 100)), (0.6, (100, 144)), (1.0, (144, 196)))
SPEECH_TOKENS = ((0.5, (100, 144)), (1.0, (144, 196)))
AGAIN_TOKENS = ((1.0, (144, 196)),)
"""Until which share of the stage pictures have which numbers of image tokens: small ones teach most for their time."""

LISTENING = 0.8
"""Share of the stage of speech in which the text model learns alone; a model that goes on learns as a whole."""

TIMES: Mapping[str, int] = {"portrait": 2, "animal": 2, "food": 2, "document": 2, "diagram": 3}
"""How often categories are drawn whose details are hard to tell, beside the others."""


class Pupil(nn.Module):
    """The model and the classifier heads that keep its sight honest."""

    def __init__(self, prompts: Mapping[Language, Prompts], tokenizer: Qwen2Tokenizer, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        config = tiny_config(tokenizer)
        attention = {"text_config": SPELLED_OUT}
        self.model = AutoModelForImageTextToText.from_config(config, dtype=torch.float32, attn_implementation=attention)
        self.visual = self.model.model.visual
        # Two equal frames and correlated pixels: without this the first layer would drown the residual stream.
        self.visual.patch_embed.proj.weight.data.mul_(0.25)
        taxonomy = next(iter(prompts.values())).taxonomy
        text: Any = config.text_config
        self.heads = Heads(slots(taxonomy), text.hidden_size)


def learn_to_see(pupil: Pupil, batches: Batches, folder: Path, *, plan: Plan, console: Console) -> None:
    """First stage: vision tower and heads, on nothing but pictures and their truth."""

    def share(chance: random.Random, progress: float) -> tuple[Tensor, Sequence[Hit]]:
        batch = batches.draw(chance, BATCH["sight"], chance.choice(scheduled(SIGHT_TOKENS, progress)))
        return sight_loss(pupil.heads, encode(pupil.visual, batch.images), batch, SIDE)

    module = nn.ModuleDict({"visual": pupil.visual, "heads": pupil.heads})
    train(plan, module, share, folder, console=console)


def learn_to_point(pupil: Pupil, batches: Batches, folder: Path, *, plan: Plan, console: Console) -> None:
    """The heads alone, on what a tower that has learnt already sees."""

    def share(chance: random.Random, progress: float) -> tuple[Tensor, Sequence[Hit]]:
        batch = batches.draw(chance, BATCH["sight"], chance.choice(scheduled(AGAIN_TOKENS, progress)))
        with torch.no_grad():
            seen = encode(pupil.visual, batch.images)
        return sight_loss(pupil.heads, seen, batch, SIDE)

    train(plan, pupil.heads, share, folder, console=console)


def learn_to_answer(
    pupil: Pupil, teacher: Teacher, batches: Batches, folder: Path, *, plan: Plan, again: bool, console: Console
) -> None:
    """Second stage: the whole model on the project's prompts; the heads go on as a second loss for the tower.
    `again`: it has answered before."""
    tokens = AGAIN_TOKENS if again else SPEECH_TOKENS

    def draw(chance: random.Random, progress: float, category: str | None) -> Batch:
        return batches.draw(chance, BATCH["speech"], chance.choice(scheduled(tokens, progress)), category)

    speaker = Speaker(
        pupil.model,
        pupil.heads,
        SIDE,
        encode=partial(encode, pupil.visual),
        lay_out=lambda pictures, _: pictures,
        draw=draw,
        asked_alone=teacher.with_details,
        listening=0.0 if again else LISTENING,
    )
    eyes = [*pupil.visual.parameters(), *pupil.heads.parameters()]
    train(plan, pupil, partial(answer_share, speaker, teacher), folder, console=console, slow=eyes)
