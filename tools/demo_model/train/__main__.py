"""`python -m tools.demo_model.train`: draw the pictures, train, write the checkpoints."""

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
from tools.demo_model.train.recipes import TrainContext, train_siglip, train_specialist, train_vlm
from tools.demo_model.train.run import Run, TrainOptions

MODELS: Final[Mapping[str, Callable[[TrainContext], None]]] = {
    "vlm": train_vlm,
    "siglip": train_siglip,
    "specialist": train_specialist,
}
PICTURES = 27_000
ROOT = Path(__file__).parent.parent.parent.parent


def main(
    models: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(MODELS)}; default: all.")] = None,
    work: Annotated[
        Path, typer.Option(help="Folder for drawings and training state; a second call continues from it.")
    ] = ROOT / ".cache" / "train",
    out: Annotated[
        Path, typer.Option(help="Folder of the checkpoints; each one is replaced when its training is done.")
    ] = CHECKPOINTS,
    start: Annotated[
        Path, typer.Option(help="Folder of the checkpoints to continue from.", file_okay=False)
    ] = CHECKPOINTS,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Start from random weights and a new vocabulary.")
    ] = False,
    pictures: Annotated[int, typer.Option(min=27, help="Number of drawings.")] = PICTURES,
    effort: Annotated[float, typer.Option(help="Factor of the number of steps of every stage.")] = 1,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, help="Random seed of the drawings and of training. Default: one more than that of the checkpoints."
        ),
    ] = None,
) -> None:
    """Train the bundled checkpoints further on new drawings, or from scratch, on the CPU.

    Training can be interrupted; the same call resumes it.
    """
    options = TrainOptions(
        models=tuple(models or MODELS),
        start=None if from_scratch else start.resolve(),
        out=out.resolve(),
        pictures=pictures,
        effort=effort,
        seed=seed,
    )
    for name in options.models:
        if name not in MODELS:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(MODELS)}")
        if options.start and not (options.start / name / "training.json").is_file():
            raise typer.BadParameter(
                f"no checkpoint {name} in {start}; name their folder with --start, or use --from-scratch"
            )
    if from_scratch and "specialist" in options.models and "vlm" not in options.models and not (out / "vlm").is_dir():
        raise typer.BadParameter(
            f"no checkpoint vlm in {out}, from which a new specialist takes its vision tower; train vlm first"
        )
    unfinished = Run.find(work)
    if unfinished and unfinished.options != options:
        raise typer.BadParameter(
            f"an unfinished training in {work / 'run'} has other options; give the same options to resume it, or delete"
            " that folder"
        )
    run = unfinished or Run(options=options, seed=next_seed(options))
    run.save(work)
    console = Console()
    taxonomy = load_taxonomy(PHOTOS)
    context = TrainContext(
        start=options.start,
        drawings=work,
        work=run.folder(work),
        out=out,
        numbers=seeds("train", (run.seed + 1) * pictures)[-pictures:],
        effort=effort,
        seed=run.seed,
        prompts={language: Prompts(taxonomy, language) for language in taxonomy.languages},
        console=console,
    )
    draw_missing(context, options.models)
    for name in options.models:
        if name not in run.done:
            MODELS[name](context)
            run = run.with_done(name)
            run.save(work)
            console.print(f"{out / name} is written.", highlight=False)
    shutil.rmtree(run.folder(work))
    console.print("`python -m tools.demo_model.evaluate` scores them.", highlight=False)


def next_seed(options: TrainOptions) -> int:
    """The given seed; otherwise one that no checkpoint was trained with."""
    if options.seed is not None:
        return options.seed
    return 1 + max(read_training(options.start / name).seed for name in options.models) if options.start else 0


def draw_missing(context: TrainContext, models: tuple[str, ...]) -> None:
    """Draw the missing pictures, on all cores."""
    sizes = [context.small] * bool({"vlm", "siglip"} & {*models}) + [context.large] * ("specialist" in models)
    columns = (TextColumn("drawing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=context.console) as progress:
        task = progress.add_task("drawing", total=len(context.numbers))
        for done in draw_pictures(sizes, context.numbers, workers=os.cpu_count() or 1):
            progress.update(task, completed=done)


if __name__ == "__main__":
    typer.run(main)
