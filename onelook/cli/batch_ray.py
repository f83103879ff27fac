"""`onelook batch … --runner ray`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import typer

from onelook.batch.entries import Listed, State
from onelook.batch.fingerprint import Fingerprint, fingerprint
from onelook.batch.lock import locked
from onelook.batch.ray.run import PICTURES, RayRun
from onelook.cli.notes import print_note
from onelook.cli.pictures import left_out_line
from onelook.cli.stopping import run_until_stopped, stoppable
from onelook.errors import BatchError
from onelook.images.walk import Found
from onelook.tagger import Tagger
from onelook.types import Context


def run_ray(
    tagger: Tagger,
    context: Context,
    folder: Path,
    pictures: Iterator[Listed],
    found: Found,
    again: Sequence[State],
    limit: int | None,
    actors: int,
    address: str | None,
) -> NoReturn:
    """The whole command: list, tag, count."""

    async def check() -> Fingerprint:
        async with tagger:
            if tagger.services.settings.engine == "vllm":
                await tagger.start(context)
            return fingerprint(tagger.services, context)

    with locked(folder):
        with stoppable():
            made = run_until_stopped(check())
        run = RayRun(folder, tagger.services.settings, context, made, actors, address, again, limit)
        first = next(pictures, None)
        if first is not None:
            listed = run.list(_with(first, pictures))
            if found.left_out:
                print_note(left_out_line(found.left_out))
            print_note(f"{listed:,} pictures in the list")
        elif not (folder / PICTURES).exists():
            raise BatchError("no pictures", hint="name files, folders or a manifest")
        counts = run.run()
    done = counts["ok"] + counts["needs_review"]
    left = f"; {counts['todo']:,} still to do: the same command goes on" if counts["todo"] else ""
    others = f" (with {counts['others']:,} of earlier lists)" if counts["others"] else ""
    print_note(
        f"{counts['ok']:,} ok, {counts['needs_review']:,} to review, {counts['failed']:,} failed{left};"
        f" {done:,} have an answer: {run.answers}/*.parquet{others}"
    )
    raise typer.Exit(1 if counts["failed"] or counts["todo"] else 0)


def _with(first: Listed, rest: Iterator[Listed]) -> Iterator[Listed]:
    yield first
    yield from rest
