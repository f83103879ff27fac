"""What a batch would take: counted without keeping anything, and timed on its first pictures."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from onelook.batch.database import exists
from onelook.batch.entries import Added, Listed, State
from onelook.batch.fingerprint import Fingerprint, changed_parts
from onelook.batch.ledger import Ledger
from onelook.batch.row import tag_file
from onelook.result import TagResult
from onelook.run_pool import as_completed
from onelook.tagger import Tagger
from onelook.types import Context

SAMPLE = 8


@dataclass(frozen=True, slots=True)
class Work:
    """`listed` pictures, of which `todo` would be asked about. `version`: of the answers that there are for this
    fingerprint, None where there are none; `changed`: what differs from the newest one. `first`: some of the pictures
    to do."""

    listed: int
    todo: int
    version: int | None
    changed: Sequence[str]
    first: Sequence[str]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds for all that is to do, and tokens where the engine counts them. Of `sample` pictures, `failed` failed."""

    sample: int
    failed: int
    seconds: float
    prompt_tokens: int
    completion_tokens: int


def count_work(
    folder: Path, made: Fingerprint, pictures: Iterable[Listed], again: Sequence[State], limit: int | None = None
) -> Work:
    """What a run would do. Nothing is written to `folder`, which need not exist.

    Raises:
        BatchError: `folder` is not a batch's, or a manifest is wrong.
    """
    first: list[str] = []

    def watched() -> Iterator[Listed]:
        for each in pictures:
            if len(first) < SAMPLE:
                first.append(os.fsdecode(each.place))
            yield each

    with _opened(folder) as ledger:
        versions = ledger.versions()
        version = next((each.id for each in versions if each.fingerprint == made.digest), None)
        before = ledger.count(version)
        added: Added = ledger.add(watched(), keep=False)
        todo = ledger.count_todo(version, again) + added.new
        if version is not None:
            waiting = ledger.todo(version, after=0, at_most=SAMPLE, again=again)
            first = [os.fsdecode(each.place) for each in waiting] or first
            todo += added.changed  # those that have an outcome; the others are counted already, which is rare
        todo = min(todo, before.total() + added.new)
        changed = () if not versions or version is not None else changed_parts(versions[-1].made_from, made.made_from)
        listed = before.total() + added.new
    return Work(listed, todo if limit is None else min(todo, limit), version, changed, first[:todo])


async def estimate(tagger: Tagger, context: Context | None, work: Work) -> Estimate:
    """Tags the first pictures, as many at once as a run would. Their answers are not kept."""

    async def one(place: str) -> TagResult:
        _, result = await tag_file(tagger, place, context)
        return result

    began_s = time.monotonic()
    results = [each async for _, each in as_completed(one, work.first, at_once=tagger.services.settings.concurrency)]
    share = work.todo / len(results) if results else 0.0
    return Estimate(
        sample=len(results),
        failed=sum(each.status == "failed" for each in results),
        seconds=(time.monotonic() - began_s) * share,
        prompt_tokens=int(sum(each.usage.prompt_tokens or 0 for each in results) * share),
        completion_tokens=int(sum(each.usage.completion_tokens or 0 for each in results) * share),
    )


@contextmanager
def _opened(folder: Path) -> Iterator[Ledger]:
    """The ledger of `folder`, or an empty one that is thrown away where there is none."""
    if exists(folder):
        with closing(Ledger.create(folder)) as ledger:
            yield ledger
        return
    with TemporaryDirectory() as temporary, closing(Ledger.create(Path(temporary))) as ledger:
        yield ledger
