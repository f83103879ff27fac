"""`onelook experiment`: arms compared on an album. Each subcommand is a file beside this one."""

from __future__ import annotations

from typing import Any, ClassVar

import typer

from onelook.cli.lazy import LazyGroup

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


class ExperimentCommands(LazyGroup):
    """In the order of the help. What does not begin with a command's name is `run`."""

    package: ClassVar = "onelook.cli.commands.experiment"
    help_lines: ClassVar = {
        "run": "Compare arms on the pictures of an album, by a design that is fixed before the first question.",
        "report": "Write the report of an experiment again, from its recorded outcomes.",
    }

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "--version"):
            args = ["run", *args]
        return list(super().parse_args(ctx, args))


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
