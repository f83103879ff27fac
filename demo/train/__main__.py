"""`python -m demo.train`: draw, learn, write the checkpoints."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2Tokenizer

from demo.checkpoint import CHECKPOINTS, Training
from demo.tiny import save_checkpoint, train_tokenizer
from demo.tiny_siglip import new_siglip, save_siglip
from demo.tiny_specialist import LONG_EDGE, save_specialist, specialist_tokenizer
from demo.train import siglip, specialist, vlm
from demo.train.batches import Batches
from demo.train.lessons import VOCABULARY, Teacher, tokenizer_texts
from demo.train.loop import Plan
from demo.train.pictures import draw_pictures, every, load_pictures
from demo.train.save import write_checkpoint
from demo.train.tower import SIDE
from graph.schema import Language
from graph.settings import PHOTOS
from prompts.prompts import Prompts
from prompts.taxonomy_file import load_taxonomy
from prompts.zero_shot import zero_shot_texts, zero_shot_version

MODELS = ("vlm", "siglip", "specialist")
PICTURES = 27_000
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class School:
    """What all models are trained with."""

    work: Path
    out: Path
    pictures: int
    effort: float
    seed: int
    prompts: Mapping[Language, Prompts]
    tokenizer: Qwen2Tokenizer
    console: Console

    def plan(self, plan: Plan) -> Plan:
        return replace(plan, steps=max(1, round(plan.steps * self.effort)), seed=self.seed)

    def training(self, *plans: Plan, hashes: Mapping[Language, str] | None = None) -> Training:
        """What will be known of a training by these plans."""
        return Training(
            pictures=self.pictures,
            seed=self.seed,
            steps={plan.name: plan.steps for plan in plans},
            prompts=dict(hashes or {language: each.version for language, each in self.prompts.items()}),
        )


def main(
    models: Annotated[
        list[str] | None,
        typer.Argument(help=f"Of {', '.join(MODELS)}; default: all. The specialist starts from the vlm."),
    ] = None,
    work: Annotated[Path, typer.Option(help="Where drawings and state are kept; a second call continues.")] = ROOT
    / ".cache"
    / "train",
    out: Annotated[
        Path, typer.Option(help="Where the checkpoints' folders are; each is replaced when it is done.")
    ] = CHECKPOINTS,
    pictures: Annotated[int, typer.Option(min=27, help="How many different drawings.")] = PICTURES,
    effort: Annotated[float, typer.Option(help="Steps of every stage, as a share of what the bundled models had.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the weights and of every choice.")] = 0,
    start: Annotated[Path | None, typer.Option(help="A vlm to go on from, instead of random weights.")] = None,
) -> None:
    """Train the bundled checkpoints on the CPU. Interrupt it at will, and call it again."""
    for name in models or ():
        if name not in MODELS:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(MODELS)}")
    taxonomy = load_taxonomy(PHOTOS)
    prompts = {language: Prompts(taxonomy, language) for language in taxonomy.languages}
    tokenizer = train_tokenizer(tokenizer_texts(prompts.values()), VOCABULARY)
    school = School(work, out, pictures, effort, seed, prompts, tokenizer, Console())
    for model in models or MODELS:
        match model:
            case "vlm":
                train_vlm(school, start)
            case "siglip":
                train_siglip(school)
            case "specialist":
                train_specialist(school)
        school.console.print(f"{out / model} is written. `python -m demo.evaluate` scores it.", highlight=False)


def train_vlm(school: School, start: Path | None) -> None:
    pupil = vlm.Pupil(school.prompts, school.tokenizer, school.seed)
    if start:
        pupil.start_from(start)
    batches, sight, speech = drawings(school, times=vlm.TIMES), school.plan(vlm.SIGHT), school.plan(vlm.SPEECH)
    teacher = Teacher(school.prompts, school.tokenizer)
    vlm.learn_to_see(pupil, batches, school.work, plan=sight, console=school.console)
    vlm.learn_to_answer(pupil, teacher, batches, school.work, plan=speech, console=school.console)
    save = partial(save_checkpoint, tokenizer=school.tokenizer, most_image_tokens=vlm.MOST_IMAGE_TOKENS)
    write_checkpoint(school.out / "vlm", "vlm", pupil.model, school.training(sight, speech), save)


def train_siglip(school: School) -> None:
    torch.manual_seed(school.seed)
    model = new_siglip(school.tokenizer)
    texts = {language: zero_shot_texts(each.taxonomy, language) for language, each in school.prompts.items()}
    plan = school.plan(siglip.PLAN)
    siglip.learn_to_match(
        model, school.tokenizer, texts, drawings(school), school.work, plan=plan, console=school.console
    )
    training = school.training(plan, hashes={language: zero_shot_version(each) for language, each in texts.items()})
    write_checkpoint(school.out / "siglip", "siglip", model, training, partial(save_siglip, tokenizer=school.tokenizer))


def train_specialist(school: School) -> None:
    tokenizer = specialist_tokenizer(school.tokenizer)
    pupil = specialist.Specialist(school.prompts, tokenizer, school.seed)
    batches = drawings(school, large=True)
    elder = Qwen2_5_VLForConditionalGeneration.from_pretrained(school.out / "vlm", dtype=torch.float32)
    specialist.start_from(pupil, elder, batches)
    sight, speech = school.plan(specialist.SIGHT), school.plan(specialist.SPEECH)
    specialist.learn_to_see(pupil, batches, school.work, plan=sight, console=school.console)
    teacher = Teacher(school.prompts, tokenizer, reads=False)  # it is asked to write only: nodes/escalate.py
    specialist.learn_to_answer(pupil, teacher, batches, school.work, plan=speech, console=school.console)
    save = partial(save_specialist, tokenizer=tokenizer)
    write_checkpoint(school.out / "specialist", "specialist", pupil.model, school.training(sight, speech), save)


def drawings(school: School, *, large: bool = False, times: Mapping[str, int] | None = None) -> Batches:
    """The training pictures; those that are missing are drawn on every core. `large`: at the specialist's resolution,
    what it is taught. `times`: as `Batches` has it."""
    limit = LONG_EDGE**2 if large else vlm.MOST_IMAGE_TOKENS * SIDE**2
    folder, keep = (school.work / "large", specialist.taught) if large else (school.work / "pictures", every)
    columns = (TextColumn("drawing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=school.console) as progress:
        task = progress.add_task("drawing", total=sum(map(keep, range(school.pictures))))
        drawn = draw_pictures(
            folder, "train", school.pictures, max_pixels=limit, workers=os.cpu_count() or 1, keep=keep
        )
        for done in drawn:
            progress.update(task, completed=done)
    return Batches(load_pictures(folder, "train", school.pictures, max_pixels=limit), times)


if __name__ == "__main__":
    typer.run(main)
