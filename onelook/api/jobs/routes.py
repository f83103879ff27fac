"""The routes of jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from itertools import chain

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from onelook.api.dependencies import Admitted, require_key, state_of
from onelook.api.fields import BatchBody
from onelook.api.jobs.create import IdempotencyKey, find_or_create_job, job_store
from onelook.api.jobs.status import JobStatus, result_lines, status_of
from onelook.api.jobs.store import Job, JobStore
from onelook.api.jobs.trouble import reporting_trouble
from onelook.api.openapi import BODY_STATUSES, picture_body, problem_responses
from onelook.api.parsed_request import wants_ledger
from onelook.api.problem import Problem

JSON, NDJSON = "application/json", "application/x-ndjson"

jobs = APIRouter(prefix="/v1/jobs", tags=["jobs"], dependencies=[Depends(require_key)])


@jobs.post(
    "",
    operation_id="create_job",
    summary="Tag many pictures without waiting",
    status_code=HTTPStatus.ACCEPTED,
    responses={202: {"model": JobStatus}, **problem_responses(*BODY_STATUSES, 404, 409, 507)},
    openapi_extra=picture_body(BatchBody, ids=["cat-1"]),
)
async def create_job(request: Request, reservation: Admitted, idempotency_key: IdempotencyKey = None) -> Response:
    """The body is that of `POST /v1/tags/batch`. The pictures are kept until the job ends, its results for as long as
    the server is set to keep them; a restart of the server loses neither."""
    state = state_of(request)
    store = job_store(state)
    parsed = await state.reader.batch(request, reservation)
    state.tagger.refuse_unmet(parsed.context)
    job = await find_or_create_job(state, parsed, idempotency_key)
    request.state.log_fields.update(job=job.id, pictures=len(job.ids))
    status = await asyncio.to_thread(status_of, store, job)
    return Response(
        status.model_dump_json(),
        status_code=HTTPStatus.ACCEPTED,
        headers={"Location": f"/v1/jobs/{job.id}"},
        media_type=JSON,
    )


@jobs.get(
    "",
    operation_id="list_jobs",
    summary="All jobs, the oldest first",
    responses={200: {"model": list[JobStatus]}, **problem_responses(401, 404)},
)
async def list_jobs(request: Request) -> Response:
    store = job_store(state_of(request))
    found = await asyncio.to_thread(lambda: [each.model_dump(mode="json") for each in _statuses(store)])
    return Response(orjson.dumps(found), media_type=JSON)


def _statuses(store: JobStore) -> Iterator[JobStatus]:
    for job in store.jobs():
        with suppress(Problem):  # it has been removed meanwhile
            yield status_of(store, job)


@jobs.get(
    "/{id}",
    operation_id="get_job",
    summary="How far a job is",
    responses={200: {"model": JobStatus}, **problem_responses(401, 404, 422)},
)
async def get_job(request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
    store = job_store(state_of(request))
    status = await asyncio.to_thread(lambda: status_of(store, _found(store, id)))
    return Response(status.model_dump_json(), media_type=JSON)


@jobs.get(
    "/{id}/results",
    operation_id="get_job_results",
    summary="A job's results so far",
    responses={
        200: {
            "description": "A line of JSON for each picture that is done, in the order of the request.",
            "content": {NDJSON: {"schema": {"$ref": "#/components/schemas/BatchLine"}}},
        },
        **problem_responses(401, 404, 422, 500),
    },
    openapi_extra={
        "parameters": [
            {
                "name": "ledger",
                "in": "query",
                "required": False,
                "description": "Whether the results have their latency ledgers.",
                "schema": {"type": "boolean", "default": True},
            }
        ]
    },
)
async def get_job_results(request: Request, id: str) -> Response:  # noqa: A002
    store, ledger = job_store(state_of(request)), wants_ledger(request)
    job = await asyncio.to_thread(_found, store, id)
    lines = result_lines(store, job, ledger=ledger)
    first = await asyncio.to_thread(next, lines, b"")  # while there can still be another status than 200
    return StreamingResponse(chain((first,), lines), media_type=NDJSON)


@jobs.post(
    "/{id}/cancel",
    operation_id="cancel_job",
    summary="End a job early",
    responses={200: {"model": JobStatus}, **problem_responses(401, 404, 422)},
)
async def cancel_job(request: Request, id: str) -> Response:  # noqa: A002
    """Pictures in flight are finished; the results so far stay. A job that has ended stays as it is."""
    store = job_store(state_of(request))

    def cancel() -> JobStatus:
        job = _found(store, id)
        if store.ended(job) is None:
            with reporting_trouble("the job cannot be cancelled"):
                store.cancel(job)
        return status_of(store, job)

    return Response((await asyncio.to_thread(cancel)).model_dump_json(), media_type=JSON)


@jobs.delete(
    "/{id}",
    operation_id="delete_job",
    summary="Remove a job and its results",
    status_code=HTTPStatus.NO_CONTENT,
    responses={204: {"description": "It is gone."}, **problem_responses(401, 404, 409, 422)},
)
async def delete_job(request: Request, id: str) -> Response:  # noqa: A002
    """A job that has not ended must be cancelled first."""
    store = job_store(state_of(request))

    def delete() -> None:
        job = _found(store, id)
        if store.ended(job) is None:
            raise Problem(
                HTTPStatus.CONFLICT,
                f"job {job.id} has not ended",
                kind="JobNotEnded",
                hint="POST /v1/jobs/{id}/cancel ends it",
            )
        with reporting_trouble("the job cannot be removed"):
            store.remove(job)

    await asyncio.to_thread(delete)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _found(store: JobStore, id_: str) -> Job:
    job = store.find(id_)
    if job is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"no job {id_[:64]}", kind="NotFound", hint="GET /v1/jobs lists the jobs")
    return job
