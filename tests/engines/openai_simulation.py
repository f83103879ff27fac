"""A simulation of an OpenAI-compatible server: a real HTTP server on 127.0.0.1 whose answers a test writes."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from onelook.engines.openai.engine import OpenAIEngine
from onelook.settings.process import Settings

Body = Mapping[str, Any]
Respond = Callable[[web.Request, Body], Awaitable[web.StreamResponse]]


def completion(text: str = "hello", *, finish_reason: str = "stop", **extras: Any) -> dict[str, Any]:
    """The least that a chat completion has. `extras` are further fields of the body; `logprobs` one of the choice."""
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": finish_reason,
    }
    if "logprobs" in extras:
        choice["logprobs"] = extras.pop("logprobs")
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "tiny", "choices": [choice], **extras}


def letter(logprobs: Mapping[str, float]) -> dict[str, Any]:
    """One token of a reply that was the likeliest of `logprobs`."""
    entries = [
        {"token": token, "logprob": logprob, "bytes": list(token.encode())}
        for token, logprob in sorted(logprobs.items(), key=lambda each: -each[1])
    ]
    return {"content": [{**entries[0], "top_logprobs": entries}]}


def batch_completion(*letters: Mapping[str, float], **extras: Any) -> dict[str, Any]:
    """What vLLM answers to a batch of one-token questions: a choice for each, and one usage for all."""
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": max(each, key=lambda token: each[token])},
            "finish_reason": "length",
            "logprobs": letter(each),
        }
        for index, each in enumerate(letters)
    ]
    usage = {"prompt_tokens": 100 * len(letters), "completion_tokens": len(letters), "prompt_tokens_details": None}
    body = {"id": "1", "object": "chat.completion", "created": 0, "model": "tiny", "metrics": None}
    return {**body, "choices": choices, "usage": usage, **extras}


def always(body: Any, status: int = 200) -> Respond:
    """Every question gets this JSON."""

    async def respond(request: web.Request, asked: Body) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return respond


class SimulatedServer:
    """`async with SimulatedServer(respond) as server:` listens at `server.base_url`.

    `bodies` and `headers` are those of the questions, `lookups` counts how often the models were listed.
    With `respond_batch` it takes several questions in one request; their bodies are `batches`. `tls`: its certificate.
    Left and entered again, it listens at the same address.
    """

    def __init__(
        self,
        respond: Respond | None = None,
        *,
        models: Sequence[str] = ("tiny",),
        owner: str = "vllm",
        respond_batch: Respond | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.respond = respond or always(completion())
        self.cards = [{"id": name, "object": "model", "owned_by": owner} for name in models]
        self.respond_batch = respond_batch
        self.tls = tls
        self.bodies: list[Body] = []
        self.batches: list[Body] = []
        self.headers: list[Mapping[str, str]] = []
        self.lookups = 0
        self._port = 0

    def routes(self) -> Sequence[web.RouteDef]:
        """What this server has beside the protocol."""
        return ()

    async def _models(self, request: web.Request) -> web.Response:
        self.lookups += 1
        return web.json_response({"object": "list", "data": self.cards})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body: Body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        return await self.respond(request, body)

    async def _complete_batch(self, request: web.Request) -> web.StreamResponse:
        assert self.respond_batch is not None
        self.batches.append(await request.json())
        return await self.respond_batch(request, self.batches[-1])

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes([web.get("/v1/models", self._models), web.post("/v1/chat/completions", self._complete)])
        app.add_routes(self.routes())
        if self.respond_batch is not None:
            app.add_routes([web.post("/v1/chat/completions/batch", self._complete_batch)])
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self.tls).start()
        self._port = self._runner.addresses[0][1]
        self.base_url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self._port}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()


@asynccontextmanager
async def engine_at(base_url: str, **settings: Any) -> AsyncIterator[OpenAIEngine]:
    """Our engine for that server, closed in the end."""
    engine = OpenAIEngine.from_settings(Settings(engine="vllm", base_url=base_url, **settings))
    try:
        yield engine
    finally:
        await engine.aclose()
