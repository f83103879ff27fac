"""`onelook batch run`: begin a batch, or go on with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer

from onelook.batch.entries import Added, Listed, State
from onelook.batch.ledger import Ledger
from onelook.batch.lock import locked
from onelook.batch.manifest import Columns
from onelook.batch.sources import listed_pictures
from onelook.batch.stopping_rules import MaxFailures
from onelook.cli.batch_progress import Prices
from onelook.cli.batch_session import Session
from onelook.cli.failure import reported
from onelook.cli.notes import print_note
from onelook.cli.option_groups import Only, grouped
from onelook.cli.options import SettingsOptions, setting
from onelook.cli.run_options import ConcurrencyOption, RunOptions
from onelook.cli.summary import left_out_lines
from onelook.demo.checkpoint import with_demo_models
from onelook.errors import SettingsError
from onelook.images.walk import Found
from onelook.tagger import Tagger

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
@grouped
def run(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PICTURES",
            help="Files, folders (searched below), patterns, URLs, manifests (CSV, JSONL, Parquet), or - for names on"
            " standard input. None: those that FOLDER lists already.",
        ),
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", help="The batch's folder; it is made where it is missing.")],
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
    choices: RunOptions,
    concurrency: ConcurrencyOption = None,
    base_urls: Annotated[
        list[str] | None,
        setting("base_url", words="Address of an OpenAI-compatible server; several: give it again."),
    ] = None,
    options: Annotated[SettingsOptions, Only("engine", "model", "taxonomy", "templates", "config")],
) -> None:
    """Tag every picture that is not done yet, and keep the answers in FOLDER."""
    with reported():
        settings = options.load(
            base_url=base_urls[0] if base_urls else None,
            replicas=tuple(base_urls[1:]) if base_urls else None,
            concurrency=concurrency,
        )
        context = choices.context()
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
            _refuse_for_ray(
                {
                    "--max-failures": max_failures,
                    "--prompt-price": prompt_price,
                    "--completion-price": completion_price,
                }
            )
            from onelook.cli.batch_ray import run_ray

            run_ray(tagger, context, out, pictures, found, again, limit, actors, ray_address)
        with locked(out), closing(Ledger.create(out)) as ledger:
            added = ledger.add(_counted(pictures))
            for each in left_out_lines(found):
                print_note(each)
            if ledger.count(None)["todo"] == 0:
                print_note("no pictures: name files, folders or a manifest")
                raise typer.Exit(2)
            for each in added_lines(added):
                print_note(each)
            session = Session(tagger, ledger, context, again, limit, rules, prices, found)
            session.run()


def _refuse_for_ray(given: Mapping[str, object]) -> None:
    for option, value in given.items():
        if value is not None:
            raise SettingsError(
                f"{option} has no effect with --runner ray: its actors count each for themselves",
                hint=f"leave {option} out, or use --runner local",
            )


def added_lines(added: Added) -> Iterator[str]:
    """What a list has changed about pictures that were there before."""
    if added.changed:
        files = "1 file has" if added.changed == 1 else f"{added.changed:,} files have"
        yield f"{files} another size or date than before: asked about again where the bytes are others"
    if added.missing:
        files = "1 file is" if added.missing == 1 else f"{added.missing:,} files are"
        yield f"{files} not there now: what was answered about them is kept"
    if added.renamed:
        yield f"{added.renamed:,} picture{'' if added.renamed == 1 else 's'} had another id before"


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
