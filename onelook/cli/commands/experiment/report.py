"""`onelook experiment report`: the report of an experiment again, from its recorded outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onelook.cli.failure import reported

app = typer.Typer(add_completion=False)


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="The folder of --out.")]) -> None:
    """Write the report of an experiment again, from its recorded outcomes."""
    with reported():
        from onelook.lab.experiment.design import Design
        from onelook.lab.experiment.outcomes import read_runs

        design, _ = Design.read(folder)
        read_runs(folder, design.digest)
