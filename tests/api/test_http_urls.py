"""Pictures by URL: only if enabled, and never from this machine's network."""

from __future__ import annotations

import socket
from functools import partial

import pytest
from aiohttp import web

from onelook.images import download as download_module
from onelook.images.download import download
from tests.api.conftest import Connect
from tests.api.served import Client
from tests.engines.openai_simulation import SimulatedServer, always, completion
from tests.graph.replies import BUILDING

INNER = [
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost/a.jpg",
    "http://127.0.0.1:1/a.jpg",
    "http://[::1]/a.jpg",
    "http://[::ffff:127.0.0.1]/a.jpg",
    "http://0x7f000001/a.jpg",
    "http://10.0.0.1/a.jpg",
    "HTTP://LOCALHOST/a.jpg",
    f"http://{socket.gethostname()}/a.jpg",
]


@pytest.mark.parametrize("url", [*INNER, "https://example.org/a.jpg"])
async def test_urls_are_refused_by_default(connect: Connect, url: str) -> None:
    async with SimulatedServer() as engine, connect(engine) as client:
        one = await client.post("/v1/tags", json={"images": ["eA==", url]})
        one.problem(422, kind="BadField", field="images.1")
        many = await client.post("/v1/tags/batch", json={"images": [url]})
        many.problem(422, kind="BadField", field="images.0")


async def test_urls_to_private_addresses_are_refused(connect: Connect) -> None:
    async with SimulatedServer() as engine:
        # ONELOOK_ALLOW_PRIVATE_URLS is for users of the process, not for callers.
        async with connect(engine, http={"allow_urls": True}, allow_private_urls=True) as client:
            for url in INNER:
                await refused(client, url)
        assert [body for body in engine.bodies if "Say hello." not in str(body)] == []


async def refused(client: Client, url: str) -> None:
    answer = await client.post("/v1/tags", json={"images": [url]})
    said = answer.problem(422, kind="ImageRefused", field="images")
    assert "private or local address" in said["detail"]


class Outside:
    """A simulation of a public address, 127.0.0.1, and of a private one, 127.0.0.2."""

    def __init__(self, picture: bytes) -> None:
        self.picture = picture
        self.inner_visits = 0

    async def answer(self, request: web.Request) -> web.Response:
        if str(request.url.host) == "127.0.0.2":
            self.inner_visits += 1
        if request.path == "/redirect":
            raise web.HTTPFound(f"http://127.0.0.2:{request.url.port}/a.jpg")
        return web.Response(body=self.picture, content_type="image/jpeg")


async def test_a_redirect_to_a_private_address_is_refused(
    connect: Connect, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module, "download", partial(download, allowed=lambda address: address == "127.0.0.1"))
    outside = Outside(picture)
    app = web.Application()
    app.router.add_get("/{path}", outside.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 0).start()
    port = runner.addresses[0][1]
    try:
        async with (
            SimulatedServer(always(completion(BUILDING))) as engine,
            connect(engine, http={"allow_urls": True}) as client,
        ):
            good = await client.post("/v1/tags", json={"images": [f"http://127.0.0.1:{port}/a.jpg"]})
            assert good.status == 200, good.body
            await refused(client, f"http://127.0.0.1:{port}/redirect")
            assert outside.inner_visits == 0
    finally:
        await runner.cleanup()
