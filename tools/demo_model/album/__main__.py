"""`python -m tools.demo_model.album FOLDER`: draw a labelled album."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from onelook.errors import UserError
from tools.demo_model.album.generate import Drawing, Split
from tools.demo_model.album.sheet import contact_sheet
from tools.demo_model.album.write import write_album

SHEET_DRAWINGS, SHEET_COLUMNS = 72, 9

app = typer.Typer(add_completion=False)


@app.command()
def main(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder for the album.")],
    split: Annotated[Split, typer.Option(help="Split of the seeds.")] = "heldout",
    n: Annotated[int, typer.Option(min=1, help="Number of pictures.")] = 240,
    contact_sheet_file: Annotated[
        Path | None, typer.Option("--contact-sheet", help=f"Also draw the first {SHEET_DRAWINGS} into this picture.")
    ] = None,
) -> None:
    """Draw pictures with known truth into FOLDER, and write the truth to its labels.jsonl."""
    console = Console()
    kept: list[Drawing] = []
    columns = (TextColumn("drawing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("drawing", total=n)

            def drawn(drawing: Drawing) -> None:
                if contact_sheet_file is not None and len(kept) < SHEET_DRAWINGS:
                    kept.append(drawing)
                progress.advance(task)

            labels = write_album(folder, split, n, each=drawn)
    except UserError as error:
        Console(stderr=True).print(f"[red]{error.message}[/red]\n{error.hint}", highlight=False)
        raise typer.Exit(1) from None
    console.print(f"{n} pictures and {labels.name} in {folder}", highlight=False)
    if contact_sheet_file is not None:
        contact_sheet(kept, SHEET_COLUMNS).save(contact_sheet_file)
        console.print(f"contact sheet: {contact_sheet_file}", highlight=False)


if __name__ == "__main__":
    app(prog_name="python -m tools.demo_model.album")
