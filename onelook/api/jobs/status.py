"""How far a job is, and its results so far: read from its folder, by any of the server's processes."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from http import HTTPStatus
from typing import Final, Literal

import orjson
from pydantic import Field

from onelook.api.jobs.store import Job, JobStore
from onelook.api.jobs.trouble import Trouble, reporting_trouble
from onelook.api.problem import Problem, result_json
from onelook.batch.ledger_reader import LedgerReader
from onelook.errors import LedgerDamaged
from onelook.result import TagResult
from onelook.types import Frozen

JobState = Literal["queued", "running", "finished", "cancelled", "failed"]


log = logging.getLogger("onelook")

LOOK_EVERY_S: Final = 0.25
UNREADABLE: Final = "what the server keeps of this job is damaged, or cannot be read"


class JobCounts(Frozen):
    """Pictures by the status of their results; `to_do` have none yet."""

    ok: int = 0
    needs_review: int = 0
    failed: int = 0
    to_do: int = 0


class JobStatus(Frozen):
    """A job. Its results so far are at `results`."""

    id: str
    state: JobState = Field(
        description="queued: nothing is done yet; finished: every picture has a result; failed: the engine failed too"
        " often, so that pictures were left to do, or what the server keeps of it is damaged."
    )
    created: float = Field(description="Seconds since 1970.")
    ended: float | None = Field(None, description="Seconds since 1970.")
    reason: str | None = Field(None, description="Why it failed, or why it waits.")
    total: int
    pictures: JobCounts
    results: str = Field(description="Address of the results, as NDJSON.")


def status_of(store: JobStore, job: Job) -> JobStatus:
    """A job whose ledger cannot be read has failed, and shows no other thing than that.

    Raises:
        Problem: the job has been removed meanwhile.
    """
    ended, counts, reason = store.ended(job), Counter[str](), None
    state: JobState = "queued"
    try:
        with closing(_ledger(store, job)) as ledger:
            versions = ledger.versions()
            counts = ledger.count(versions[-1].id if versions else None)
        state = "running" if versions else "queued"
        reason = store.trouble() if ended is None else ended.reason
    except (LedgerDamaged, ValueError) as error:
        log.error("job %s cannot be read: %s", job.id, error)
        state, reason = "failed", UNREADABLE
    except Trouble:  # it may pass, such as a full disk
        reason = store.trouble() or UNREADABLE
    if ended is not None and reason != UNREADABLE:
        state = "cancelled" if ended.how == "stopped" else "failed" if ended.how == "failures" else "finished"
    return JobStatus(
        id=job.id,
        state=state,
        created=job.created,
        ended=None if ended is None else ended.at,
        reason=reason,
        total=len(job.ids),
        pictures=JobCounts(
            ok=counts["ok"],
            needs_review=counts["needs_review"],
            failed=counts["failed"] + counts["may_pass"],
            to_do=counts["todo"],
        ),
        results=f"/v1/jobs/{job.id}/results",
    )


def _ledger(store: JobStore, job: Job) -> LedgerReader:
    if store.find(job.id) is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"job {job.id} was removed", kind="NotFound")
    return LedgerReader.read(store.folder / job.id)


def results_of(store: JobStore, job: Job) -> Iterator[tuple[int, TagResult]]:
    """Of each picture that is done, in the order of the request: its index and its result.

    Raises:
        Problem: the job's results cannot be read, or the job has been removed meanwhile.
    """
    with reporting_trouble(f"the results of job {job.id} cannot be read"), closing(_ledger(store, job)) as ledger:
        versions = ledger.versions()
        for row in ledger.rows(versions[-1].id) if versions else ():
            if row.result is not None:
                index = row.picture - 1
                try:
                    result = TagResult.model_validate_json(row.result)
                except ValueError as error:
                    raise LedgerDamaged(f"picture {row.picture}: {error}") from None
                yield index, result.model_copy(update={"source": job.names[index]})


def line(job: Job, index: int, done: int, answer: Mapping[str, object]) -> bytes:
    """A line of a batch's response: the `done`-th of this job."""
    head = {"index": index, "id": job.ids[index], "progress": {"done": done, "total": len(job.ids)}}
    return orjson.dumps({**head, **answer}, option=orjson.OPT_APPEND_NEWLINE)


def result_lines(store: JobStore, job: Job, *, ledger: bool) -> Iterator[bytes]:
    """A line of JSON for each picture that is done, in the order of the request. Where they cannot be read any further,
    each of the others has the problem.

    Raises:
        Problem: not even the first can be read.
    """
    shown: set[int] = set()
    try:
        for index, result in results_of(store, job):
            shown.add(index)
            yield line(job, index, len(shown), {"result": orjson.Fragment(result_json(result, ledger=ledger))})
    except Problem as problem:
        if not shown:
            raise
        yield from _others(job, shown, problem)


def _others(job: Job, shown: set[int], problem: Problem) -> Iterator[bytes]:
    """A line with `problem` for each picture that has none yet."""
    for index in sorted(set(range(len(job.ids))) - shown):
        shown.add(index)
        yield line(job, index, len(shown), {"problem": problem.body()})


async def lines_until_ended(store: JobStore, job: Job, *, ledger: bool) -> AsyncIterator[bytes]:
    """A line of JSON for each picture, as soon as it is done. Pictures of a job that ended before they were done, was
    removed or cannot be read have a problem."""
    shown: set[int] = set()
    while True:
        ended = await asyncio.to_thread(store.ended, job)  # before its results: what comes between is in them
        try:
            found = await asyncio.to_thread(lambda: list(results_of(store, job)))
        except Problem as unreadable:
            if unreadable.kind == "DiskFull":
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            for each in _others(job, shown, unreadable):
                yield each
            return
        for index, result in found:
            if index not in shown:
                shown.add(index)
                yield line(job, index, len(shown), {"result": orjson.Fragment(result_json(result, ledger=ledger))})
        if ended is not None:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    cancelled = ended.how == "stopped"
    problem = Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"job {job.id} was cancelled" if cancelled else f"job {job.id} failed: {ended.reason}",
        kind="JobCancelled" if cancelled else "JobFailed",
    )
    for each in _others(job, shown, problem):
        yield each
