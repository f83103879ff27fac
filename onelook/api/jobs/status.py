"""How far a job is, and its results so far: read from its folder, by any of the server's processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from http import HTTPStatus
from typing import Final, Literal

import orjson
from pydantic import Field

from onelook.api.jobs.store import Job, JobStore
from onelook.api.problem import Problem, result_json
from onelook.batch.ledger_reader import LedgerReader
from onelook.result import TagResult
from onelook.types import Frozen

JobState = Literal["queued", "running", "finished", "cancelled", "failed"]


LOOK_EVERY_S: Final = 0.25


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
        " often, so that pictures were left to do."
    )
    created: float = Field(description="Seconds since 1970.")
    ended: float | None = Field(None, description="Seconds since 1970.")
    reason: str | None = Field(None, description="Why it failed.")
    total: int
    pictures: JobCounts
    results: str = Field(description="Address of the results, as NDJSON.")


def status_of(store: JobStore, job: Job) -> JobStatus:
    """Raises `BatchError` where the job has been removed meanwhile."""
    ended = store.ended(job)
    with closing(LedgerReader.read(store.folder / job.id)) as ledger:
        versions = ledger.versions()
        counts = ledger.count(versions[-1].id if versions else None)
    state: JobState = "running" if versions else "queued"
    if ended is not None:
        state = "cancelled" if ended.how == "stopped" else "failed" if ended.how == "failures" else "finished"
    return JobStatus(
        id=job.id,
        state=state,
        created=job.created,
        ended=None if ended is None else ended.at,
        reason=None if ended is None else ended.reason,
        total=len(job.ids),
        pictures=JobCounts(
            ok=counts["ok"],
            needs_review=counts["needs_review"],
            failed=counts["failed"] + counts["may_pass"],
            to_do=counts["todo"],
        ),
        results=f"/v1/jobs/{job.id}/results",
    )


def results_of(store: JobStore, job: Job) -> Iterator[tuple[int, TagResult]]:
    """Of each picture that is done, in the order of the request: its index and its result."""
    with closing(LedgerReader.read(store.folder / job.id)) as ledger:
        versions = ledger.versions()
        for row in ledger.rows(versions[-1].id) if versions else ():
            if row.result is not None:
                index = row.picture - 1
                yield index, TagResult.model_validate_json(row.result).model_copy(update={"source": job.names[index]})


def line(job: Job, index: int, done: int, answer: Mapping[str, object]) -> bytes:
    """A line of a batch's response: the `done`-th of this job."""
    head = {"index": index, "id": job.ids[index], "progress": {"done": done, "total": len(job.ids)}}
    return orjson.dumps({**head, **answer}, option=orjson.OPT_APPEND_NEWLINE)


def result_lines(store: JobStore, job: Job, *, ledger: bool) -> Iterator[bytes]:
    """A line of JSON for each picture that is done, in the order of the request."""
    for done, (index, result) in enumerate(results_of(store, job), 1):
        yield line(job, index, done, {"result": orjson.Fragment(result_json(result, ledger=ledger))})


async def lines_until_ended(store: JobStore, job: Job, *, ledger: bool) -> AsyncIterator[bytes]:
    """A line of JSON for each picture, as soon as it is done. Pictures of a job that ended before they were done have
    a problem.

    Raises:
        BatchError: the job was removed meanwhile.
    """
    shown: set[int] = set()
    while True:
        ended = await asyncio.to_thread(store.ended, job)  # before its results: what comes between is in them
        for index, result in await asyncio.to_thread(lambda: list(results_of(store, job))):
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
    for index in sorted(set(range(len(job.ids))) - shown):
        shown.add(index)
        yield line(job, index, len(shown), {"problem": problem.body()})
