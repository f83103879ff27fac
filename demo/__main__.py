"""`make demo`: the main job on the embedded engine, from a picture to its tags and its waterfall."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from demo.album.generate import draw, seeds
from graph.errors import OnelookError
from graph.settings import load_settings
from graph.tagger import Tagger
from terminal.results import results_table
from terminal.waterfall import waterfall

DRAWINGS = 4


def main(
    pictures: Annotated[list[Path] | None, typer.Argument(help="Your own pictures instead of the drawings.")] = None,
) -> None:
    """Tag a few drawings, or PICTURES, with the bundled model."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        files = pictures or draw_into(Path(folder))
        try:
            asyncio.run(show(console, files))
        except OnelookError as error:
            console.print(Text(f"error: {error.message}\n{error.hint or ''}", style="red"))
            raise typer.Exit(2) from None


def draw_into(folder: Path) -> list[Path]:
    """Write a few drawings, named for what they show."""
    files = []
    for seed in seeds("heldout", DRAWINGS):
        drawing = draw(seed)
        file = folder / f"{drawing.truth.category}-{seed}.png"
        drawing.image.save(file)
        files.append(file)
    return files


async def show(console: Console, files: list[Path]) -> None:
    async with Tagger(load_settings(engine="embedded")) as tagger:
        if tagger.note:
            console.print(Text(tagger.note, style="yellow"))
        with console.status("tagging"):
            results = [(file.name, await tagger.tag(str(file))) for file in files]
        language = tagger.services.settings.run.language
        console.print(results_table(results, tagger.services.taxonomy, language))
    name, last = results[-1]
    console.print(Text(f"\nwhere the time of {name} went", style="bold"))
    console.print(waterfall(last.ledger))


if __name__ == "__main__":
    typer.run(main)
