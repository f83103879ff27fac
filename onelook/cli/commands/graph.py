"""`onelook graph`: the state machine as a drawing."""

from __future__ import annotations

import sys

import typer

from onelook.cli.failure import reported
from onelook.cli.options import ConfigOption
from onelook.demo.checkpoint import with_demo_models
from onelook.settings.process import load_settings
from onelook.tagger import Tagger

app = typer.Typer(add_completion=False)


@app.command()
def graph(config: ConfigOption = None) -> None:
    """Print the state machine as a Mermaid drawing."""
    with reported():
        sys.stdout.write(Tagger(with_demo_models(load_settings(config=config))).mermaid())
