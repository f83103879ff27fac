"""Middleware around every request: request id, log line, metrics, security headers, and the response to a bug."""

from __future__ import annotations

import logging
import re
import time
import uuid
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onelook.api.problem import Problem
from onelook.api.security_headers import SECURITY_HEADERS

log = logging.getLogger("onelook.http")

HEADER = b"x-request-id"
GOOD_ID = re.compile(rb"[\w.:-]{1,128}", re.ASCII)
CLIENT_CLOSED_REQUEST = 499  # nginx's status for a client that disconnected before the response


class RequestLog:
    """ASGI middleware. A well-formed X-Request-ID is kept, another one is replaced; the response carries the id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        given = next((value for name, value in scope["headers"] if name == HEADER), b"")
        request_id = given if GOOD_ID.fullmatch(given) else uuid.uuid4().hex.encode()
        state = scope.setdefault("state", {})
        state["request_id"] = request_id.decode()
        log_fields: dict[str, object] = {}
        state["log_fields"] = log_fields
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id), *SECURITY_HEADERS]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            status = CLIENT_CLOSED_REQUEST
        except Exception:
            log.exception("bug", extra={"fields": {"request_id": state["request_id"], "path": scope["path"]}})
            if status:
                raise  # the response has begun: closing the connection shows the client that it is incomplete
            problem = Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "a bug in the server",
                kind="Bug",
                hint="report it with the request id; the server's log has the stack trace",
            )
            await problem.response(state["request_id"])(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", None) or "other"
            if (app_state := getattr(scope["app"].state, "onelook", None)) is not None:
                app_state.metrics.record_request(route, status, seconds)
            log.info(
                "request",
                extra={
                    "fields": {
                        "request_id": state["request_id"],
                        "method": scope["method"],
                        "path": scope["path"],
                        "status": status,
                        "ms": round(seconds * 1e3, 2),
                        "client": scope["client"][0] if scope.get("client") else None,
                        **log_fields,
                    }
                },
            )
