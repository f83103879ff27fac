"""`python -m tools.demo_model.train`: draw, learn, write the checkpoints."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from onelook.demo.checkpoint import CHECKPOINTS, read_training
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS
from tools.demo_model.album.generate import seeds
from tools.demo_model.train.pictures import draw_pictures
from tools.demo_model.train.run import Asked, Run
from tools.demo_model.train.school import School, train_siglip, train_specialist, train_vlm

MODELS: Final[Mapping[str, Callable[[School], None]]] = {
    "vlm": train_vlm,
    "siglip": train_siglip,
    "specialist": train_specialist,
}
PICTURES = 27_000
ROOT = Path(__file__).parent.parent.parent.parent


def main(
    models: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(MODELS)}; default: all.")] = None,
    work: Annotated[Path, typer.Option(help="Where drawings and state are kept; a second call continues.")] = ROOT
    / ".cache"
    / "train",
    out: Annotated[
        Path, typer.Option(help="Where the checkpoints' folders are; each is replaced when it is done.")
    ] = CHECKPOINTS,
    start: Annotated[Path, typer.Option(help="Checkpoints to go on from.", file_okay=False)] = CHECKPOINTS,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Begin with random weights and a vocabulary made from the prompts.")
    ] = False,
    pictures: Annotated[int, typer.Option(min=27, help="How many different drawings.")] = PICTURES,
    effort: Annotated[float, typer.Option(help="Steps of every stage, as a share of what is usual.")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of every choice, and of the drawings. Default: the next one.")
    ] = None,
) -> None:
    """Train the bundled checkpoints further, on new drawings; or train such from scratch. On the CPU.

    Interrupt it at will: the same call goes on where it was.
    """
    asked = Asked(
        models=tuple(models or MODELS),
        start=None if from_scratch else start.resolve(),
        out=out.resolve(),
        pictures=pictures,
        effort=effort,
        seed=seed,
    )
    for name in asked.models:
        if name not in MODELS:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(MODELS)}")
        if asked.start and not (asked.start / name / "training.json").is_file():
            raise typer.BadParameter(f"there is no {name} in {start}; --from-scratch needs none")
    if from_scratch and "specialist" in asked.models and "vlm" not in asked.models and not (out / "vlm").is_dir():
        raise typer.BadParameter(f"there is no vlm in {out}, whose eyes a new specialist takes over: train it first")
    unfinished = Run.find(work)
    if unfinished and unfinished.asked != asked:
        raise typer.BadParameter(
            f"a training with other options is unfinished in {work / 'run'}: give the same options to finish it, or"
            " delete that folder"
        )
    run = unfinished or Run(asked=asked, seed=next_seed(asked))
    run.keep(work)
    console = Console()
    taxonomy = load_taxonomy(PHOTOS)
    school = School(
        start=asked.start,
        drawn=work,
        work=run.folder(work),
        out=out,
        numbers=seeds("train", (run.seed + 1) * pictures)[-pictures:],
        effort=effort,
        seed=run.seed,
        prompts={language: Prompts(taxonomy, language) for language in taxonomy.languages},
        console=console,
    )
    draw_missing(school, asked.models)
    for name in asked.models:
        if name not in run.done:
            MODELS[name](school)
            run = run.with_done(name)
            run.keep(work)
            console.print(f"{out / name} is written.", highlight=False)
    shutil.rmtree(run.folder(work))
    console.print("`python -m tools.demo_model.evaluate` scores them.", highlight=False)


def next_seed(asked: Asked) -> int:
    """The one that is asked for; else one that none of the models has had."""
    if asked.seed is not None:
        return asked.seed
    return 1 + max(read_training(asked.start / name).seed for name in asked.models) if asked.start else 0


def draw_missing(school: School, models: tuple[str, ...]) -> None:
    """Draw what is not there yet, on every core."""
    sizes = [school.small] * bool({"vlm", "siglip"} & {*models}) + [school.large] * ("specialist" in models)
    columns = (TextColumn("drawing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=school.console) as progress:
        task = progress.add_task("drawing", total=len(school.numbers))
        for done in draw_pictures(sizes, school.numbers, workers=os.cpu_count() or 1):
            progress.update(task, completed=done)


if __name__ == "__main__":
    typer.run(main)
