"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from onelook.errors import OnelookError
from onelook.result import TagResult
from onelook.types import ErrorRecord

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2

# The HTTP status of a failed run, by the class name in `onelook.errors` (`ErrorRecord.kind`).
STATUS_OF_KIND: Mapping[str, HTTPStatus] = {
    "SettingsError": HTTPStatus.UNPROCESSABLE_ENTITY,
    "PromptError": HTTPStatus.UNPROCESSABLE_ENTITY,
    "ImageTooLarge": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "ImageUnreadable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "ImageNotFound": HTTPStatus.UNPROCESSABLE_ENTITY,
    "ImageRefused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "ImageUnreachable": HTTPStatus.BAD_GATEWAY,
    "EngineUnavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "EngineTimeout": HTTPStatus.GATEWAY_TIMEOUT,
    "DeadlinePassed": HTTPStatus.GATEWAY_TIMEOUT,
    "EngineFailed": HTTPStatus.BAD_GATEWAY,
    "EngineOverloaded": HTTPStatus.SERVICE_UNAVAILABLE,
    "EngineRefused": HTTPStatus.BAD_GATEWAY,
    "EngineIncapable": HTTPStatus.BAD_GATEWAY,
    "ReplyInvalid": HTTPStatus.BAD_GATEWAY,
    "ReplyTruncated": HTTPStatus.BAD_GATEWAY,
}
RETRY_LATER = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}


def result_json(result: TagResult, *, ledger: bool) -> str:
    """`result` as JSON, with or without its ledger."""
    return result.model_dump_json(exclude=None if ledger else {"ledger"})


class FieldError(BaseModel):
    """An error in one field of the request."""

    field: str = Field(description="Path of the field, such as arm or images.0; a header by its name.")
    message: str


class ProblemBody(BaseModel):
    """The body of every response without success (RFC 9457)."""

    type: str = Field("about:blank", description="Always about:blank: `kind` distinguishes the problems.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What is wrong, in one sentence.")
    kind: str = Field(description="A stable name, for programs.")
    hint: str | None = Field(None, description="What to do about it.")
    errors: list[FieldError] | None = Field(None, description="The fields of the request that are wrong.")
    request_id: str | None = Field(None, description="As in the header X-Request-ID, and in the server's log.")
    result: TagResult | None = Field(None, description="The failed run, with its errors and its ledger.")


class Problem(Exception):
    """Raised by the code of a route; it becomes the response."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        kind: str,
        hint: str | None = None,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        result: TagResult | None = None,
        ledger: bool = True,
        retry: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.kind, self.hint = status, detail, kind, hint
        self.errors, self.result, self.ledger = errors, result, ledger
        self.headers = dict(headers or {})
        if retry or status in RETRY_LATER:
            seconds = RETRY_AFTER_S if retry_after_s is None else math.ceil(retry_after_s)
            self.headers.setdefault("Retry-After", str(seconds))

    def body(self, request_id: str | None = None) -> dict[str, Any]:
        """The members of `ProblemBody` that have a value."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
            "kind": self.kind,
        }
        if self.hint:
            body["hint"] = self.hint
        if self.errors:
            body["errors"] = [{"field": field, "message": message} for field, message in self.errors]
        if request_id:
            body["request_id"] = request_id
        if self.result is not None:
            body["result"] = orjson.Fragment(result_json(self.result, ledger=self.ledger))
        return body

    def response(self, request_id: str | None) -> Response:
        body = orjson.dumps(self.body(request_id))
        return Response(body, status_code=self.status, headers=self.headers, media_type=MEDIA_TYPE)


def bad_field(field: str, message: str, *, hint: str | None = None) -> Problem:
    """One field of the request is wrong."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"{field}: {message}", kind="BadField", hint=hint, errors=[(field, message)]
    )


def bad_fields(*errors: ValidationError, renamed: Mapping[str, str] | None = None) -> Problem:
    """Every field that a model refused, by its path. Values are left out, because they can be pictures.

    `renamed`: what the caller called a field of the models.
    """
    names = renamed or {}
    wrong = []
    for error in errors:
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            first, *rest = problem["loc"] or ("body",)
            wrong.append((".".join(map(str, (names.get(str(first), first), *rest))), problem["msg"]))
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "; ".join(f"{field}: {message}" for field, message in wrong[:10]),
        kind="BadField",
        hint="GET /docs shows the fields, GET /v1/options the choices of a run",
        errors=wrong[:100],
    )


def problem_of_error(error: OnelookError) -> Problem:
    """An error that stopped a request before its run."""
    status = STATUS_OF_KIND.get(type(error).__name__, HTTPStatus.UNPROCESSABLE_ENTITY)
    return Problem(status, error.message, kind=type(error).__name__, hint=error.hint, retry=error.retryable)


def problem_of_result(result: TagResult, field_of: Callable[[int | None], str], *, ledger: bool) -> Problem:
    """A failed run. `field_of`: the path of the field with the picture of this number. `ledger`: whether the result has
    its ledger."""
    error: ErrorRecord = result.errors[-1]
    return Problem(
        STATUS_OF_KIND.get(error.kind, HTTPStatus.BAD_GATEWAY),
        error.message,
        kind=error.kind,
        hint=error.hint,
        errors=[(field_of(error.picture), error.message)] if error.node == "prepare" else (),
        result=result,
        ledger=ledger,
        retry=error.retryable,
        retry_after_s=error.retry_after_s,
    )
