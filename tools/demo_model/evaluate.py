"""Scores of every arm on the held-out album: `python -m tools.demo_model.evaluate`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from onelook.demo.checkpoint import MODEL, ROUTER, SPECIALIST, with_demo_models
from onelook.errors import EngineError, OnelookError
from onelook.lab.album import Labelled, read_labels
from onelook.lab.scores import LabelledResult, Scores, agreement, score
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context, Language
from tools.demo_model import HELDOUT
from tools.demo_model.card import with_scores
from tools.demo_model.other_models import SPECIALTIES, route_album, router_table, specialist_figures, specialist_table

ARMS: Final[Mapping[str, Context]] = {
    "fused": Context(arm="fused"),
    "fused_compact": Context(arm="fused", reply_format="compact"),
    "reads": Context(arm="reads"),
    "reads_debias": Context(arm="reads", debias=True),
    "hybrid": Context(arm="hybrid"),
    "legacy": Context(arm="legacy"),
    "legacy_shared": Context(arm="legacy_shared"),
}
"""Names in the results, and the choices of the runs."""

ENGINES: Final = ("embedded", "vllm")
COMMAND: Final = "python -m tools.demo_model.evaluate"


async def tag_album(
    tagger: Tagger, album: Sequence[Labelled], context: Context, progress: Progress, name: str
) -> list[LabelledResult]:
    """Tag the pictures one at a time, so that the times are those of one picture.

    Raises:
        EngineError: the engine is missing or fails. An unusable reply counts as a wrong answer.
    """
    task = progress.add_task(name, total=len(album))
    results = []
    for labelled in album:
        result = await tagger.tag(str(labelled.path), context)
        for error in result.errors:
            if error.kind in ENGINE_FAULTS:
                raise EngineError(f"{labelled.path.name}: {error.message}", hint=error.hint)
        results.append(LabelledResult(labelled.path.name, labelled.truth, result))
        progress.advance(task)
    return results


ENGINE_FAULTS = ("EngineUnavailable", "EngineTimeout", "EngineFailed", "EngineRefused", "EngineIncapable")


async def evaluate(
    album: Sequence[Labelled],
    *,
    engine: str,
    arms: Sequence[str],
    language: Language,
    console: Console,
    model: str | None = None,
    base_url: str | None = None,
    long_edge: int | None = None,
) -> dict[str, list[LabelledResult]]:
    """Results by arm."""
    given = {"language": language} | ({} if long_edge is None else {"long_edge": long_edge})
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    settings = with_demo_models(load_settings(engine=engine, model=model, base_url=base_url))
    if settings.router.model is None and ROUTER.is_dir():
        settings = settings.model_copy(update={"router": settings.router.model_copy(update={"model": str(ROUTER)})})
    async with Tagger(settings) as tagger:
        with Progress(*columns, console=console) as progress:
            return {
                name: await tag_album(
                    tagger,
                    album,
                    Context.model_validate(ARMS[name].model_dump() | given),
                    progress,
                    f"{engine}.{name}",
                )
                for name in arms
            }


def headline_table(scores: Mapping[str, Scores]) -> Table:
    """One row per arm."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("arm", "category", "attributes", "exact record", "ECE", "80 % most confident", "s per picture"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    for name, each in scores.items():
        table.add_row(
            name,
            *(f"{share:.1%}" for share in (each.category, each.attribute, each.exact)),
            "" if each.ece is None else f"{each.ece:.3f}",
            "" if each.category_confident is None else f"{each.category_confident:.1%}",
            f"{each.seconds:.2f}",
        )
    return table


def detail_table(name: str, scores: Scores) -> Table:
    """Every category and attribute of one arm."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(name)
    for column in ("accuracy", "exact record"):
        table.add_column(column, justify="right")
    for category, share in scores.categories.items():
        table.add_row(Text(category, style="bold"), f"{share:.1%}", f"{scores.exact_by_category[category]:.1%}")
        for attribute, accuracy in scores.attributes.items():
            if attribute.startswith(f"{category}."):
                table.add_row(f"  {attribute.removeprefix(f'{category}.')}", f"{accuracy:.1%}", "")
    return table


def score_other_models(
    album: Sequence[Labelled], language: Language, general: Scores, console: Console
) -> dict[str, float]:
    """Score and show the bundled router and, in its own categories, the bundled specialist next to `general`. Models
    that are not bundled are left out."""
    figures: dict[str, float] = {}
    if ROUTER.is_dir():
        routed = asyncio.run(route_album(album))
        console.print(router_table(routed))
        figures |= routed.flat()
    if not SPECIALIST.is_dir():
        return figures
    special = [labelled for labelled in album if labelled.truth.category in SPECIALTIES]
    results = asyncio.run(
        evaluate(
            special, engine="embedded", arms=["fused"], language=language, console=console, model=str(SPECIALIST)
        )
    )  # fmt: skip
    scores = score(results["fused"])
    console.print(specialist_table(general, scores))
    return {**figures, **specialist_figures(scores)}


def main(
    album: Annotated[Path, typer.Option(help="Folder with pictures and labels.jsonl.")] = HELDOUT,
    engine: Annotated[list[str] | None, typer.Option(help="embedded or vllm; give the option twice for both.")] = None,
    arm: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(ARMS)}; default: all.")] = None,
    model: Annotated[str | None, typer.Option(help="Checkpoint folder for the embedded engine.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of a running vLLM server.")] = None,
    language: Annotated[Language, typer.Option(help="Language of prompts and replies.")] = "zh",
    limit: Annotated[int | None, typer.Option(min=1, help="Use only so many pictures, from the first.")] = None,
    long_edge: Annotated[
        int | None, typer.Option(help="Longest side of the pictures for the model, in pixels.")
    ] = None,
    all_models: Annotated[
        bool, typer.Option("--all-models", help="Score the bundled router and specialist too.")
    ] = False,
    card: Annotated[bool, typer.Option("--card", help="Write the figures into the checkpoint's model card.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file, as one flat JSON object.")
    ] = None,
) -> None:
    """Score arms and engines on a labelled album."""
    console = Console()
    engines, arms = engine or ["embedded"], arm or list(ARMS)
    for given, known in ((engines, ENGINES), (arms, ARMS)):
        for name in given:
            if name not in known:
                raise typer.BadParameter(f"{name!r} is not one of {', '.join(known)}")
    results: dict[str, list[LabelledResult]] = {}
    try:
        pictures = read_labels(album)[:limit]
        for each in engines:
            by_arm = asyncio.run(
                evaluate(
                    pictures, engine=each, arms=arms, language=language, console=console, long_edge=long_edge,
                    model=model if each == "embedded" else None, base_url=base_url if each == "vllm" else None,
                )
            )  # fmt: skip
            results |= {f"{each}.{name}": run for name, run in by_arm.items()}
    except OnelookError as error:
        console.print(Text(f"error: {error.message}\n{error.hint or ''}", style="red"))
        raise typer.Exit(2) from None
    scores = {name: score(run) for name, run in results.items()}
    console.print(headline_table(scores))
    first = next(iter(scores))
    console.print(detail_table(first, scores[first]))
    figures = {f"{name}.{key}": value for name, each in scores.items() for key, value in each.flat().items()}
    if all_models:
        figures |= score_other_models(pictures, language, scores[first], console)
    if set(engines) == set(ENGINES):
        figures["agreement.vllm_vs_embedded"] = agreement(results[f"vllm.{arms[0]}"], results[f"embedded.{arms[0]}"])
        console.print(f"agreement of the engines ({arms[0]}): {figures['agreement.vllm_vs_embedded']:.1%}")
    if card:
        file = Path(model or MODEL) / "README.md"
        file.write_text(with_scores(file.read_text(encoding="utf-8"), scores, language, COMMAND), encoding="utf-8")
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
