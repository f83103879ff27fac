"""The training recipe of each model: its stages, and the checkpoint that they produce."""

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
from tools.demo_model.train.loop import Plan
from tools.demo_model.train.pictures import Size, load_pictures
from tools.demo_model.train.prompt_sampler import VOCABULARY, PromptSampler, tokenizer_texts
from tools.demo_model.train.save import load_weights, write_checkpoint
from tools.demo_model.train.tower import SIDE


@dataclass(frozen=True)
class TrainContext:
    """What the training of all models shares. `start`: checkpoints to continue from, None to start from random weights;
    `drawings`: folder of the drawings; `work`: folder for the state of an unfinished training."""

    start: Path | None
    drawings: Path
    work: Path
    out: Path
    numbers: range
    effort: float
    seed: int
    prompts: Mapping[Language, Prompts]
    console: Console

    @cached_property
    def small(self) -> Size:
        """The drawings at the size for the vlm and the router."""
        return Size(self.drawings / "pictures", vlm.MOST_IMAGE_TOKENS * SIDE**2)

    @cached_property
    def large(self) -> Size:
        """The drawings for the specialist, at its resolution."""
        return Size(self.drawings / "large", LONG_EDGE**2, specialist.is_specialist_seed)

    def tokenizer(self, name: str) -> Qwen2Tokenizer:
        """The tokenizer of the checkpoint `name` to continue from, or a new one trained on the prompts."""
        if self.start is None:
            return train_tokenizer(tokenizer_texts(self.prompts.values()), VOCABULARY)
        tokenizer: Qwen2Tokenizer = Qwen2Tokenizer.from_pretrained(self.start / name)
        return tokenizer

    def plan(self, plan: Plan) -> Plan:
        return replace(plan, steps=max(1, round(plan.steps * self.effort)), seed=self.seed)

    def training(self, name: str, *plans: Plan, hashes: Mapping[Language, str] | None = None) -> Training:
        """The record of the model `name` after these plans, added to that of the checkpoint it continues from."""
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


def train_vlm(context: TrainContext) -> None:
    """Vision pretraining, then supervised fine-tuning."""
    tokenizer = context.tokenizer("vlm")
    trained = vlm.VlmWithHeads(context.prompts, tokenizer, context.seed)
    batches = Batches(load_pictures(context.small, context.numbers), vlm.TIMES)
    if context.start:
        load_weights(trained.network, context.start / "vlm")
        pretrain, sft = context.plan(vlm.HEADS_AGAIN), context.plan(vlm.SFT_AGAIN)
        vlm.train_heads(trained, batches, context.work, plan=pretrain, console=context.console)
    else:
        pretrain, sft = context.plan(vlm.VISION_PRETRAIN), context.plan(vlm.SFT)
        vlm.pretrain_vision(trained, batches, context.work, plan=pretrain, console=context.console)
    vlm.finetune(
        trained,
        PromptSampler(context.prompts, tokenizer),
        batches,
        context.work,
        plan=sft,
        again=context.start is not None,
        console=context.console,
    )
    save = partial(
        save_checkpoint,
        tokenizer=tokenizer,
        fewest_image_tokens=vlm.FEWEST_IMAGE_TOKENS,
        most_image_tokens=vlm.MOST_IMAGE_TOKENS,
    )
    write_checkpoint(context.out / "vlm", "vlm", trained.network, context.training("vlm", pretrain, sft), save)


def train_siglip(context: TrainContext) -> None:
    """Contrastive training of pictures and texts."""
    tokenizer = context.tokenizer("siglip")
    torch.manual_seed(context.seed)
    model = new_siglip(tokenizer)
    if context.start:
        load_weights(model, context.start / "siglip")
    texts = {language: each.zero_shot() for language, each in context.prompts.items()}
    batches = Batches(load_pictures(context.small, context.numbers))
    plan = context.plan(siglip.PLAN_AGAIN if context.start else siglip.PLAN)
    siglip.train_matching(model, tokenizer, texts, batches, context.work, plan=plan, console=context.console)
    hashes = {language: zero_shot_version(each) for language, each in texts.items()}
    training = context.training("siglip", plan, hashes=hashes)
    write_checkpoint(context.out / "siglip", "siglip", model, training, partial(save_siglip, tokenizer=tokenizer))


def train_specialist(context: TrainContext) -> None:
    """Vision pretraining, then supervised fine-tuning. A new one starts with the vision tower of the vlm in `out`."""
    tokenizer = specialist_tokenizer(context.tokenizer("specialist"))
    trained = specialist.SpecialistWithHeads(context.prompts, tokenizer, context.seed)
    batches = Batches(load_pictures(context.large, context.numbers))
    again = context.start is not None
    if context.start:
        load_weights(trained.network, context.start / "specialist")
        plans = [
            context.plan(each)
            for each in (specialist.HEADS_AGAIN, specialist.VISION_PRETRAIN_AGAIN, specialist.SFT_AGAIN)
        ]
        specialist.train_heads(trained, batches, context.work, plan=plans[0], console=context.console)
    else:
        with no_progress_bars():
            donor = Qwen2_5_VLForConditionalGeneration.from_pretrained(context.out / "vlm", dtype=torch.float32)
        specialist.take_vision_tower(trained, donor, batches)
        plans = [context.plan(each) for each in (specialist.VISION_PRETRAIN, specialist.SFT)]
    *_, pretrain, sft = plans
    specialist.pretrain_vision(trained, batches, context.work, plan=pretrain, again=again, console=context.console)
    specialist.finetune(
        trained,
        PromptSampler(context.prompts, tokenizer, reads=False),  # the node escalate asks for written replies only
        batches,
        context.work,
        plan=sft,
        again=again,
        console=context.console,
    )
    training = context.training("specialist", *plans)
    save = partial(save_specialist, tokenizer=tokenizer)
    write_checkpoint(context.out / "specialist", "specialist", trained.network, training, save)
