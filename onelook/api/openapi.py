"""The parts of the OpenAPI document that FastAPI cannot derive, because the routes read and write bodies themselves."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from onelook.api.parsed_request import BatchBody, CompareBody, TagsBody
from onelook.api.problem import MEDIA_TYPE, ProblemBody
from onelook.api.responses import BatchLine
from onelook.graph.arms import ArmName
from onelook.types import Context

REF = "#/components/schemas/{model}"
DESCRIPTION = """\
Tags pictures in one guided look. Every response without success is `application/problem+json` (RFC 9457) and names
what is wrong. `X-Request-ID` is taken from the request or generated; it is in the response and in the server's log.
"""

STATUS_DESCRIPTIONS = {
    HTTPStatus.BAD_REQUEST: "The body or a header cannot be read.",
    HTTPStatus.UNAUTHORIZED: "The key is missing or wrong.",
    HTTPStatus.NOT_FOUND: "Nothing has this address.",
    HTTPStatus.REQUEST_TIMEOUT: "The body arrives too slowly.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body or a picture is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is neither multipart/form-data nor JSON, or is compressed.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A field or a picture cannot be used.",
    HTTPStatus.TOO_MANY_REQUESTS: "The server is at its limits; try again after Retry-After.",
    HTTPStatus.BAD_GATEWAY: "The engine failed.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The engine does not answer; try again after Retry-After.",
    HTTPStatus.GATEWAY_TIMEOUT: "No answer before the deadline.",
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


def picture_body(body: type[BaseModel], *, several: str, example: dict[str, Any]) -> dict[str, Any]:
    """The `openapi_extra` of a route that takes pictures as JSON `body` or as a form; `several` describes them."""
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
                "description": "Longest time for one picture, at most the server's ONELOOK_HTTP__DEADLINE_S.",
                "schema": {"type": "number", "exclusiveMinimum": 0},
                "example": 10,
            }
        ],
    }


def add_model_schemas(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with the models to which it refers."""
    models: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in (TagsBody, CompareBody, BatchBody)]
    models += [(model, "serialization") for model in (ProblemBody, BatchLine)]
    _, definitions = models_json_schema(models, ref_template=REF)
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    components |= {name: each for name, each in definitions["$defs"].items() if name not in components}
    return schema
