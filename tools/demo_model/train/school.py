"""Each model's way through its stages, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import torch
from rich.console import Console
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2Tokenizer

from onelook.demo.checkpoint import Training, read_training
from onelook.engines.transformers.loading import no_progress_bars
from onelook.prompts.questions import Prompts
from onelook.prompts.zero_shot import zero_shot_version
from onelook.types import Language
from tools.demo_model.tiny import save_checkpoint, train_tokenizer
from tools.demo_model.tiny_siglip import new_siglip, save_siglip
from tools.demo_model.tiny_specialist import LONG_EDGE, save_specialist, specialist_tokenizer
from tools.demo_model.train import siglip, specialist, vlm
from tools.demo_model.train.batches import Batches
from tools.demo_model.train.lessons import VOCABULARY, Teacher, tokenizer_texts
from tools.demo_model.train.loop import Plan
from tools.demo_model.train.pictures import Size, load_pictures
from tools.demo_model.train.save import take_weights, write_checkpoint
from tools.demo_model.train.tower import SIDE


@dataclass(frozen=True)
class School:
    """What all models are trained with. `start`: checkpoints to go on from, None to begin with random weights;
    `drawn`: where the drawings are kept; `work`: where the state of an unfinished training is."""

    start: Path | None
    drawn: Path
    work: Path
    out: Path
    numbers: range
    effort: float
    seed: int
    prompts: Mapping[Language, Prompts]
    console: Console

    @cached_property
    def small(self) -> Size:
        """The drawings as the vlm and the router see them."""
        return Size(self.drawn / "pictures", vlm.MOST_IMAGE_TOKENS * SIDE**2)

    @cached_property
    def large(self) -> Size:
        """What the specialist is taught, at its resolution."""
        return Size(self.drawn / "large", LONG_EDGE**2, specialist.taught)

    def tokenizer(self, name: str) -> Qwen2Tokenizer:
        """That of the checkpoint from which the model `name` goes on, or a new one made from the prompts."""
        if self.start is None:
            return train_tokenizer(tokenizer_texts(self.prompts.values()), VOCABULARY)
        tokenizer: Qwen2Tokenizer = Qwen2Tokenizer.from_pretrained(self.start / name)
        return tokenizer

    def plan(self, plan: Plan) -> Plan:
        return replace(plan, steps=max(1, round(plan.steps * self.effort)), seed=self.seed)

    def training(self, name: str, *plans: Plan, hashes: Mapping[Language, str] | None = None) -> Training:
        """What is known of the model `name` after these plans, and after those of the checkpoint before."""
        earlier = read_training(self.start / name) if self.start else None
        steps = dict(earlier.steps) if earlier else {}
        for plan in plans:
            steps[plan.name] = steps.get(plan.name, 0) + plan.steps
        return Training(
            pictures=len(self.numbers) + (earlier.pictures if earlier else 0),
            seed=self.seed,
            steps=steps,
            prompts=dict(hashes or {language: each.version for language, each in self.prompts.items()}),
        )


def train_vlm(school: School) -> None:
    """Sight, then speech."""
    tokenizer = school.tokenizer("vlm")
    pupil = vlm.Pupil(school.prompts, tokenizer, school.seed)
    batches = Batches(load_pictures(school.small, school.numbers), vlm.TIMES)
    if school.start:
        take_weights(pupil.model, school.start / "vlm")
        sight, speech = school.plan(vlm.HEADS_AGAIN), school.plan(vlm.SPEECH_AGAIN)
        vlm.learn_to_point(pupil, batches, school.work, plan=sight, console=school.console)
    else:
        sight, speech = school.plan(vlm.SIGHT), school.plan(vlm.SPEECH)
        vlm.learn_to_see(pupil, batches, school.work, plan=sight, console=school.console)
    vlm.learn_to_answer(
        pupil,
        Teacher(school.prompts, tokenizer),
        batches,
        school.work,
        plan=speech,
        again=school.start is not None,
        console=school.console,
    )
    save = partial(
        save_checkpoint,
        tokenizer=tokenizer,
        fewest_image_tokens=vlm.FEWEST_IMAGE_TOKENS,
        most_image_tokens=vlm.MOST_IMAGE_TOKENS,
    )
    write_checkpoint(school.out / "vlm", "vlm", pupil.model, school.training("vlm", sight, speech), save)


def train_siglip(school: School) -> None:
    """Pictures and texts, matched."""
    tokenizer = school.tokenizer("siglip")
    torch.manual_seed(school.seed)
    model = new_siglip(tokenizer)
    if school.start:
        take_weights(model, school.start / "siglip")
    texts = {language: each.zero_shot() for language, each in school.prompts.items()}
    batches = Batches(load_pictures(school.small, school.numbers))
    plan = school.plan(siglip.PLAN_AGAIN if school.start else siglip.PLAN)
    siglip.learn_to_match(model, tokenizer, texts, batches, school.work, plan=plan, console=school.console)
    hashes = {language: zero_shot_version(each) for language, each in texts.items()}
    training = school.training("siglip", plan, hashes=hashes)
    write_checkpoint(school.out / "siglip", "siglip", model, training, partial(save_siglip, tokenizer=tokenizer))


def train_specialist(school: School) -> None:
    """Sight, then speech. Without a checkpoint to go on from, it takes over the eyes of the vlm in `out`."""
    tokenizer = specialist_tokenizer(school.tokenizer("specialist"))
    pupil = specialist.Specialist(school.prompts, tokenizer, school.seed)
    batches = Batches(load_pictures(school.large, school.numbers))
    again = school.start is not None
    if school.start:
        take_weights(pupil.model, school.start / "specialist")
        plans = [
            school.plan(each) for each in (specialist.HEADS_AGAIN, specialist.SIGHT_AGAIN, specialist.SPEECH_AGAIN)
        ]
        specialist.learn_to_point(pupil, batches, school.work, plan=plans[0], console=school.console)
    else:
        with no_progress_bars():
            elder = Qwen2_5_VLForConditionalGeneration.from_pretrained(school.out / "vlm", dtype=torch.float32)
        specialist.take_eyes(pupil, elder, batches)
        plans = [school.plan(each) for each in (specialist.SIGHT, specialist.SPEECH)]
    *_, sight, speech = plans
    specialist.learn_to_see(pupil, batches, school.work, plan=sight, again=again, console=school.console)
    specialist.learn_to_answer(
        pupil,
        Teacher(school.prompts, tokenizer, reads=False),  # it is asked to write only: nodes/escalate.py
        batches,
        school.work,
        plan=speech,
        again=again,
        console=school.console,
    )
    training = school.training("specialist", *plans)
    save = partial(save_specialist, tokenizer=tokenizer)
    write_checkpoint(school.out / "specialist", "specialist", pupil.model, training, save)
