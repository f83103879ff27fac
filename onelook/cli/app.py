"""The command `onelook`: which commands there are. Each is a file of its own in `onelook/cli/commands/`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from onelook.cli.lazy import LazyGroup


class Commands(LazyGroup):
    """In the order of the help. A test compares each line with the first line of the command's own help."""

    help_lines: ClassVar = {
        "tag": "Tag pictures: their category, its details, and how sure the model is.",
        "batch": "Tag an archive: a run that goes on after whatever ended it, and its results.",
        "demo": "Tag a few drawings whose truth is known, or PICTURES, with the bundled model.",
        "serve": "Serve the web page and the HTTP API.",
        "studio": "Open the graph in LangGraph Studio's local server: no key, and nothing leaves this machine.",
        "config": "Print every setting, its value, and its source: option, environment, file, locale or default.",
        "calibrate": "Learn from labelled pictures which confidence is enough; the file is for ONELOOK_CALIBRATION.",
        "experiment": "Compare arms on labelled pictures: design, interleaved run, verdict and report.",
        "graph": "Print the state machine as a Mermaid drawing.",
        "doctor": "Ask the engine for each capability that onelook builds on, and report what is missing.",
        "pull": "Download a model before its first use, with progress.",
        "prompts": "Show what is sent to the model.",
        "taxonomy": "Show a taxonomy, or begin and check your own.",
    }


app = typer.Typer(
    cls=Commands,
    help="Tag pictures in one guided look.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_show_locals=False,
)


def print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"onelook {version('onelook')}\n")
        raise typer.Exit


@app.callback()
def root(
    _: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """The options before the command's name."""


def main() -> None:
    """The console script."""
    if sys.stdout is None:  # closed by the shell (`>&-`): as Python does with it, so that nothing else must know
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    app()


if __name__ == "__main__":
    main()
