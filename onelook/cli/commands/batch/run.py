"""`onelook batch run`: begin a batch, or go on with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer

from onelook.answering.bug import BUG
from onelook.batch.fingerprint import Fingerprint, fingerprint
from onelook.batch.ledger import How, Ledger, Listed, State, Version
from onelook.batch.lock import locked
from onelook.batch.manifest import Columns
from onelook.batch.runner import BatchRun, Plan
from onelook.batch.sources import listed_pictures
from onelook.batch.stopping_rules import MaxFailures
from onelook.cli.batch_progress import Prices, ProgressLine, totals
from onelook.cli.bug_traces import keep_bug_traces
from onelook.cli.choices import choices, sizes
from onelook.cli.draining import Drain, draining
from onelook.cli.failure import reported
from onelook.cli.notes import print_note
from onelook.cli.options import (
    ConfigOption,
    EngineOption,
    LanguageOption,
    ModelOption,
    TaxonomyOption,
    TemplatesOption,
)
from onelook.cli.run_options import (
    AdaptiveOption,
    ArmOption,
    BaseUrlsOption,
    ConcurrencyOption,
    DebiasOption,
    EscalateOption,
    LongEdgeOption,
    ReplyFormatOption,
    ResolutionOption,
    ThresholdOption,
)
from onelook.cli.stopping import Stopped, leave, run_until_stopped
from onelook.cli.summary import left_out_lines
from onelook.demo.checkpoint import demo_note, with_demo_models
from onelook.images.printable import printable
from onelook.images.walk import Found
from onelook.result import TagResult
from onelook.settings.choices import complete
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context

EPILOG = """
FOLDER keeps what is done: start the same command again and it goes on, after Ctrl-C, a power cut or `kill -9`. The same
bytes are asked about once. Another taxonomy, model, arm or prompt makes a new version of the answers, and the old ones
stay.

The exit code is 0 when every picture has an answer, 1 when some failed or are still to do, 2 when the run could not
begin or go on, and 128 + the signal's number after Ctrl-C, SIGTERM or SIGHUP: the first one lets it finish what is in
flight, the second ends it at once.

\b
Examples:
  onelook batch photos/ --out tags
  onelook batch 'photos/2024/**/*.jpg' --out tags
      a pattern; quoted, it may match any number of names
  find photos -name '*.jpg' -print0 | onelook batch - --out tags
  onelook batch list.csv --path-column file --id-column sku --out tags
      a manifest: CSV, JSONL or Parquet
  onelook batch photos/ --out tags --dry-run
      what it would take, from the first pictures
"""

app = typer.Typer(add_completion=False)


@app.command(epilog=EPILOG)
def run(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PICTURES",
            help="Files, folders (searched below), patterns, URLs, manifests (CSV, JSONL, Parquet), or - for names on"
            " standard input. None: those that FOLDER lists already.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The batch's folder; it is made where it is missing.")] = ...,  # type: ignore[assignment]
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed", help="Take all that failed again. Without it: only what may work the next time."
        ),
    ] = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Take at most so many pictures now.")] = None,
    max_failures: Annotated[
        str | None, typer.Option("--max-failures", help="Stop when more than so many pictures fail: 100, or 5%.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Keep nothing: count, and estimate time and tokens from a few pictures."),
    ] = False,
    path_column: Annotated[
        str | None, typer.Option("--path-column", help="A manifest's column of paths or URLs. Default: path, file, …")
    ] = None,
    id_column: Annotated[
        str | None, typer.Option("--id-column", help="A manifest's column of ids. Default: id, if there is one.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option("--root", help="Where a manifest's paths begin. Default: the manifest's folder.")
    ] = None,
    runner: Annotated[
        Literal["local", "ray"],
        typer.Option("--runner", help="On this machine (local), or by Ray Data on many: docs/batch.md."),
    ] = "local",
    actors: Annotated[
        int, typer.Option("--actors", min=1, help="With --runner ray: how many taggers work at the same time.")
    ] = 1,
    ray_address: Annotated[
        str | None, typer.Option("--ray-address", help="With --runner ray: a cluster. Default: Ray starts here.")
    ] = None,
    prompt_price: Annotated[
        float | None, typer.Option("--prompt-price", help="Price of a million prompt tokens, to show the cost.")
    ] = None,
    completion_price: Annotated[
        float | None, typer.Option("--completion-price", help="Price of a million completion tokens.")
    ] = None,
    arm: ArmOption = None,
    reply_format: ReplyFormatOption = None,
    language: LanguageOption = None,
    resolution: ResolutionOption = None,
    long_edge: LongEdgeOption = None,
    adaptive: AdaptiveOption = None,
    debias: DebiasOption = None,
    confidence_threshold: ThresholdOption = None,
    escalate: EscalateOption = None,
    concurrency: ConcurrencyOption = None,
    engine: EngineOption = None,
    model: ModelOption = None,
    base_url: BaseUrlsOption = None,
    taxonomy: TaxonomyOption = None,
    templates: TemplatesOption = None,
    config: ConfigOption = None,
) -> None:
    """Tag every picture that is not done yet, and keep the answers in FOLDER."""
    with reported():
        settings = load_settings(
            engine=engine,
            model=model,
            base_url=base_url[0] if base_url else None,
            replicas=tuple(base_url[1:]) if base_url else None,
            taxonomy=taxonomy,
            templates=templates,
            concurrency=concurrency,
            config=config,
        )
        context = choices(
            arm=arm,
            reply_format=reply_format,
            language=language,
            **sizes(resolution, long_edge),
            adaptive=adaptive,
            debias=debias,
            confidence_threshold=confidence_threshold,
            escalate=escalate,
        )
        prices = Prices(prompt_price, completion_price)
        rules = None if max_failures is None else MaxFailures.parse(max_failures)
        tagger = Tagger(with_demo_models(settings))
        found = Found()
        pictures = listed_pictures(
            sources or (), found, columns=Columns(path_column, id_column, root), read_list=sys.stdin.buffer.read
        )
        again: tuple[State, ...] = ("may_pass", "failed") if retry_failed else ("may_pass",)
        if dry_run:
            from onelook.cli.batch_estimate import print_estimate

            print_estimate(tagger, context, out, pictures, found, again, limit, prices)
            return
        if runner == "ray":
            from onelook.cli.batch_ray import run_ray

            run_ray(tagger, context, out, pictures, found, again, limit, actors, ray_address)
        with locked(out), closing(Ledger.create(out)) as ledger:
            added = ledger.add(_counted(pictures))
            for each in left_out_lines(found):
                print_note(each)
            if ledger.count(None)["todo"] == 0:
                print_note("no pictures: name files, folders or a manifest")
                raise typer.Exit(2)
            if added.changed:
                print_note(f"{added.changed:,} files have changed since they were listed, and are to do again")
            session = Session(tagger, ledger, context, again, limit, rules, prices, found)
            session.run()


class Session:
    """The run of one command: its engine, its progress on the terminal, and its end."""

    def __init__(
        self,
        tagger: Tagger,
        ledger: Ledger,
        context: Context,
        again: tuple[State, ...],
        limit: int | None,
        rules: MaxFailures | None,
        prices: Prices,
        found: Found,
    ) -> None:
        self._tagger, self._ledger, self._context = tagger, ledger, context
        self._again, self._limit, self._rules, self._prices, self._found = again, limit, rules, prices, found
        self._batch: BatchRun | None = None
        self._line = ProgressLine(prices)
        self._version = 0
        self._how: How | None = None
        self._stopping = False
        self._bug = self._started = False

    def run(self) -> None:
        traces = keep_bug_traces()
        stopped: Stopped | None = None
        with draining(self._stop) as drain:
            try:
                run_until_stopped(self._work())
            except Stopped as signalled:
                stopped = signalled
            finally:
                self._line.stop()
        if self._bug:
            print_note(f"onelook has a bug: {traces} has the stack trace. Please report it.")
        self._summarize()
        if stopped is not None:
            leave(stopped)
        raise typer.Exit(self._exit_code(drain))

    def _stop(self) -> None:
        self._stopping = True
        if self._batch is not None:
            self._batch.stop()
        in_flight = 0 if self._batch is None else self._batch.progress().in_flight
        self._line.note(f"finishing {in_flight} pictures in flight; once more, and it ends at once")

    async def _work(self) -> None:
        async with self._tagger as tagger:
            if note := demo_note(tagger.services.settings, tagger.services.prompts):
                print_note(note.text("terminal"))
            if tagger.services.settings.engine == "vllm":  # only the server knows the name of its model
                await self._start()
            made = fingerprint(tagger.services, complete(self._context, tagger.services.run))
            known = self._ledger.versions()
            self._version = self._ledger.version(made)
            if self._announce(made, known):
                await self._start()
            run = self._ledger.begin_run(self._version, os.getpid(), self._found.left_out)
            plan = Plan(self._version, self._again, self._limit, self._rules)
            batch = BatchRun(tagger, self._ledger, plan, run, self._context, on_outcome=self._seen)
            self._batch = batch
            if self._stopping:
                batch.stop()
            with self._line.following(batch.progress):
                self._how = await batch.run()

    async def _start(self) -> None:
        """Load the model, or ask the server what it can do, before the first picture needs it."""
        if self._started:
            return
        self._started = True
        with self._line.starting():
            await self._tagger.start(self._context)
        if stale := self._tagger.calibration_note(self._context):
            print_note(stale)

    def _seen(self, _: str, result: TagResult) -> None:
        self._bug = self._bug or any(error.kind == BUG for error in result.errors)

    def _announce(self, made: Fingerprint, known: list[Version]) -> int:
        """How many pictures are to do."""
        counts = self._ledger.count(self._version)
        todo = counts["todo"] + sum(counts[state] for state in self._again)
        listed = counts.total()
        version = ""
        if known and all(each.fingerprint != made.digest for each in known):
            changed = ", ".join(made.changed_since(known[-1].made_from))
            version = f"; a new version of the answers, @{self._version}: {changed} changed since @{known[-1].id}"
        elif len(known) > 1:
            version = f"; version @{self._version} of the answers"
        print_note(f"{listed:,} pictures, {todo:,} to do{version}")
        return todo

    def _summarize(self) -> None:
        if self._batch is None:
            return
        progress = self._batch.progress()
        if progress.todo:
            print_note(totals(progress, self._prices))
        if self._batch.reason is not None:
            print_note(f"stopped: {self._batch.reason}")
        counts = self._ledger.count(self._version)
        left = counts["todo"] + counts["may_pass"]
        failed = counts["failed"] + counts["may_pass"]
        folder = printable(str(self._ledger.folder))
        parts = [f"{counts['ok'] + counts['needs_review']:,} of {counts.total():,} have an answer"]
        if failed:
            parts.append(f"{failed:,} failed: `onelook batch status {folder}` has the reasons")
        if left:
            parts.append(f"{left:,} still to do: the same command goes on")
        print_note("; ".join(parts))

    def _exit_code(self, drain: Drain) -> int:
        if drain.exit_code is not None:
            return drain.exit_code
        counts = self._ledger.count(self._version)
        return 1 if counts["todo"] or counts["failed"] or counts["may_pass"] or self._found.closed else 0


def _counted(pictures: Iterator[Listed]) -> Iterator[Listed]:
    """Shows how many are found so far, where somebody looks."""
    from onelook.cli.console import at_terminal, err

    if not at_terminal():
        yield from pictures
        return
    with err.status("listing pictures") as status:
        for number, each in enumerate(pictures, 1):
            if number % 1000 == 0:
                status.update(f"listing pictures: {number:,}")
            yield each
