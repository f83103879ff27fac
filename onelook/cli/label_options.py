"""The options of commands that read labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LABELS_HELP = (
    "Labelled pictures: a table (JSONL, CSV, Parquet), a folder with labels.jsonl or labels.csv, or one with a folder"
    " for each category."
)

LabelColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--label-column",
        metavar="NAME=COLUMN",
        help="The column of the path, the category or an attribute, where it is called otherwise: category=klasse. May"
        " be given several times.",
    ),
]
PicturesOption = Annotated[
    Path | None,
    typer.Option(
        "--pictures",
        metavar="FOLDER",
        exists=True,
        file_okay=False,
        help="Where relative paths of the labels are looked for first; then beside the labels.",
    ),
]
