"""What OpenAPI cannot learn from routes that read and write bodies themselves."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from onelook.api.answers import BatchLine
from onelook.api.parsed_request import BatchBody, CompareBody, TagsBody
from onelook.api.problem import MEDIA_TYPE, ProblemBody
from onelook.graph.arms import ArmName
from onelook.types import Context

REF = "#/components/schemas/{model}"
DESCRIPTION = """\
Tags pictures in one guided look. Every answer that is no success is `application/problem+json` (RFC 9457) and names
what is wrong; `X-Request-ID` is kept or given, and stands in the server's log as well.
"""

SAYS = {
    HTTPStatus.BAD_REQUEST: "The body or a header cannot be read.",
    HTTPStatus.UNAUTHORIZED: "The key is missing or wrong.",
    HTTPStatus.NOT_FOUND: "Nothing is there.",
    HTTPStatus.REQUEST_TIMEOUT: "The body came too slowly.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body or a picture is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is neither multipart/form-data nor JSON, or is compressed.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A field, or a picture, cannot be used.",
    HTTPStatus.TOO_MANY_REQUESTS: "As much is in hand as may be; come back after Retry-After.",
    HTTPStatus.BAD_GATEWAY: "The engine failed.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The engine does not answer; come back after Retry-After.",
    HTTPStatus.GATEWAY_TIMEOUT: "No answer in time.",
}
RETRY = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
TAKING_BODIES = (400, 401, 408, 413, 415, 422, 429)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer these problems."""
    said: dict[int | str, dict[str, Any]] = {}
    for status in map(HTTPStatus, statuses):
        said[int(status)] = {
            "description": SAYS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model=ProblemBody.__name__)}}},
        }
        if status in RETRY:
            said[int(status)]["headers"] = {
                "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
            }
    return said


def takes(body: type[BaseModel], *, several: str, example: dict[str, Any]) -> dict[str, Any]:
    """The `openapi_extra` of a route that takes pictures as JSON `body` or as a form. `several`: what several are."""
    properties: dict[str, Any] = {
        "image": {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "minItems": 1,
            "description": several,
        }
    }
    if "arms" in body.model_fields:
        properties["arms"] = {"type": "array", "items": {"enum": list(get_args(ArmName))}}
    for name, field in Context.model_json_schema()["properties"].items():
        properties[name] = {key: value for key, value in field.items() if key not in ("default", "title")}
    form = {"type": "object", "properties": properties, "required": ["image"], "additionalProperties": False}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form},
                "application/json": {"schema": {"$ref": REF.format(model=body.__name__)}, "example": example},
            },
        },
        "parameters": [
            {
                "name": "X-Timeout-Seconds",
                "in": "header",
                "required": False,
                "description": "Longest time for one picture; the server's own limit where it is left out.",
                "schema": {"type": "number", "exclusiveMinimum": 0},
                "example": 10,
            }
        ],
    }


def complete(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with the models that are only referred to."""
    models: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in (TagsBody, CompareBody, BatchBody)]
    models += [(model, "serialization") for model in (ProblemBody, BatchLine)]
    _, definitions = models_json_schema(models, ref_template=REF)
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    components |= {name: each for name, each in definitions["$defs"].items() if name not in components}
    return schema
