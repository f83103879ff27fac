"""A request becomes a job, or finds the one that it has made before."""

from __future__ import annotations

import asyncio
import hashlib
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Header

from onelook.api.jobs.store import Job, JobStore, given_reference
from onelook.api.jobs.trouble import reporting_trouble
from onelook.api.parsed_request import ParsedRequest
from onelook.api.problem import Problem, bad_field
from onelook.api.state import AppState

LONGEST_KEY: Final = 255

IdempotencyKey = Annotated[
    str | None,
    Header(
        json_schema_extra={"minLength": 1, "maxLength": LONGEST_KEY},  # `_check_key` answers with a problem
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
    """Raises `Problem` where the key cannot be one or belongs to another request, there are too many jobs, or there is
    no room for one."""
    _check_key(key)
    job, created = await asyncio.to_thread(_find_or_create, state, job_store(state), parsed, key)
    if created:
        state.wake_jobs()
    return job


def _check_key(key: str | None) -> None:
    """An empty one is a variable that is not set: it would be the same for callers who know nothing of each other."""
    if key is not None and not 0 < len(key.strip()) <= LONGEST_KEY:
        what = f"has {len(key)} characters, and may have {LONGEST_KEY}" if key.strip() else "is empty"
        raise bad_field(
            "Idempotency-Key", what, hint="send a text that names this request alone, such as a UUID, or leave it out"
        )


def _find_or_create(state: AppState, store: JobStore, parsed: ParsedRequest, key: str | None) -> tuple[Job, bool]:
    """The job, and whether it is new."""
    with reporting_trouble("the job cannot be kept"), store.creating():
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
