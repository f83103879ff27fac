"""`onelook pull`: a model's download, ahead of its first use."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from onelook.cli.console import out
from onelook.cli.failure import reported
from onelook.cli.stopping import run_until_stopped, stoppable

app = typer.Typer(add_completion=False)


@app.command()
def pull(model: Annotated[str, typer.Argument(help="Hugging Face id, such as Qwen/Qwen2.5-VL-3B-Instruct.")]) -> None:
    """Download a model before its first use, with progress."""
    from onelook.engines.transformers.pull import pull as download

    async def fetch() -> Path:  # in a thread, which cannot be ended, but need not be waited for
        return await asyncio.to_thread(download, model)

    with stoppable("interrupted: files that have arrived are kept, so the same command continues"), reported():
        out.print(f"{model} is at {run_until_stopped(fetch())}")
