"""Around every request: its id, its line in the log, its metrics, the security headers, and the last resort."""

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
CLIENT_CLOSED_REQUEST = 499  # nginx's number for a client that was gone before its answer


class RequestLog:
    """ASGI middleware. A caller's X-Request-ID is kept where it is plain, and comes back either way."""

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
        said: dict[str, object] = {}
        state["said"] = said
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id), *SECURITY_HEADERS]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except ClientDisconnect:
            status = CLIENT_CLOSED_REQUEST
        except Exception:
            log.exception("bug", extra={"fields": {"request_id": state["request_id"], "path": scope["path"]}})
            if status:
                raise  # in the middle of an answer: the connection breaks, which tells the client
            problem = Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "a bug in the server",
                kind="Bug",
                hint="report it with the request id; the server's log has the reason",
            )
            await problem.response(state["request_id"])(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", None) or "other"
            if (state := getattr(scope["app"].state, "onelook", None)) is not None:
                state.metrics.saw_request(route, status, seconds)
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
                        **said,
                    }
                },
            )
