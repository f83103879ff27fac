"""`onelook batch write-xmp`: the tags of a batch where photo programs read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from onelook.batch.changes import Side
from onelook.batch.export.batch import Batch
from onelook.batch.export.columns import taxonomy_of
from onelook.batch.records import Record, records
from onelook.batch.xmp.keywords import ROOT, KeywordChoices
from onelook.batch.xmp.sidecars import SidecarName
from onelook.batch.xmp.write import Outcome, WriteChoices, Writer
from onelook.cli.draining import draining
from onelook.cli.failure import reported
from onelook.cli.notes import print_note
from onelook.cli.output import Lines
from onelook.cli.stopping import Stopped, leave
from onelook.cli.xmp_summary import Summary
from onelook.images.source import SCHEME, is_data_url
from onelook.prompts.taxonomy.document import load_taxonomy

EPILOG = """
Keywords that are there already stay, and are copied into every list, because programs read the first list that they
find. Only the keywords of earlier calls are replaced, or taken out with --remove. A second call changes nothing. What
each program reads: docs/metadata.md.

A line is printed for each file that is refused, with the reason (tabs between); the others go on. The exit code is 0, 1
when a file was refused, 2 when nothing could begin, and 128 + the signal's number after Ctrl-C, SIGTERM or SIGHUP.

\b
Examples:
  onelook batch write-xmp tags --dry-run
      which files would change, and their keywords
  onelook batch write-xmp tags --language zh --language en
      keywords in both languages
  onelook batch write-xmp tags --naming photo.xmp
      one sidecar for RAW and JPEG, as Lightroom has it
  onelook batch write-xmp tags --remove
"""

app = typer.Typer(add_completion=False)


@app.command("write-xmp", epilog=EPILOG)
def write_xmp(
    folder: Annotated[str, typer.Argument(help="The batch's folder, or a version of its answers: FOLDER@1.")],
    min_confidence: Annotated[
        float,
        typer.Option(
            "--min-confidence",
            min=0,
            max=1,
            help="Write tags that are at least so sure; 0 writes all, also those of unknown confidence.",
        ),
    ] = KeywordChoices().min_confidence,
    languages: Annotated[
        list[str] | None,
        typer.Option("--language", help="Language of the labels; several: give it again. Default: the run's."),
    ] = None,
    root: Annotated[
        str, typer.Option("--root", help="The level above all of these keywords; an empty text leaves it out.")
    ] = ROOT,
    naming: Annotated[
        SidecarName | None,
        typer.Option(
            "--naming",
            help="How sidecars are called. Default: photo.jpg.xmp, or photo.xmp where only that one is there.",
        ),
    ] = None,
    labels_of: Annotated[
        Path | None,
        typer.Option("--taxonomy", help="Take the labels from this document. Default: the taxonomy of the answers."),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            "--leave-out",
            metavar="ID",
            help="No keyword: the id of an option, an attribute or a category (unclear, animal.count); several: give it"
            " again. The taxonomy's own (not_keywords) are left out too.",
        ),
    ] = None,
    embed: Annotated[
        bool,
        typer.Option(
            "--embed",
            help="Write into the pictures with ExifTool, which keeps each as NAME_original. RAW gets sidecars.",
        ),
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take out what earlier calls wrote.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: list the files that would change, and how.")
    ] = False,
) -> None:
    """Write tags as keywords into XMP sidecars, which photo programs read."""
    with reported():
        side = Side.parse(folder)
        batch = Batch.read(side.folder, side.version)
        labels = taxonomy_of(batch.version) if labels_of is None else load_taxonomy(labels_of)
        keywords = KeywordChoices(min_confidence, tuple(languages or ()), root, tuple(leave_out or ()))
        writer = Writer(labels, WriteChoices(keywords, naming, embed=embed, remove=remove, dry_run=dry_run))
        if writer.exiftool is None and not remove:
            print_note("ExifTool is not installed: Pillow looks for keywords inside of pictures, in fewer formats")
        Session(batch, writer).run()


class Session:
    """The pictures of one call, the progress on the terminal, and the end."""

    def __init__(self, batch: Batch, writer: Writer) -> None:
        self._batch, self._writer = batch, writer
        self._summary = Summary(writer.choices.dry_run)
        self._lines = Lines()
        self._stopping = False

    def run(self) -> None:
        with draining(self._stop) as drain:
            try:
                self._work()
            except Stopped as stopped:
                self._summarize()
                leave(stopped)
        self._summarize()
        exit_code = self._summary.exit_code or int(self._lines.failed)
        raise typer.Exit(exit_code if drain.exit_code is None else drain.exit_code)

    def _stop(self) -> None:
        self._stopping = True

    def _work(self) -> None:
        from onelook.cli.console import progress

        with self._writer, progress() as bar:
            task = bar.add_task("reading" if self._writer.choices.dry_run else "writing", total=self._batch.listed)
            for record in records(self._batch.folder, self._batch.version.id):
                if self._stopping:
                    return
                for outcome in self._outcomes(record):
                    line = self._summary.add(outcome)
                    if line is not None:
                        self._lines.write(line)
                bar.advance(task)

    def _outcomes(self, record: Record) -> Iterator[Outcome]:
        if SCHEME.match(record.place) or is_data_url(record.place):
            self._summary.counts["remote"] += 1
            return
        choices, category = self._writer.choices, None if record.result is None else record.result.category
        if category is not None and category.confidence is None:
            self._summary.unknown += choices.keywords.min_confidence > 0 and not choices.remove
        yield from self._writer.write(Path(record.place), record.result)

    def _summarize(self) -> None:
        if self._stopping:
            print_note("stopped: the same command goes on")
        for each in self._summary.lines():
            print_note(each)
