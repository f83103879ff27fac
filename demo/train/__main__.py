"""`python -m demo.train`: draw, learn to see, learn to answer, write the checkpoint."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from demo.checkpoint import TRAINED, Training
from demo.tiny import train_tokenizer
from demo.train import recipe
from demo.train.batches import Batches
from demo.train.lessons import Teacher, tokenizer_texts
from demo.train.pictures import Pictures, draw_pictures, load_pictures
from demo.train.save import write_checkpoint
from demo.train.tower import SIDE
from graph.settings import PHOTOS
from prompts.prompts import Prompts
from prompts.taxonomy_file import load_taxonomy

ROOT = Path(__file__).parent.parent.parent


def main(
    work: Annotated[Path, typer.Option(help="Where drawings and state are kept; a second call continues.")] = ROOT
    / ".cache"
    / "train",
    out: Annotated[Path, typer.Option(help="The checkpoint folder; replaced when training is done.")] = TRAINED,
    pictures: Annotated[int, typer.Option(min=9, help="How many different drawings.")] = recipe.PICTURES,
    sight_steps: Annotated[int, typer.Option(min=1, help="Steps of the first stage.")] = recipe.SIGHT.steps,
    speech_steps: Annotated[int, typer.Option(min=1, help="Steps of the second stage.")] = recipe.SPEECH.steps,
    seed: Annotated[int, typer.Option(help="Of the weights and of every choice.")] = 0,
) -> None:
    """Train the bundled checkpoint from nothing, on the CPU. Interrupt it at will, and call it again."""
    console = Console()
    taxonomy = load_taxonomy(PHOTOS)
    prompts = {language: Prompts(taxonomy, language) for language in taxonomy.languages}
    tokenizer = train_tokenizer(tokenizer_texts(prompts.values()), recipe.VOCABULARY)
    batches = Batches(drawings(work / "pictures", pictures, console))
    pupil = recipe.Pupil(prompts, tokenizer, seed)
    sight, speech = (
        replace(recipe.SIGHT, steps=sight_steps, seed=seed),
        replace(recipe.SPEECH, steps=speech_steps, seed=seed),
    )
    recipe.learn_to_see(pupil, batches, work, plan=sight, console=console)
    recipe.learn_to_answer(pupil, Teacher(prompts, tokenizer), batches, work, plan=speech, console=console)
    training = Training(
        pictures=pictures,
        seed=seed,
        steps={sight.name: sight.steps, speech.name: speech.steps},
        prompts={language: each.version for language, each in prompts.items()},
    )
    write_checkpoint(out, pupil.model, tokenizer, training)
    console.print(f"{out} is written. `python -m demo.evaluate` scores it.", highlight=False)


def drawings(folder: Path, n: int, console: Console) -> Pictures:
    """The training pictures; those that are missing are drawn on every core."""
    limit = recipe.MOST_IMAGE_TOKENS * SIDE**2
    columns = (TextColumn("drawing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("drawing", total=n)
        for done in draw_pictures(folder, "train", n, max_pixels=limit, workers=os.cpu_count() or 1):
            progress.update(task, completed=done)
    return load_pictures(folder, "train", n, max_pixels=limit)


if __name__ == "__main__":
    typer.run(main)
