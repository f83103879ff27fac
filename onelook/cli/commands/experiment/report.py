"""`onelook experiment report`: the report of an experiment again, from its recorded outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from onelook.cli.experiment_report import FailIfOption, fails, print_report
from onelook.cli.failure import needs_lab, reported

app = typer.Typer(add_completion=False)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="The folder of --out.")],
    fail_if: FailIfOption = None,
    language: Annotated[
        Literal["reader", "en", "zh"],
        typer.Option("--language", help="In which report.html opens; reader: that of the reader's browser."),
    ] = "reader",
) -> None:
    """Write the report of an experiment again, from its recorded outcomes.

    The same outcomes give the same bytes. It asks no model.
    """
    with reported():
        with needs_lab("an experiment"):
            from onelook.lab.experiment.report.write import write_report
        found = write_report(folder, language=None if language == "reader" else language)
        print_report(found, folder)
        raise typer.Exit(1 if fails(found, fail_if) else 0)
