"""A request becomes a job, or finds the one that it has made before."""

from __future__ import annotations

import asyncio
import hashlib
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Header

from onelook.api.jobs.store import Job, JobStore, given_reference
from onelook.api.parsed_request import ParsedRequest
from onelook.api.problem import Problem
from onelook.api.state import AppState

LONGEST_KEY: Final = 255

IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=LONGEST_KEY,
        description="Any text that names this request: sent again with it, the request finds the job that it made.",
    ),
]


def job_store(state: AppState) -> JobStore:
    """Raises `Problem` where this server takes no jobs."""
    if state.jobs is None:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "this server takes no jobs",
            kind="NoJobs",
            hint="ONELOOK_HTTP__JOBS=FOLDER on the server turns them on; POST /v1/tags/batch without an Idempotency-Key"
            " needs none",
        )
    return state.jobs


async def find_or_create_job(state: AppState, parsed: ParsedRequest, key: str | None) -> Job:
    """Raises `Problem` where there are too many jobs, or the key belongs to another request."""
    job, created = await asyncio.to_thread(_find_or_create, state, job_store(state), parsed, key)
    if created:
        state.wake_jobs()
    return job


def _find_or_create(state: AppState, store: JobStore, parsed: ParsedRequest, key: str | None) -> tuple[Job, bool]:
    """The job, and whether it is new."""
    with store.creating():
        body = _digest(parsed)
        if key is not None and (job := store.by_key(key)) is not None:
            if job.body != body:
                raise Problem(
                    HTTPStatus.CONFLICT,
                    "this Idempotency-Key belongs to a request with another body",
                    kind="KeyReused",
                    hint="send a new key for a new request",
                )
            return job, False
        if len(store.waiting()) >= state.http.max_jobs:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"{state.http.max_jobs} jobs wait or run already",
                kind="Overloaded",
                hint="try again later, or raise ONELOOK_HTTP__MAX_JOBS on the server",
            )
        return store.create(parsed, key, body), True


def _digest(parsed: ParsedRequest) -> str:
    """What tells one request from another."""
    digest = hashlib.sha256(parsed.context.model_dump_json(exclude_unset=True).encode())
    for id_, subject in zip(parsed.ids, parsed.subjects, strict=True):
        reference = given_reference(subject)
        data = reference if isinstance(reference, bytes) else str(reference).encode(errors="surrogatepass")
        for part in (id_.encode(errors="surrogatepass"), data):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()
