"""A simulation of a vLLM pooling server with SigLIP: a real HTTP server on 127.0.0.1 that looks at nothing.

The n-th text has the n-th axis for its vector; a picture has the one that the test says.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from PIL import Image

Body = Mapping[str, Any]
Respond = Callable[[Body], Awaitable[web.StreamResponse]]

DIMENSION = 12


def axis(number: int, dimension: int = DIMENSION) -> list[float]:
    """A vector along one axis, of a length that is not 1: not every server normalizes."""
    return [2.0 if each == number else 0.0 for each in range(dimension)]


def embeddings(*vectors: Any) -> dict[str, Any]:
    """An answer of `/v1/embeddings`."""
    data = [{"index": index, "object": "embedding", "embedding": vector} for index, vector in enumerate(vectors)]
    return {"id": "1", "object": "list", "model": "tiny", "data": data, "usage": {"prompt_tokens": 64}}


class SimulatedPoolingServer:
    """`async with SimulatedPoolingServer(folder, sees=4) as server:` listens at `server.base_url`.

    `folder` is what it says it was loaded from. A function in `texts` or `pictures` answers in its place. `asked` are
    the bodies of the requests, `shown` the pictures in them.
    """

    def __init__(self, folder: Path, *, sees: int = 0, model: str = "siglip") -> None:
        self.texts: Respond | None = None
        self.pictures: Respond | None = None
        self.asked: list[Body] = []
        self.shown: list[Image.Image] = []
        self._card = {"id": model, "object": "model", "owned_by": "vllm", "root": str(folder)}
        self._sees = sees

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [self._card]})

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        body: Body = await request.json()
        self.asked.append(body)
        if "input" in body:
            if self.texts:
                return await self.texts(body)
            return web.json_response(embeddings(*(axis(number) for number, _ in enumerate(body["input"]))))
        (part,) = body["messages"][0]["content"]
        media, _, data = part["image_url"]["url"].partition(";base64,")
        assert media == "data:image/bmp"
        self.shown.append(Image.open(io.BytesIO(base64.b64decode(data))))
        if self.pictures:
            return await self.pictures(body)
        return web.json_response(embeddings(axis(self._sees)))

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes([web.get("/v1/models", self._models), web.post("/v1/embeddings", self._embed)])
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
