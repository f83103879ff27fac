"""`onelook batch import`: answers from files into a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from onelook.cli.choices import choices, sizes
from onelook.cli.failure import reported
from onelook.cli.options import ConfigOption, LanguageOption, ModelOption, TaxonomyOption, TemplatesOption
from onelook.cli.run_options import (
    AdaptiveOption,
    ArmOption,
    EscalateOption,
    LongEdgeOption,
    ReplyFormatOption,
    ResolutionOption,
    ThresholdOption,
)
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
def import_(
    folder: Annotated[Path, typer.Argument(help="The batch's folder.")],
    files: Annotated[list[Path], typer.Argument(help="Result files and error files, in any order.")],
    openai_batch: Annotated[
        bool, typer.Option("--openai-batch", help="The files are in the OpenAI batch format.")
    ] = False,
    reader: Annotated[
        Literal["vllm", "openai"], typer.Option("--for", help="Who answered: as given to the export.")
    ] = "vllm",
    arm: ArmOption = None,
    reply_format: ReplyFormatOption = None,
    language: LanguageOption = None,
    resolution: ResolutionOption = None,
    long_edge: LongEdgeOption = None,
    adaptive: AdaptiveOption = None,
    confidence_threshold: ThresholdOption = None,
    escalate: EscalateOption = None,
    model: ModelOption = None,
    taxonomy: TaxonomyOption = None,
    templates: TemplatesOption = None,
    config: ConfigOption = None,
) -> None:
    """Take the answers of `export --openai-batch` from the files that came back."""
    with stoppable(), reported():
        if not openai_batch:
            raise SettingsError("which format do the files have?", hint="--openai-batch")
        from onelook.cli.openai_batch import Questions, import_files

        questions = Questions.of(
            reader,
            {"model": model, "taxonomy": taxonomy, "templates": templates, "config": config},
            choices(
                arm=arm,
                reply_format=reply_format,
                language=language,
                **sizes(resolution, long_edge),
                adaptive=adaptive,
                confidence_threshold=confidence_threshold,
                escalate=escalate,
            ),
        )
        raise typer.Exit(import_files(questions, folder, files))
