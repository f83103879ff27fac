"""`onelook demo`: the main job on the embedded engine, from a picture to its tags and its waterfall."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from onelook.cli.console import err, out
from onelook.cli.failure import reported
from onelook.cli.pictures import left_out_line, named_pictures
from onelook.cli.results import results_table
from onelook.cli.waterfall import waterfall
from onelook.demo.checkpoint import DRAWINGS, demo_note, with_demo_models
from onelook.images.source import describe, is_data_url, is_url
from onelook.lab.album import Labelled, read_labels
from onelook.lab.scores import LabelledResult
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.settings.process import Settings, load_settings
from onelook.tagger import Tagger
from onelook.types import Answer, Language

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    pictures: Annotated[
        list[str] | None,
        typer.Argument(help="Your own files, folders (searched below) or http(s) URLs, instead of the drawings."),
    ] = None,
) -> None:
    """Tag a few drawings whose truth is known, or PICTURES, with the bundled model."""
    with reported():
        settings = with_demo_models(load_settings(engine="embedded"))
        if not pictures:
            asyncio.run(show_album(settings, read_labels(DRAWINGS)))
        else:
            found = named_pictures(pictures)
            code = asyncio.run(show_own(settings, found.pictures))
            if found.left_out:
                err.print(Text(left_out_line(found.left_out), style="yellow"))
            raise typer.Exit(code)


async def show_own(settings: Settings, pictures: Sequence[str]) -> int:
    """Results, and what the demo model cannot do. Returns the exit code, as `onelook tag` has it."""
    async with Tagger(settings) as tagger:
        with err.status("tagging"):
            results = [(shown_name(picture), await tagger.tag(picture)) for picture in pictures]
        out.print(results_table(results, tagger.services.taxonomy))
        _print_note(tagger)
    name, last = results[-1]
    out.print(Text(f"\nwhere the time of {name} went", style="bold"))
    out.print(waterfall(last.ledger))
    return 1 if any(result.status == "failed" for _, result in results) else 0


def shown_name(picture: str) -> str:
    """A file's name without its folders; a URL as messages have it."""
    name = describe(picture)
    return name if is_url(picture) or is_data_url(picture) else Path(name).name


async def show_album(settings: Settings, album: Sequence[Labelled]) -> None:
    """Truth and answer side by side, the right ones marked."""
    async with Tagger(settings) as tagger:
        answered = []
        with err.status("tagging"):
            for labelled in album:
                result = await tagger.tag(str(labelled.path))
                answered.append(LabelledResult(labelled.path.name, labelled.truth, result))
        out.print(album_table(answered, tagger.services.taxonomy, tagger.services.run.language))
        right = sum(each.record_right for each in answered)
        out.print(f"{right} of {len(answered)} right in category and every detail", highlight=False)
        _print_note(tagger)
    out.print(Text(f"\nwhere the time of {answered[-1].name} went", style="bold"))
    out.print(waterfall(answered[-1].result.ledger))


def album_table(answered: Sequence[LabelledResult], taxonomy: Taxonomy, language: Language) -> Table:
    """One row a picture; the confidence is the category's."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "picture", "truth", "answer"):
        table.add_column(column, overflow="fold")
    for column in ("sure", "s"):
        table.add_column(column, justify="right")
    for each in answered:
        category, wall_ms = each.result.category, each.result.ledger.wall_ms
        if each.answer is None:
            shown = Text("; ".join(error.message for error in each.result.errors), style="red")
        else:
            shown = Text(_words(each.answer, taxonomy, language))
        table.add_row(
            Text("✓", style="green") if each.record_right else Text("✗", style="red"),
            each.name,
            _words(each.truth, taxonomy, language),
            shown,
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


def _print_note(tagger: Tagger) -> None:
    if note := demo_note(tagger.services.settings, tagger.services.prompts):
        out.print(Text(note.text("terminal"), style="yellow"))
