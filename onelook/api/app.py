"""The HTTP state: `make serve`, or `uvicorn server:app`. Routes only; what they are made of is in `api/`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Security
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException as RoutingError
from starlette.staticfiles import StaticFiles

from onelook.api.admission import Reservation
from onelook.api.answers import Comparison, Health, Options, SampleEntry
from onelook.api.cors import Cors
from onelook.api.disconnect import unless_disconnected
from onelook.api.key import check_key
from onelook.api.log_lines import log_lines
from onelook.api.openapi import DESCRIPTION, TAKING_BODIES, complete, problems, takes
from onelook.api.parsed_request import BatchBody, CompareBody, TagsBody, within_s
from onelook.api.problem import Problem, of_error, of_result
from onelook.api.request_log import RequestLog
from onelook.api.samples import MEDIA_TYPES as PICTURES
from onelook.api.samples import samples
from onelook.api.state import AppState, open_server, opened
from onelook.errors import OnelookError
from onelook.observability.traces import trace_requests
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import TagResult
from onelook.tagger import Tagger

WEB = Path(__file__).parent.parent / "web"
JSON, NDJSON, METRICS = "application/json", "application/x-ndjson", "text/plain; version=0.0.4"


TAGS = {"images": ["data:image/jpeg;base64,/9j/4AAQSkZJRg…"], "context": {"arm": "fused", "language": "en"}}
COMPARE = {**TAGS, "context": {"language": "en"}, "arms": ["fused", "legacy"]}
BATCH = {"items": [{"id": "cat-1", "image": "/9j/4AAQSkZJRg…"}], "context": {"reply_format": "compact"}}

bearer = HTTPBearer(auto_error=False, description="Needed where the server has ONELOOK_HTTP__API_KEY set.")


def state_of(request: Request) -> AppState:
    state: AppState = request.app.state.onelook
    return state


async def keyed(request: Request, _: Annotated[object, Security(bearer)]) -> None:
    check_key(state_of(request).http.api_key, request.headers.get("Authorization"))


async def admitted(request: Request) -> AsyncIterator[Reservation]:
    """A place until the answer has been sent; taken before the body is read."""
    with state_of(request).admission.reserve() as place:
        yield place


Admitted = Annotated[Reservation, Depends(admitted)]

v1 = APIRouter(prefix="/v1", dependencies=[Depends(keyed)])
around = APIRouter()


@v1.post(
    "/tags",
    summary="Tag one subject",
    responses={200: {"model": TagResult}, **problems(*TAKING_BODIES, 502, 503, 504)},
    openapi_extra=takes(TagsBody, several="One to five pictures of one subject.", example=TAGS),
)
async def tags(request: Request, place: Admitted) -> Response:
    """The category of the subject and its details, with the run's ledger."""
    state = state_of(request)
    seconds = within_s(request, state.http.deadline_s)
    asked = await state.reader.tags(request, place)
    result = await unless_disconnected(request, state.tag(asked.subjects[0], asked.context, seconds))
    request.state.said.update(arm=result.arm, result=result.status)
    if result.status == "failed":
        raise of_result(result, asked.field)
    return Response(result.model_dump_json(), media_type=JSON)


@v1.post(
    "/tags/batch",
    summary="Tag many pictures",
    responses={
        200: {
            "description": "A line of JSON for each picture, in the order in which they are done. A picture that fails"
            " is a line like any other: its result says so.",
            "content": {NDJSON: {"schema": {"$ref": "#/components/schemas/BatchLine"}}},
        },
        **problems(*TAKING_BODIES),
    },
    openapi_extra=takes(BatchBody, several="The pictures; each comes back under its file name.", example=BATCH),
)
async def batch(request: Request, place: Admitted) -> Response:
    """Each picture is a subject of its own. Closing the connection cancels those that are not done."""
    state = state_of(request)
    seconds = within_s(request, state.http.deadline_s)
    asked = await state.reader.batch(request, place)
    request.state.said.update(pictures=len(asked.subjects))
    return StreamingResponse(state.batch(asked, seconds), media_type=NDJSON)


@v1.post(
    "/compare",
    summary="One subject through several arms",
    responses={200: {"model": Comparison}, **problems(*TAKING_BODIES, 502, 503, 504)},
    openapi_extra=takes(CompareBody, several="One to five pictures of one subject.", example=COMPARE),
)
async def compare(request: Request, place: Admitted) -> Response:
    """The arms run one after the other, so that none slows another down. An arm that fails is an answer too."""
    state = state_of(request)
    seconds = within_s(request, state.http.deadline_s)
    asked = await state.reader.compare(request, place)
    results = await unless_disconnected(request, state.compare(asked, seconds))
    if all(result.status == "failed" for result in results):
        raise of_result(results[0], asked.field)
    arms = [
        {"arm": result.arm, "result": orjson.Fragment(result.model_dump_json()), "parts": result.ledger.parts()}
        for result in results
    ]
    return Response(orjson.dumps({"arms": arms}), media_type=JSON)


@v1.get("/taxonomy", summary="What a picture can be", responses={200: {"model": Taxonomy}, **problems(401)})
async def taxonomy(request: Request) -> Response:
    """Ids, labels and options, in every language of the document."""
    return Response(state_of(request).tagger.services.taxonomy.model_dump_json(), media_type=JSON)


@v1.get("/options", summary="What a run may choose", responses={200: {"model": Options}, **problems(401)})
async def options(request: Request) -> Response:
    state = state_of(request)
    services = state.tagger.services
    known = Options(
        context=type(services.run).model_json_schema(),
        arms=list(state.arms),
        model=services.engine.model,
        note=state.note,
    )
    return Response(known.model_dump_json(), media_type=JSON)


@v1.get(
    "/graph",
    summary="The state machine, as Mermaid text",
    response_class=PlainTextResponse,
    responses=problems(401),
)
async def graph(request: Request) -> Response:
    return PlainTextResponse(state_of(request).tagger.mermaid())


@v1.get("/samples", summary="Pictures to try", responses={200: {"model": list[SampleEntry]}, **problems(401)})
async def list_samples() -> Response:
    """Drawings of the bundled album, with what they show."""
    listed = [{"name": name, "truth": sample.truth.model_dump()} for name, sample in samples().items()]
    return Response(orjson.dumps(listed), media_type=JSON)


@v1.get(
    "/samples/{name}",
    summary="A picture to try",
    response_class=FileResponse,
    responses={
        200: {
            "description": "The picture.",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in PICTURES.values()},
        },
        **problems(401, 404, 422),
    },
)
async def sample(name: Annotated[str, PathParameter(examples=["heldout-0002.jpg"])]) -> Response:
    found = samples().get(name)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no such sample", kind="NotFound", hint="GET /v1/samples lists them")
    return FileResponse(found.path, media_type=found.media_type)


@around.get("/healthz", summary="Whether this process is alive", response_model=Health)
async def healthz() -> Response:
    return Response(b'{"status":"ok"}', media_type=JSON)


@around.get("/readyz", summary="Whether the engine answers", responses={200: {"model": Health}, **problems(503)})
async def readyz(request: Request) -> Response:
    reason = await state_of(request).readiness.problem()
    if reason is not None:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, reason, kind="NotReady", hint="`onelook doctor` says more")
    return Response(b'{"status":"ready"}', media_type=JSON)


@around.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=PlainTextResponse,
    dependencies=[Depends(keyed)],
    responses=problems(401),
)
async def metrics(request: Request) -> Response:
    return Response(state_of(request).metrics.text(), media_type=METRICS)


@around.get("/", include_in_schema=False)
async def page() -> Response:
    if not (WEB / "index.html").is_file():
        raise RoutingError(HTTPStatus.NOT_FOUND)
    return FileResponse(WEB / "index.html")


async def say_problem(request: Request, error: Exception) -> Response:
    """Whatever stops a request, as problem+json."""
    match error:
        case Problem():
            problem = error
        case OnelookError():
            problem = of_error(error)
        case RoutingError():
            status = HTTPStatus(error.status_code)
            problem = Problem(status, status.description or status.phrase, kind="NotHere", headers=error.headers)
        case _:
            raise error
    return problem.response(request.state.request_id)


def build_app(make_tagger: Callable[[], Tagger] = open_server) -> FastAPI:
    """The application; settings are read, and the tagger is made, when it starts and not before."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log_lines()
        async with opened(await asyncio.to_thread(make_tagger)) as state:
            app.state.onelook = state
            yield

    app = FastAPI(
        title="onelook",
        version=version("onelook"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # they load scripts from other hosts
        redoc_url=None,
    )
    app.include_router(v1)
    app.include_router(around)
    app.mount("/static", StaticFiles(directory=WEB, check_dir=False), name="static")
    for kind in (Problem, OnelookError, RoutingError):
        app.add_exception_handler(kind, say_problem)
    app.add_middleware(Cors)
    app.add_middleware(RequestLog)
    trace_requests(app)
    plain_openapi = app.openapi

    def openapi() -> dict[str, Any]:
        return complete(plain_openapi())

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


app = build_app()
