"""The parts of the OpenAPI document that FastAPI cannot derive, because the routes read and write bodies themselves."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from onelook.api.fields import IMAGES, BatchBody, CompareBody, TagsBody
from onelook.api.problem import MEDIA_TYPE, ProblemBody
from onelook.api.responses import BatchLine
from onelook.types import Context

IN_A_FORM = " As files, or as text: a URL, a data URL, base64."
REF = "#/components/schemas/{model}"
DESCRIPTION = """\
Tags pictures in one guided look. Every response without success is `application/problem+json` (RFC 9457) and names
what is wrong. `X-Request-ID` is taken from the request or generated; it is in the response and in the server's log.

A request is `multipart/form-data` or JSON. A field has the same name, meaning and checks in both; a list is a repeated
field in a form. A field, or a query parameter, that is not known is refused.
"""

STATUS_DESCRIPTIONS = {
    HTTPStatus.BAD_REQUEST: "The body or a header cannot be read.",
    HTTPStatus.UNAUTHORIZED: "The key is missing or wrong.",
    HTTPStatus.NOT_FOUND: "Nothing has this address.",
    HTTPStatus.CONFLICT: "The request contradicts what is there.",
    HTTPStatus.REQUEST_TIMEOUT: "The body arrives too slowly.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body or a picture is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is neither multipart/form-data nor JSON, or is compressed.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A field or a picture cannot be used.",
    HTTPStatus.TOO_MANY_REQUESTS: "The server is at its limits; try again after Retry-After.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The server's own files cannot be used; its log has the reason.",
    HTTPStatus.BAD_GATEWAY: "The engine failed.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The engine does not answer; try again after Retry-After.",
    HTTPStatus.GATEWAY_TIMEOUT: "No answer before the deadline.",
    HTTPStatus.INSUFFICIENT_STORAGE: "The server's disk is full.",
}
RETRY = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
BODY_STATUSES = (400, 401, 408, 413, 415, 422, 429)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can answer with these statuses."""
    responses: dict[int | str, dict[str, Any]] = {}
    for status in map(HTTPStatus, statuses):
        responses[int(status)] = {
            "description": STATUS_DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model=ProblemBody.__name__)}}},
        }
        if status in RETRY:
            responses[int(status)]["headers"] = {
                "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
            }
    return responses


def picture_body(body: type[BaseModel], **example: object) -> dict[str, Any]:
    """The `openapi_extra` of a route that takes pictures as JSON or as a form. `example`: fields beside the picture."""
    schema = body_schema(body)
    file = {"type": "string", "format": "binary"}
    images = schema["properties"][IMAGES]
    in_a_form = {**images, "items": file, "description": images["description"] + IN_A_FORM}
    form = {**schema, "properties": {**schema["properties"], IMAGES: in_a_form}}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form},
                "application/json": {
                    "schema": {"$ref": REF.format(model=body.__name__)},
                    "example": {IMAGES: ["data:image/jpeg;base64,/9j/4AAQSkZJRg…"], **example},
                },
            },
        },
        "parameters": [
            {
                "name": "ledger",
                "in": "query",
                "required": False,
                "description": "Whether the result has its latency ledger.",
                "schema": {"type": "boolean", "default": True},
            },
            {
                "name": "X-Timeout-Seconds",
                "in": "header",
                "required": False,
                "description": "Longest time for one picture, at most the server's ONELOOK_HTTP__DEADLINE_S.",
                "schema": {"type": "number", "exclusiveMinimum": 0},
                "example": 10,
            },
        ],
    }


def body_schema(body: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a body: its own fields, and the choices of a run."""
    schema = body.model_json_schema()
    choices = {
        name: {key: value for key, value in field.items() if key not in ("default", "title")}
        | {"example": field["default"]}  # the server's own default may be another
        for name, field in Context.model_json_schema()["properties"].items()
    }
    return {
        **schema,
        "description": schema["description"] + " The choices of the run are those of GET /v1/options.",
        "properties": {**schema["properties"], **choices},
    }


def add_model_schemas(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with the models to which it refers."""
    _, definitions = models_json_schema(
        [(ProblemBody, "serialization"), (BatchLine, "serialization")], ref_template=REF
    )
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    components |= {name: each for name, each in definitions["$defs"].items() if name not in components}
    components |= {body.__name__: body_schema(body) for body in (TagsBody, CompareBody, BatchBody)}
    return schema
