"""`onelook batch … --dry-run`: what the run would take."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from onelook.batch.entries import Listed, State
from onelook.batch.estimate import Estimate, Work, count_work, estimate
from onelook.batch.fingerprint import fingerprint
from onelook.cli.batch_progress import Prices
from onelook.cli.durations import duration, short
from onelook.cli.notes import print_note
from onelook.cli.pictures import left_out_line
from onelook.cli.stopping import run_until_stopped, stoppable
from onelook.images.walk import Found
from onelook.tagger import Tagger
from onelook.types import Context


def print_estimate(
    tagger: Tagger,
    context: Context,
    folder: Path,
    pictures: Iterator[Listed],
    found: Found,
    again: Sequence[State],
    limit: int | None,
    prices: Prices,
) -> None:
    """Count what is to do, tag a few pictures, and print what all would take. Nothing is kept."""

    async def work() -> None:
        async with tagger:
            await tagger.start(context)
            made = fingerprint(tagger.services, context)
            counted = await asyncio.to_thread(count_work, folder, made, pictures, again, limit)
            if found.left_out:
                print_note(left_out_line(found.left_out))
            print(work_line(counted))
            if counted.todo:
                print(estimate_line(await estimate(tagger, context, counted), prices))

    with stoppable():
        run_until_stopped(work())


def work_line(work: Work) -> str:
    """`1,000 pictures, 800 to do: taxonomy changed since the newest answers`."""
    changed = f": {', '.join(work.changed)} changed since the newest answers" if work.changed else ""
    return f"{work.listed:,} pictures, {work.todo:,} to do{changed}"


def estimate_line(estimated: Estimate, prices: Prices) -> str:
    tokens = f", {short(estimated.prompt_tokens)} prompt and {short(estimated.completion_tokens)} completion tokens"
    cost = prices.cost(estimated.prompt_tokens, estimated.completion_tokens)
    parts = [
        f"about {duration(estimated.seconds)}",
        tokens if estimated.prompt_tokens else "",
        f", cost about {cost:.2f}" if cost is not None else "",
        f" (from {estimated.sample} pictures",
        f", {estimated.failed} of them failed" if estimated.failed else "",
        ")",
    ]
    return "".join(parts)
