"""`onelook batch`: an archive's run, and what is done with its results. Each subcommand is a file beside this one."""

from __future__ import annotations

from typing import ClassVar

import typer

from onelook.cli.lazy import RunGroup

EPILOG = """
`onelook batch PICTURES… --out FOLDER` is `onelook batch run`; its options: `onelook batch run --help`.
A folder of pictures that is called like a command is written ./status.

\b
Examples:
  onelook batch photos/ --out tags
      begin, or go on after whatever ended it
  onelook batch status tags
      how far it is, and why pictures failed
"""


class BatchCommands(RunGroup):
    """In the order of the help."""

    package: ClassVar = "onelook.cli.commands.batch"
    help_lines: ClassVar = {
        "run": "Tag every picture that is not done yet, and keep the answers in FOLDER.",
        "status": "How far a batch is, why pictures failed, and what other choices would ask again.",
        "watch": "Follow a run from another terminal until it ends.",
        "diff": "The pictures whose tags changed between two versions of the answers.",
        "export": "Write the results as Parquet, CSV, JSONL, SQLite, or as a page to look through (HTML).",
        "import": "Take the answers of `export --openai-batch` from the files that came back.",
        "write-xmp": "Write tags as keywords into XMP sidecars, which photo programs read.",
    }


app = typer.Typer(
    cls=BatchCommands,
    help="Tag an archive: a run that goes on after whatever ended it, and its results.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def root() -> None:
    """The options before the subcommand's name: there are none."""
