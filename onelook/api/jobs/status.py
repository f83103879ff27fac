"""How far a job is, and its results so far: read from its folder, by any of the server's processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Literal

import orjson
from pydantic import Field

from onelook.api.jobs.store import Job, JobStore
from onelook.batch.ledger import Ledger
from onelook.result import TagResult
from onelook.types import Frozen

JobState = Literal["queued", "running", "finished", "cancelled", "failed"]


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
    with closing(Ledger.read(store.folder / job.id)) as ledger:
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


def result_lines(store: JobStore, job: Job, *, ledger: bool) -> Iterator[bytes]:
    """A line of JSON for each picture that is done, in the order of the request."""
    total = len(job.ids)
    with closing(Ledger.read(store.folder / job.id)) as opened:
        versions = opened.versions()
        done = 0
        for row in opened.rows(versions[-1].id) if versions else ():
            if row.result is None:
                continue
            done += 1
            index = row.picture - 1
            result = TagResult.model_validate_json(row.result).model_copy(update={"source": job.names[index]})
            head = {"index": index, "id": job.ids[index], "progress": {"done": done, "total": total}}
            body = result.model_dump_json(exclude=None if ledger else {"ledger"})
            yield orjson.dumps({**head, "result": orjson.Fragment(body)}, option=orjson.OPT_APPEND_NEWLINE)
