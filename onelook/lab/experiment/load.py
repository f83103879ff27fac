"""Questions at the same time: a closed loop with so many in flight, and an open one with random arrivals."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Literal

from onelook.engines.cache_scope import cache_scope
from onelook.lab.experiment.design import Design
from onelook.lab.experiment.order import shuffled
from onelook.lab.experiment.outcomes import LoadOutcome, Runs, RunsFile
from onelook.lab.experiment.run import RunningArm

Level = tuple[Literal["closed", "open"], float, str]


def levels(design: Design) -> Iterator[Level]:
    """Every level with the arms in random order: mode, pictures at once or a second, arm."""
    rng = random.Random(f"onelook load {design.seed}")  # noqa: S311 - an order, no secret
    names = [arm.name for arm in design.arms]
    for at_once in design.load.closed:
        yield from (("closed", float(at_once), name) for name in shuffled(names, rng))
    for rate in design.load.open:
        yield from (("open", rate, name) for name in shuffled(names, rng))


async def run_load(
    design: Design, arms: Mapping[str, RunningArm], paths: Mapping[str, Path], runs: Runs, file: RunsFile
) -> None:
    """Run every level that has not all of its outcomes. A level that was interrupted is run again as a whole, because
    its pictures waited for each other; the report takes the last one."""
    counts: dict[Level, int] = {}
    for each in runs.load:
        counts[each.mode, each.level, each.arm] = counts.get((each.mode, each.level, each.arm), 0) + 1
    for level in levels(design):
        if counts.get(level, 0) < design.load.pictures:
            for outcome in await _level(design, level, arms[level[2]], paths):
                file.write(outcome)
                runs.load.append(outcome)


async def _level(design: Design, level: Level, running: RunningArm, paths: Mapping[str, Path]) -> list[LoadOutcome]:
    mode, amount, arm = level
    rng = random.Random(f"onelook load {design.seed} {mode} {amount}")  # noqa: S311
    names = [each.name for each in design.pictures]
    drawn = [names[number % len(names)] for number in range(design.load.pictures)]
    gaps = [rng.expovariate(amount) if mode == "open" else 0.0 for _ in drawn]
    places = asyncio.Semaphore(int(amount) if mode == "closed" else len(drawn))
    scope = None if design.passes[0] == "shared" else f"{design.digest[:12]} {arm} {mode} {amount:g}"
    began = time.perf_counter()

    async def one(number: int, picture: str, arrives_s: float) -> LoadOutcome:
        await asyncio.sleep(arrives_s - (time.perf_counter() - began))
        async with places:
            sent = time.perf_counter() - began
            result = await running.tagger.tag_or_report(str(paths[picture]), running.arm.context, name=picture)
        return LoadOutcome(
            mode=mode,
            level=amount,
            arm=arm,
            number=number,
            picture=picture,
            # In a closed loop the next picture is due when a place is free; in an open one when it arrives.
            due_s=arrives_s if mode == "open" else sent,
            sent_s=sent,
            answered_s=time.perf_counter() - began,
            status=result.status,
        )

    token = cache_scope.set(scope)
    try:
        asking = zip(range(len(drawn)), drawn, accumulate(gaps), strict=True)
        return list(await asyncio.gather(*(one(*each) for each in asking)))
    finally:
        cache_scope.reset(token)
