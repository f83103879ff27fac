"""Cross-origin requests (CORS), for the origins in ONELOOK_HTTP__CORS_ORIGINS."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class Cors:
    """Starlette's CORSMiddleware, made at the first request: middleware is added before the settings are read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._wrapped: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._wrapped is None and scope["type"] == "http":
            origins = scope["app"].state.onelook.http.cors_origins
            self._wrapped = (
                CORSMiddleware(
                    self._app,
                    allow_origins=origins,
                    allow_methods=("GET", "POST"),
                    allow_headers=("Authorization", "Content-Type", "X-Request-ID", "X-Timeout-Seconds"),
                    expose_headers=("X-Request-ID", "Retry-After"),
                )
                if origins
                else self._app
            )
        await (self._wrapped or self._app)(scope, receive, send)
