"""`onelook experiment`: arms compared on an album. Each subcommand is a file beside this one."""

from __future__ import annotations

from typing import ClassVar

import typer

from onelook.cli.lazy import RunGroup

EPILOG = """
`onelook experiment ALBUM --arm A --arm B` is `onelook experiment run`; its options: `onelook experiment run --help`.
An album that is called like a command is written ./report.

\b
Examples:
  onelook experiment album/ --arm fused --arm reads --out compared
      run it, or go on after whatever ended it
  onelook experiment report compared
      the report again, from the recorded outcomes
"""


class ExperimentCommands(RunGroup):
    """In the order of the help."""

    package: ClassVar = "onelook.cli.commands.experiment"
    help_lines: ClassVar = {
        "run": "Compare arms on the pictures of an album, by a design that is fixed before the first question.",
        "report": "Write the report of an experiment again, from its recorded outcomes.",
    }


app = typer.Typer(
    cls=ExperimentCommands,
    help="Compare arms on labelled pictures: design, interleaved run, verdict and report.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def root() -> None:
    """The options before the subcommand's name: there are none."""
