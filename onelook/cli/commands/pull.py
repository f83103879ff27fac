"""`onelook pull`: a model's download, ahead of its first use."""

from __future__ import annotations

from typing import Annotated

import typer

from onelook.cli.console import out
from onelook.cli.failure import reported

app = typer.Typer(add_completion=False)


@app.command()
def pull(model: Annotated[str, typer.Argument(help="Hugging Face id, such as Qwen/Qwen2.5-VL-3B-Instruct.")]) -> None:
    """Download a model before its first use, with progress."""
    from onelook.engines.transformers.pull import pull as download

    with reported():
        out.print(f"{model} is at {download(model)}")
