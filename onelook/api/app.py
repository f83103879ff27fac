"""The HTTP application (`onelook serve`, or `uvicorn server:app`): its routes. The modules beside it hold the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException as RoutingError

from onelook.api.cors import Cors
from onelook.api.dependencies import Admitted, require_key, state_of
from onelook.api.disconnect import unless_disconnected
from onelook.api.fields import BatchBody, CompareBody, TagsBody
from onelook.api.jobs.create import IdempotencyKey, find_or_create_job, job_store
from onelook.api.jobs.routes import jobs
from onelook.api.jobs.status import lines_until_ended
from onelook.api.openapi import BODY_STATUSES, DESCRIPTION, add_model_schemas, picture_body, problem_responses
from onelook.api.page import pages, static_files
from onelook.api.parsed_request import timeout_s, wants_ledger
from onelook.api.problem import Problem, problem_of_error, problem_of_result, result_json
from onelook.api.request_log import RequestLog
from onelook.api.responses import Comparison, Health, Options, SampleEntry
from onelook.api.samples import MEDIA_TYPES as SAMPLE_TYPES
from onelook.api.samples import samples
from onelook.api.speed import time_ratios, typical, walls_ms
from onelook.api.state import open_app_state, open_server
from onelook.errors import OnelookError
from onelook.observability.logs import write_logs
from onelook.observability.traces import trace_requests
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import TagResult
from onelook.tagger import Tagger

JSON, NDJSON, METRICS = "application/json", "application/x-ndjson", "text/plain; version=0.0.4"

v1 = APIRouter(prefix="/v1", tags=["pictures"], dependencies=[Depends(require_key)])
operations = APIRouter(tags=["operations"])


@v1.post(
    "/tags",
    operation_id="tag",
    summary="Tag one subject",
    responses={200: {"model": TagResult}, **problem_responses(*BODY_STATUSES, 502, 503, 504)},
    openapi_extra=picture_body(TagsBody, arm="fused", language="en"),
)
async def tags(request: Request, reservation: Admitted) -> Response:
    """The category of the subject and its details, with the run's latency ledger."""
    state = state_of(request)
    seconds, ledger = timeout_s(request, state.http.deadline_s), wants_ledger(request)
    parsed = await state.reader.tags(request, reservation)
    state.tagger.refuse_unmet(parsed.context)
    (subject,), (name,) = parsed.subjects, parsed.names
    result = await unless_disconnected(request, state.tag(subject, parsed.context, seconds, name=name))
    request.state.log_fields.update(arm=result.arm, result=result.status)
    if result.status == "failed":
        raise problem_of_result(result, parsed.field_of, ledger=ledger)
    return Response(result_json(result, ledger=ledger), media_type=JSON)


@v1.post(
    "/tags/batch",
    operation_id="tag_batch",
    summary="Tag many pictures",
    responses={
        200: {
            "description": "A line of JSON for each picture, in the order in which the runs end. A picture that fails"
            " has a line too, with the status and the errors in its result.",
            "content": {NDJSON: {"schema": {"$ref": "#/components/schemas/BatchLine"}}},
        },
        **problem_responses(*BODY_STATUSES, 404, 409, 507),
    },
    openapi_extra=picture_body(BatchBody, ids=["cat-1"], reply_format="compact"),
)
async def batch(request: Request, reservation: Admitted, idempotency_key: IdempotencyKey = None) -> Response:
    """Each picture is a subject of its own. Closing the connection cancels the runs that have not ended.

    With an `Idempotency-Key` the request is a job instead, and the response follows it: a connection that breaks
    cancels nothing, and the same request with the same key gets all results, without a second question about any.
    """
    state = state_of(request)
    seconds, ledger = timeout_s(request, state.http.deadline_s), wants_ledger(request)
    parsed = await state.reader.batch(request, reservation)
    state.tagger.refuse_unmet(parsed.context)
    request.state.log_fields.update(pictures=len(parsed.subjects))
    if idempotency_key is not None:
        job = await find_or_create_job(state, parsed, idempotency_key)
        request.state.log_fields.update(job=job.id)
        return StreamingResponse(lines_until_ended(job_store(state), job, ledger=ledger), media_type=NDJSON)
    return StreamingResponse(state.batch(parsed, seconds, ledger=ledger), media_type=NDJSON)


@v1.post(
    "/compare",
    operation_id="compare_arms",
    summary="One subject through several arms",
    responses={200: {"model": Comparison}, **problem_responses(*BODY_STATUSES, 502, 503, 504)},
    openapi_extra=picture_body(CompareBody, arms=["fused", "legacy"], language="en"),
)
async def compare(request: Request, reservation: Admitted) -> Response:
    """The arms run one after the other, so that they do not slow each other down. A failed arm has a result too.

    With `rounds` their times can be compared; without, a later arm may find the picture in a cache.
    """
    state = state_of(request)
    seconds, ledger = timeout_s(request, state.http.deadline_s), wants_ledger(request)
    parsed = await state.reader.compare(request, reservation)
    runs = await unless_disconnected(request, state.compare(parsed, seconds))
    walls = {arm: walls_ms(results) for arm, results in runs.items()}
    shown = {arm: typical(results) for arm, results in runs.items()}
    if all(result.status == "failed" for result in shown.values()):
        raise problem_of_result(next(iter(shown.values())), parsed.field_of, ledger=ledger)
    arms = [
        {
            "arm": arm,
            "result": orjson.Fragment(result_json(result, ledger=ledger)),
            "parts": result.ledger.parts(),
            "wall_ms": walls[arm],
        }
        for arm, result in shown.items()
    ]
    ratios = [ratio.model_dump() for ratio in time_ratios(walls, parsed.rounds)]
    return Response(orjson.dumps({"arms": arms, "time_ratios": ratios}), media_type=JSON)


@v1.get(
    "/taxonomy",
    operation_id="get_taxonomy",
    summary="The taxonomy",
    responses={200: {"model": Taxonomy}, **problem_responses(401)},
)
async def taxonomy(request: Request) -> Response:
    """Ids, labels and options, in every language of the taxonomy document."""
    return Response(state_of(request).tagger.services.taxonomy.model_dump_json(), media_type=JSON)


@v1.get(
    "/options",
    operation_id="get_options",
    summary="The choices of a run",
    responses={200: {"model": Options}, **problem_responses(401)},
)
async def options(request: Request) -> Response:
    state = state_of(request)
    services, note = state.tagger.services, state.note
    found = Options(
        context=type(services.run).model_json_schema(),
        arms=list(state.arms),
        model=services.engine.model,
        note=note.text("server") if note else None,
        note_kind=note.kind if note else None,
    )
    return Response(found.model_dump_json(), media_type=JSON)


@v1.get(
    "/graph",
    operation_id="draw_graph",
    summary="The state machine, as Mermaid text",
    response_class=PlainTextResponse,
    responses=problem_responses(401),
)
async def graph(request: Request) -> Response:
    return PlainTextResponse(state_of(request).tagger.mermaid())


@v1.get(
    "/samples",
    operation_id="list_samples",
    summary="Sample pictures",
    responses={200: {"model": list[SampleEntry]}, **problem_responses(401)},
)
async def list_samples() -> Response:
    """Drawings of the bundled album with their labels."""
    listed = [{"name": name, "truth": sample.truth.model_dump()} for name, sample in samples().items()]
    return Response(orjson.dumps(listed), media_type=JSON)


@v1.get(
    "/samples/{name}",
    operation_id="get_sample",
    summary="A sample picture",
    response_class=FileResponse,
    responses={
        200: {
            "description": "The picture.",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in SAMPLE_TYPES.values()},
        },
        **problem_responses(401, 404, 422),
    },
)
async def sample(name: Annotated[str, PathParameter(examples=["heldout-0002.jpg"])]) -> Response:
    found = samples().get(name)
    if found is None:
        raise Problem(
            HTTPStatus.NOT_FOUND, f"no sample {name}", kind="NotFound", hint="GET /v1/samples lists the samples"
        )
    return FileResponse(found.path, media_type=found.media_type)


@operations.get("/healthz", operation_id="check_health", summary="Whether this process is alive", response_model=Health)
async def healthz() -> Response:
    return Response(b'{"status":"ok"}', media_type=JSON)


@operations.get(
    "/readyz",
    operation_id="check_readiness",
    summary="Whether the engine is ready",
    responses={200: {"model": Health}, **problem_responses(503)},
)
async def readyz(request: Request) -> Response:
    reason = await state_of(request).readiness.reason_not_ready()
    if reason is not None:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            reason,
            kind="NotReady",
            hint="`onelook doctor` shows what the engine can do",
        )
    return Response(b'{"status":"ready"}', media_type=JSON)


@operations.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Prometheus metrics",
    response_class=PlainTextResponse,
    dependencies=[Depends(require_key)],
    responses=problem_responses(401),
)
async def metrics(request: Request) -> Response:
    return Response(state_of(request).metrics.text(), media_type=METRICS)


async def problem_response(request: Request, error: Exception) -> Response:
    """An error that stops a request, as problem+json."""
    match error:
        case Problem():
            problem = error
        case OnelookError():
            problem = problem_of_error(error)
        case RoutingError():
            status = HTTPStatus(error.status_code)
            problem = Problem(status, status.description or status.phrase, kind="NotHere", headers=error.headers)
        case _:
            raise error
    return problem.response(request.state.request_id)


def build_app(make_tagger: Callable[[], Tagger] = open_server) -> FastAPI:
    """The application. It reads the settings and makes the tagger when it starts, not when it is imported."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        tagger = await asyncio.to_thread(make_tagger)
        write_logs(tagger.services.settings.http.log_format)
        async with open_app_state(tagger) as state:
            app.state.onelook = state
            yield

    app = FastAPI(
        title="onelook",
        version=version("onelook"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's pages load scripts from other hosts; `api.page` has one that does not
        redoc_url=None,
    )
    app.include_router(v1)
    app.include_router(jobs)
    app.include_router(operations)
    app.include_router(pages)
    app.mount("/static", static_files, name="static")
    for kind in (Problem, OnelookError, RoutingError):
        app.add_exception_handler(kind, problem_response)
    app.add_middleware(Cors)
    app.add_middleware(RequestLog)
    trace_requests(app)
    plain_openapi = app.openapi

    def openapi() -> dict[str, Any]:
        return add_model_schemas(plain_openapi())

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app
