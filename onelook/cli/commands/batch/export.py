"""`onelook batch export`: the results of a batch as files that other programs read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from onelook.batch.changes import Side
from onelook.batch.export.batch import Batch
from onelook.batch.export.columns import Choices
from onelook.batch.export.formats import STREAMED, Format, check_replaceable, format_of, write_stream, write_table
from onelook.cli.failure import reported
from onelook.cli.notes import print_note
from onelook.cli.option_groups import Only, grouped
from onelook.cli.options import SettingsOptions
from onelook.cli.run_options import RunOptions
from onelook.cli.stopping import stoppable
from onelook.errors import SettingsError
from onelook.images.limits import Limits
from onelook.images.printable import printable

EPILOG = """
The columns are the same for every batch with the same taxonomy: docs/batch-results.md has them. A batch can be exported
while it runs.

\b
Examples:
  onelook batch export tags --to parquet
      tags/tags.parquet
  onelook batch export tags@1 --out old.csv
      the answers before the last change of model or taxonomy
  onelook batch export tags --to jsonl --out - | jq .path
  onelook batch export tags --to html --out sheet.html
      a page with thumbnails and filters, in one file
  onelook batch export tags --openai-batch --pictures photos/ --model Qwen/Qwen3-VL-8B-Instruct
      questions for `vllm run-batch`; `onelook batch import` takes the answers
"""

app = typer.Typer(add_completion=False)

MANY_THUMBNAILS = 30_000

Reader = Literal["vllm", "openai"]


@app.command(epilog=EPILOG)
@grouped
def export(
    folder: Annotated[str, typer.Argument(help="The batch's folder, or a version of its answers: FOLDER@1.")],
    *,
    to: Annotated[Format | None, typer.Option("--to", help="The format. Default: as the name of --out ends.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The file; - is standard output (csv, jsonl). Default: FOLDER/tags.…")
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="Which answers: `onelook batch status` lists them. Default: newest.")
    ] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option("--min-confidence", min=0, max=1, help="Leave tags out that are less sure, such as 0.9 for 90 %."),
    ] = None,
    confidences: Annotated[
        bool, typer.Option("--confidences", help="A column for the confidence of each attribute too.")
    ] = False,
    timing: Annotated[bool, typer.Option("--timing", help="Columns of time and tokens too.")] = False,
    bom: Annotated[
        bool, typer.Option("--bom/--no-bom", help="csv: begin with the mark by which Excel knows UTF-8.")
    ] = True,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails/--no-thumbnails", help="html: with a small picture of each.")
    ] = True,
    thumbnail_size: Annotated[
        int, typer.Option("--thumbnail-size", min=64, max=512, help="html: their longest side in pixels.")
    ] = 160,
    openai_batch: Annotated[
        bool,
        typer.Option(
            "--openai-batch",
            help="Write questions, not results: files for OpenAI's Batch API or `vllm run-batch`, in the folder --out.",
        ),
    ] = False,
    pictures: Annotated[
        list[str] | None, typer.Option("--pictures", help="openai-batch: list these first, as `onelook batch` does.")
    ] = None,
    reader: Annotated[
        Reader, typer.Option("--for", help="openai-batch: who answers the files; vllm keeps an exact constraint.")
    ] = "vllm",
    max_requests: Annotated[int, typer.Option("--max-requests", min=1, help="openai-batch: most in a file.")] = 50_000,
    max_file_mb: Annotated[
        float, typer.Option("--max-file-mb", min=0.001, help="openai-batch: largest file, in 10^6 bytes.")
    ] = 200,
    again: Annotated[
        bool, typer.Option("--again", help="openai-batch: also what waits for its answer in an earlier file.")
    ] = False,
    choices: RunOptions,
    options: Annotated[SettingsOptions, Only("model", "taxonomy", "templates", "config")],
) -> None:
    """Write the results as Parquet, CSV, JSONL, SQLite, or as a page to look through (HTML)."""
    with stoppable(), reported():
        if openai_batch:
            from onelook.batch.openai_batch.offline import Offline
            from onelook.cli.openai_batch import export_questions

            if to is not None:
                raise SettingsError("--to is for results, --openai-batch for questions", hint="leave one of them out")
            questions = Offline(options.load(engine="vllm"), choices.context(), reader)
            limits = (max_requests, int(max_file_mb * 1e6))
            export_questions(questions, Path(folder), out, pictures or (), limits, again=again)
            return
        side = Side.parse(folder)
        batch = Batch.read(side.folder, side.version if version is None else version)
        wanted = Choices(min_confidence, confidences, timing)
        if out is None and to is None:
            raise SettingsError("which format?", hint="--to parquet, csv, jsonl, sqlite or html")
        if str(out) == "-":
            if to not in ("csv", "jsonl"):
                raise SettingsError(f"--out - is for {' and '.join(STREAMED)}", hint="add --to jsonl")
            write_stream(batch, to, sys.stdout.buffer, wanted, bom=bom)
            sys.stdout.flush()
            _note_unfinished(batch)
            return
        chosen = to or format_of(out or Path())
        file = out or side.folder / f"tags.{chosen}"
        check_replaceable(file, chosen)
        with _progress(batch, "exporting") as advance:
            if chosen == "html":
                from onelook.batch.export.sheet import SheetChoices, write_sheet

                sheet = SheetChoices(thumbnail_size if thumbnails else None, Limits.of(options.load()))
                if thumbnails and batch.listed > MANY_THUMBNAILS:
                    print_note(
                        f"{batch.listed:,} thumbnails make a file of some {batch.listed * 4.5e-3:,.0f} MB, which"
                        " browsers open slowly or not at all: --no-thumbnails or --thumbnail-size 96 make it smaller"
                    )
                shown = write_sheet(batch, file, wanted, sheet, on_entry=advance)
                written = shown.pictures
                if shown.without_thumbnail:
                    print_note(f"pictures without a thumbnail, gone or not readable: {shown.without_thumbnail:,}")
            else:
                written = write_table(batch, chosen, file, wanted, bom=bom, on_entry=advance)
        _note_unfinished(batch)
        print_note(f"{written:,} picture{'' if written == 1 else 's'} of version @{batch.version.id}")
        sys.stdout.write(f"{printable(str(file))}\n")


@contextmanager
def _progress(batch: Batch, what: str) -> Iterator[Callable[[], None]]:
    from onelook.cli.console import progress

    with progress() as bar:
        task = bar.add_task(what, total=batch.listed)
        yield lambda: bar.advance(task)


def _note_unfinished(batch: Batch) -> None:
    if batch.todo:
        print_note(
            f"{batch.todo:,} of {batch.listed:,} pictures have no answer yet: their status is `todo`;"
            " export again when the batch is finished"
        )
