"""Pages of other origins, where the settings name them."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class Cors:
    """Starlette's CORSMiddleware, made when the settings are known: middleware is stacked before the server starts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._allowing: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._allowing is None and scope["type"] == "http":
            origins = scope["app"].state.onelook.http.cors_origins
            self._allowing = (
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
        await (self._allowing or self._app)(scope, receive, send)
