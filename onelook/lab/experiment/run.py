"""Asks the questions of a design that have no outcome yet, one at a time, and writes each outcome as it comes."""

from __future__ import annotations

import platform
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from onelook.batch.fingerprint import fingerprint
from onelook.engines.cache_scope import cache_scope
from onelook.errors import ExperimentError, OnelookError
from onelook.lab.experiment.arms import PreparedArm
from onelook.lab.experiment.design import AGAIN, Caches, Design
from onelook.lab.experiment.order import ask_order
from onelook.lab.experiment.outcomes import Outcome, Runs, RunsFile, Session, Stopped, outcome_of
from onelook.tagger import Tagger

LOCK: Final = "experiment.lock"

Progress = Callable[[int, int, str], None]
"""Is called with how many questions are done, how many there are, and the arm of the next one."""

StoppingRule = Callable[[Sequence[Outcome]], str | None]
"""Why the outcomes so far are enough; None: go on. It is asked after each picture."""


@dataclass(frozen=True, slots=True)
class RunningArm:
    arm: PreparedArm
    tagger: Tagger


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the experiment in `folder` until the block ends.

    Raises:
        ExperimentError: another process holds it, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, blocking=False)
        lock.acquire()
    except Timeout:
        raise ExperimentError(
            f"another process runs the experiment in {folder}", hint="wait for it, or use another --out FOLDER"
        ) from None
    except OSError as error:
        raise ExperimentError(f"{folder}: {error.strerror}", hint="name another folder with --out FOLDER") from None
    try:
        yield
    finally:
        lock.release()


async def run_sequence(
    design: Design,
    arms: Mapping[str, RunningArm],
    paths: Mapping[str, Path],
    runs: Runs,
    file: RunsFile,
    *,
    stopping_rule: StoppingRule | None = None,
    progress: Progress = lambda done, total, arm: None,
) -> None:
    """Warm up, then ask every question that `runs` has no outcome of. `paths`: by the picture's name.

    Raises:
        ExperimentError: an arm answers none of its warm-up pictures.
    """
    order = ask_order(design)
    done = {outcome.key for outcome in runs.outcomes}
    left = [ask for ask in order if (ask.caches, design.pictures[ask.picture].name, ask.arm) not in done]
    if not left or runs.stopped is not None:
        return
    await _warm_up(design, arms, [design.pictures[ask.picture].name for ask in order], paths, runs, file)
    asked = len(order) - len(left)
    for index, ask in enumerate(left):
        progress(asked + index, len(order), ask.arm)
        picture = design.pictures[ask.picture].name
        outcome = await _ask(arms[ask.arm], picture, paths[picture], ask.arm, ask.caches, ask.place, design)
        file.write(outcome)
        runs.outcomes.append(outcome)
        ends_block = index + 1 == len(left) or left[index + 1].picture != ask.picture
        if ends_block and stopping_rule is not None and (reason := stopping_rule(runs.outcomes)) is not None:
            runs.stopped = Stopped(pictures=len({each.picture for each in runs.outcomes}), reason=reason)
            file.write(runs.stopped)
            break
    progress(len(order), len(order), "")


async def _warm_up(
    design: Design,
    arms: Mapping[str, RunningArm],
    order: Sequence[str],
    paths: Mapping[str, Path],
    runs: Runs,
    file: RunsFile,
) -> None:
    """The first pictures of the order, asked of every arm; in a scope of their own, so that no cache keeps them."""
    pictures = list(dict.fromkeys(order))[: design.warm_up]
    for name, arm in arms.items():
        if name.endswith(AGAIN):
            continue
        outcomes = [
            await _ask(arm, picture, paths[picture], name, "apart", 0, design, warm_up=True) for picture in pictures
        ]
        for outcome in outcomes:
            file.write(outcome)
        runs.warm_ups += outcomes
        if outcomes and all(outcome.status == "failed" for outcome in outcomes):
            error = outcomes[0].errors[-1]
            raise ExperimentError(
                f"arm {name} answers none of the {len(outcomes)} warm-up pictures: {error.kind}: {error.message}",
                hint=error.hint or "`onelook doctor` shows what its engine can do",
            )


async def _ask(
    running: RunningArm,
    picture: str,
    path: Path,
    name: str,
    caches: Caches,
    place: int,
    design: Design,
    *,
    warm_up: bool = False,
) -> Outcome:
    part = "warm-up" if warm_up else name
    scope = None if caches == "shared" and not warm_up else f"{design.digest[:12]} {part}"
    token = cache_scope.set(scope)
    began = time.time()
    try:
        result = await running.tagger.tag_or_report(str(path), running.arm.context, name=picture)
    finally:
        cache_scope.reset(token)
    return outcome_of(result, picture=picture, arm=name, caches=caches, place=place, began=began, warm_up=warm_up)


@asynccontextmanager
async def started(arms: Sequence[PreparedArm], design: Design) -> AsyncIterator[dict[str, RunningArm]]:
    """Every arm of the design with a Tagger that works; arms with the same settings share one.

    Raises:
        ExperimentError: an arm cannot start; the message has its name and the reason.
    """
    async with AsyncExitStack() as stack:
        running: dict[str, RunningArm] = {}
        for arm in arms:
            tagger = next((each.tagger for each in running.values() if each.arm.shares_with(arm)), None)
            try:
                if tagger is None:
                    tagger = await stack.enter_async_context(Tagger(arm.settings, arm.engine, router=arm.router))
                await tagger.start(arm.context)
            except OnelookError as error:
                raise ExperimentError(f"arm {arm.name} cannot start: {error.message}", hint=error.hint) from error
            running[arm.name] = RunningArm(arm, tagger)
        if design.aa:
            again = running[design.baseline]
            running[design.baseline + AGAIN] = RunningArm(again.arm.renamed(design.baseline + AGAIN), again.tagger)
        yield running


def session_of(design: Design, arms: Mapping[str, RunningArm], runs: Runs, album: Path) -> Session:
    """The line for this start."""
    fingerprints = {
        arm.name: dict(fingerprint(arms[arm.name].tagger.services, arms[arm.name].arm.context).made_from)
        for arm in design.arms
    }
    unsalted = (
        name
        for name, running in arms.items()
        if running.tagger.services.engine.capabilities.constraints == "schema" and design.caches != "shared"
    )
    return Session(
        design=design.digest,
        album=str(album.resolve()),
        began=time.time(),
        onelook=version("onelook"),
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        fingerprints=fingerprints,
        cut_off=runs.torn is not None,
        without_cache_salt=tuple(unsalted),
    )
