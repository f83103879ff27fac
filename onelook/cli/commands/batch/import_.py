"""`onelook batch import`: answers from files into a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from onelook.cli.failure import reported
from onelook.cli.option_groups import Only, grouped
from onelook.cli.options import SettingsOptions
from onelook.cli.run_options import RunOptions
from onelook.cli.stopping import stoppable
from onelook.errors import SettingsError

EPILOG = """
Give the same choices as to `onelook batch export --openai-batch`: they say how the answers are read. To import a file
twice changes nothing. The exit code is 1 where a picture failed or has no answer yet, or a line was of no use.

\b
Examples:
  onelook batch import tags --openai-batch results.jsonl errors.jsonl --model Qwen/Qwen3-VL-8B-Instruct
"""

app = typer.Typer(add_completion=False)


@app.command("import", epilog=EPILOG)
@grouped
def import_(
    folder: Annotated[Path, typer.Argument(help="The batch's folder.")],
    files: Annotated[list[Path], typer.Argument(help="Result files and error files, in any order.")],
    *,
    openai_batch: Annotated[
        bool, typer.Option("--openai-batch", help="The files are in the OpenAI batch format.")
    ] = False,
    reader: Annotated[
        Literal["vllm", "openai"], typer.Option("--for", help="Who answered: as given to the export.")
    ] = "vllm",
    choices: RunOptions,
    options: Annotated[SettingsOptions, Only("model", "taxonomy", "templates", "config")],
) -> None:
    """Take the answers of `export --openai-batch` from the files that came back."""
    with stoppable(), reported():
        if not openai_batch:
            raise SettingsError("which format do the files have?", hint="--openai-batch")
        from onelook.batch.openai_batch.offline import Offline
        from onelook.cli.openai_batch import import_files

        questions = Offline(options.load(engine="vllm"), choices.context(), reader)
        raise typer.Exit(import_files(questions, folder, files))
