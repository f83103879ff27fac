"""`onelook batch watch`: follow a run from another terminal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from onelook.batch.progress import Progress
from onelook.batch.status import read_status
from onelook.cli.batch_progress import Prices, ProgressLine
from onelook.cli.commands.batch.status import lines
from onelook.cli.failure import reported
from onelook.cli.stopping import stoppable

app = typer.Typer(add_completion=False)

EVERY_S = 1.0


@app.command()
def watch(folder: Annotated[Path, typer.Argument(help="The batch's folder.")]) -> None:
    """Follow a run from another terminal until it ends. Ctrl-C ends the watching alone."""
    with stoppable(), reported():
        current = read_status(folder)
        shown = current.progress or Progress(todo=0)

        def newest() -> Progress:
            return shown

        if current.running:
            with ProgressLine(Prices()).following(newest):
                while current.running:
                    time.sleep(EVERY_S)
                    current = read_status(folder)
                    shown = current.progress or shown
        for each in lines(current):
            print(each)
