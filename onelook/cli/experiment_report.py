"""The report of an experiment on a terminal, and the exit code that it gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from onelook.lab.experiment.report.model import Report

FailIf = Literal["worse", "slower", "unknown"]
FailIfOption = Annotated[
    FailIf | None,
    typer.Option(
        "--fail-if",
        help="Exit with 1 if an arm is worse in the primary metric; slower; or not known yet in the primary metric.",
    ),
]
STYLES = {"better": "green", "not worse": "green", "worse": "red", "not known yet": "yellow"}


def fails(report: Report, fail_if: FailIf | None) -> bool:
    """Whether `fail_if` is met."""
    found: set[FailIf] = set()
    for each in report.verdicts:
        if each.primary == "worse":
            found.add("worse")
        if each.primary == "not known yet":
            found.add("unknown")
        if each.latency == "worse":
            found.add("slower")
    return fail_if in found


def print_report(report: Report, folder: Path) -> None:
    """The verdicts, whether the run was as designed, and where the files are."""
    from rich.text import Text

    from onelook.cli.console import out

    for each in report.verdicts:
        out.print(Text.assemble((f"{each.primary}  ", STYLES[each.primary]), each.sentence["en"]))
    out.print("as designed" if report.as_designed else Text("deviations from the design:", style="yellow"))
    for line in (*report.deviations, *report.notes):
        out.print(Text(f"  {line}"))
    out.print(Text(f"written: {folder / 'report.html'}, report.md, report.json, junit.xml"), soft_wrap=True)
