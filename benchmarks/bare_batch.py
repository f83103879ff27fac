"""The client beside which `onelook batch` is measured: aiohttp, Pillow and orjson, without tagger, graph and ledger.

It puts the same questions about a folder's pictures: the request is one that onelook sent, with another picture in it,
made as small as onelook makes it. `Bare.prepare` reads the file, decodes, resizes and encodes it (Pillow, in a thread);
`Bare.tag` sends the request and reads the JSON of the reply. It checks nothing, keeps nothing and cannot go on.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from PIL import Image
from pybase64 import b64encode_as_string

from benchmarks.echo_server import LARGEST_REQUEST, completion
from onelook.images.sizing import layout
from onelook.settings.process import load_settings
from onelook.settings.resolution import at_most
from onelook.tagger import Tagger

JSON = {"Content-Type": "application/json"}
QUALITY = 90


@asynccontextmanager
async def catching(base_url: str, reply: str, caught: list[bytes]) -> AsyncIterator[str]:
    """The base URL of a server that keeps the questions about pictures in `caught` and answers them with `reply`. It
    passes all else on to the server at `base_url`, so that it is taken for that one."""
    answer = completion(reply)

    async with aiohttp.ClientSession() as session:

        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            if b'"image_url"' in body:
                caught.append(body)
                return web.Response(body=answer, content_type="application/json")
            address = base_url.removesuffix("/v1") + request.path
            async with session.request(request.method, address, data=body, headers=JSON) as passed:
                return web.Response(body=await passed.read(), status=passed.status, content_type=passed.content_type)

        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        finally:
            await runner.cleanup()


@dataclass(frozen=True, slots=True)
class Bare:
    """`question`: a request of onelook's. `long_edge` in pixels and `grid`: how large its pictures are."""

    base_url: str
    question: dict[str, Any]
    long_edge: int
    grid: int

    @classmethod
    async def of(cls, base_url: str, picture: Path, reply: str) -> Bare:
        """The client that asks the server at `base_url` what onelook asks it about `picture`."""
        caught: list[bytes] = []
        async with catching(base_url, reply, caught) as address:
            settings = load_settings(engine="vllm", base_url=address)
            async with Tagger(settings) as tagger:
                await tagger.tag(str(picture))
                grid = tagger.services.engine.capabilities.size_grid
        return cls(base_url, orjson.loads(caught[0]), settings.run.long_edge, grid)

    def prepare(self, file: Path) -> bytes:
        """The request about the picture in `file`."""
        encoded = io.BytesIO()
        with Image.open(file) as image:
            size = layout(image.width, image.height, at_most(self.long_edge), self.grid).sent
            image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(encoded, "JPEG", quality=QUALITY)
        url = f"data:image/jpeg;base64,{b64encode_as_string(encoded.getvalue())}"

        def with_picture(part: dict[str, Any]) -> dict[str, Any]:
            if part["type"] != "image_url":
                return part
            named = {"uuid": hashlib.sha256(url.encode()).hexdigest()} if "uuid" in part else {}
            return {**part, "image_url": {"url": url}, **named}

        messages = [
            {**message, "content": [with_picture(part) for part in message["content"]]}
            if isinstance(message["content"], list)
            else message
            for message in self.question["messages"]
        ]
        return orjson.dumps({**self.question, "messages": messages})

    async def tag(self, files: Sequence[Path], at_once: int, *, prepared: bool = False) -> float:
        """Seconds for `files`, `at_once` at a time. `prepared`: without the time that their preparation takes."""
        bodies = [self.prepare(file) for file in files] if prepared else [None] * len(files)
        waiting = iter(zip(files, bodies, strict=True))

        async def work(session: aiohttp.ClientSession) -> None:
            for file, ready in waiting:
                body = ready or await asyncio.to_thread(self.prepare, file)
                async with session.post(f"{self.base_url}/chat/completions", data=body, headers=JSON) as answer:
                    assert answer.status == 200, await answer.text()
                    orjson.loads(orjson.loads(await answer.read())["choices"][0]["message"]["content"])

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            began_s = time.perf_counter()
            await asyncio.gather(*(work(session) for _ in range(at_once)))
            return time.perf_counter() - began_s
