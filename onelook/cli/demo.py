"""`make demo`: the main job on the embedded engine, from a picture to its tags and its waterfall."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from onelook.cli.results import results_table
from onelook.cli.waterfall import waterfall
from onelook.demo.checkpoint import DRAWINGS, demo_note, with_demo_models
from onelook.errors import OnelookError
from onelook.lab.album import Labelled, read_labels
from onelook.lab.scores import Answered
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Answer, Language


def main(
    pictures: Annotated[list[Path] | None, typer.Argument(help="Your own pictures instead of the drawings.")] = None,
) -> None:
    """Tag a few drawings whose truth is known, or PICTURES, with the bundled model."""
    console = Console()
    try:
        asyncio.run(show_own(console, pictures) if pictures else show_album(console, read_labels(DRAWINGS)))
    except OnelookError as error:
        console.print(Text(f"error: {error.message}\n{error.hint or ''}", style="red"))
        raise typer.Exit(2) from None


async def show_own(console: Console, pictures: Sequence[Path]) -> None:
    """Results, and what is to be thought of them."""
    async with Tagger(with_demo_models(load_settings(engine="embedded"))) as tagger:
        with console.status("tagging"):
            results = [(picture.name, await tagger.tag(str(picture))) for picture in pictures]
        console.print(results_table(results, tagger.services.taxonomy))
        _say_note(console, tagger)
    name, last = results[-1]
    console.print(Text(f"\nwhere the time of {name} went", style="bold"))
    console.print(waterfall(last.ledger))


async def show_album(console: Console, album: Sequence[Labelled]) -> None:
    """Truth and answer side by side, the right ones marked."""
    async with Tagger(with_demo_models(load_settings(engine="embedded"))) as tagger:
        answered = []
        with console.status("tagging"):
            for labelled in album:
                result = await tagger.tag(str(labelled.path))
                answered.append(Answered(labelled.path.name, labelled.truth, result))
        console.print(album_table(answered, tagger.services.taxonomy, tagger.services.run.language))
        right = sum(each.record_right for each in answered)
        console.print(f"{right} of {len(answered)} right in category and every detail", highlight=False)
        _say_note(console, tagger)
    console.print(Text(f"\nwhere the time of {answered[-1].name} went", style="bold"))
    console.print(waterfall(answered[-1].result.ledger))


def album_table(answered: Sequence[Answered], taxonomy: Taxonomy, language: Language) -> Table:
    """One row a picture; the confidence is the category's."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "picture", "truth", "answer"):
        table.add_column(column, overflow="fold")
    for column in ("sure", "s"):
        table.add_column(column, justify="right")
    for each in answered:
        category, wall_ms = each.result.category, each.result.ledger.wall_ms
        if each.answer is None:
            said = Text("; ".join(error.message for error in each.result.errors), style="red")
        else:
            said = Text(_words(each.answer, taxonomy, language))
        table.add_row(
            Text("✓", style="green") if each.record_right else Text("✗", style="red"),
            each.name,
            _words(each.truth, taxonomy, language),
            said,
            "" if category is None or category.confidence is None else f"{category.confidence:.0%}",
            "" if wall_ms is None else f"{wall_ms / 1000:.2f}",
        )
    return table


def _words(answer: Answer, taxonomy: Taxonomy, language: Language) -> str:
    category = taxonomy.categories[answer.category]
    values = [
        "+".join(category.details[attribute].options[option][language] for option in options) or "-"
        for attribute, options in answer.details.items()
    ]
    return " ".join([category.label[language], *values])


def _say_note(console: Console, tagger: Tagger) -> None:
    if note := demo_note(tagger.services.settings, tagger.services.prompts):
        console.print(Text(note, style="yellow"))


if __name__ == "__main__":
    typer.run(main)
