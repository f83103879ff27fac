"""Downloads from a real HTTP server on this machine, well-behaved and hostile."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.typedefs import Handler

from onelook.errors import ImageError, ImageNotFound, ImageRefused, ImageTooLarge, ImageUnreachable, ImageUnreadable
from onelook.images.addresses import is_public
from onelook.images.download import download
from onelook.ledger.stamps import node_span
from tests.images.image_samples import LIMITS, load_picture, sample

JPEG = sample("JPEG")
PUBLIC_ONLY = replace(LIMITS, allow_private_urls=False)


@dataclass
class Site:
    url: str
    port: int
    requests: list[web.Request]


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    requests: list[web.Request] = []

    async def picture(request: web.Request) -> web.Response:
        return web.Response(body=JPEG, content_type="application/octet-stream")

    async def status(request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["code"]))

    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.query["to"]})

    async def hops(request: web.Request) -> web.Response:
        left = int(request.match_info["left"])
        return web.Response(status=307, headers={"Location": f"/hops/{left - 1}" if left > 1 else "/picture.jpg"})

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(100_000))

    async def announced(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "3000000"})
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    async def bomb(request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"})

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(JPEG))})
        await response.prepare(request)
        await response.write(JPEG[:100])
        assert request.transport is not None
        request.transport.close()
        return response

    async def silent(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<!DOCTYPE html><title>Log in</title>", content_type="text/html")

    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        requests.append(request)
        return await handler(request)

    app = web.Application(middlewares=[record])
    app.router.add_get("/picture.jpg", picture)
    app.router.add_get("/status/{code}", status)
    app.router.add_get("/redirect", redirect)
    app.router.add_get("/hops/{left}", hops)
    for handler in (endless, announced, bomb, cut, silent, page):
        app.router.add_get(f"/{handler.__name__}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    yield Site(f"http://127.0.0.1:{port}", port, requests)
    await runner.cleanup()


class Names(AbstractResolver):
    """A resolver with the answers of an attacker's DNS."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.addresses[host]
        return [ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


def public_or_the_test_site(address: str) -> bool:
    return address == "127.0.0.1" or is_public(address)


async def test_a_picture_by_url_is_loaded_and_timed(site: Site) -> None:
    with node_span("prepare") as node:
        picture = await load_picture(f"{site.url}/picture.jpg", long_edge=224, limits=LIMITS)
    assert picture == await load_picture(JPEG, long_edge=224, limits=LIMITS)
    assert [inner.name for inner in node.spans] == ["download"]


async def test_redirects_are_followed_up_to_five(site: Site) -> None:
    assert await download(f"{site.url}/hops/5", LIMITS) == JPEG
    with pytest.raises(ImageRefused, match="more than 5 redirects"):
        await download(f"{site.url}/hops/6", LIMITS)


@pytest.mark.parametrize(
    ("path", "error", "says"),
    [
        ("/status/404", ImageNotFound, "HTTP 404"),
        ("/status/410", ImageNotFound, "HTTP 410"),
        ("/status/403", ImageNotFound, "HTTP 403"),
        ("/status/204", ImageNotFound, "HTTP 204"),
        ("/status/302", ImageNotFound, "HTTP 302"),
        ("/status/429", ImageUnreachable, "HTTP 429"),
        ("/status/500", ImageUnreachable, "HTTP 500"),
        ("/status/503", ImageUnreachable, "HTTP 503"),
        ("/cut", ImageUnreachable, "download failed"),
        ("/endless", ImageTooLarge, "larger than 2 MB"),
        ("/announced", ImageTooLarge, "larger than 2 MB"),
        ("/bomb", ImageTooLarge, "larger than 2 MB"),
        ("/redirect?to=file:///etc/hostname", ImageRefused, "redirects to what is not a complete http"),
        ("/redirect?to=http://[", ImageRefused, "redirects to what is not a complete http"),
        ("/page", ImageUnreadable, "it looks like a web page"),
    ],
)
async def test_an_error_response_is_an_error(site: Site, path: str, error: type[ImageError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        await load_picture(site.url + path, long_edge=224, limits=LIMITS)
    assert caught.value.hint
    assert caught.value.retryable == (error is ImageUnreachable)


async def test_a_silent_server_times_out(site: Site) -> None:
    with pytest.raises(ImageUnreachable, match=r"not downloaded within 0\.2 s"):
        await download(f"{site.url}/silent", replace(LIMITS, download_timeout_s=0.2))


async def test_a_closed_port_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ImageUnreachable, match="download failed"):
            await download(f"http://127.0.0.1:{unused.getsockname()[1]}/", LIMITS)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0x7f000001",
        "2130706433",
        "127.1",
        "0",
        "①②⑦.⓪.⓪.①",
    ],
)
async def test_no_spelling_of_a_local_address_is_accepted(site: Site, host: str) -> None:
    with pytest.raises(ImageRefused):
        await download(f"http://{host}:{site.port}/picture.jpg", PUBLIC_ONLY)
    assert not site.requests


async def test_private_addresses_are_read_if_the_settings_allow_it(site: Site) -> None:
    assert await download(f"http://localhost:{site.port}/picture.jpg", LIMITS) == JPEG


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254"])
async def test_a_public_name_with_a_private_address_is_refused(site: Site, address: str) -> None:
    url = f"http://pictures.example:{site.port}/picture.jpg"
    with pytest.raises(ImageRefused, match=r"pictures\.example:\d+/picture\.jpg leads to a private or local address"):
        await download(url, PUBLIC_ONLY, resolver=Names({"pictures.example": address}))
    assert not site.requests


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data", "http://inside.example/", "http://[::1]/"]
)
async def test_a_redirect_to_a_private_address_is_refused(site: Site, target: str) -> None:
    names = Names({"pictures.example": "127.0.0.1", "inside.example": "10.0.0.7"})
    with pytest.raises(ImageRefused, match="leads to a private or local address"):
        await download(
            f"http://pictures.example:{site.port}/redirect?to={target}",
            PUBLIC_ONLY,
            allowed=public_or_the_test_site,
            resolver=names,
        )
    assert len(site.requests) == 1


async def test_passwords_and_signatures_stay_out_of_messages(site: Site) -> None:
    url = f"http://anna:s3cret@127.0.0.1:{site.port}/status/404?signature=0123abc#part"
    with pytest.raises(ImageNotFound) as caught:
        await load_picture(url, long_edge=224, limits=LIMITS)
    assert "/status/404" in caught.value.message
    assert not any(secret in caught.value.message for secret in ("anna", "s3cret", "0123abc"))
    assert site.requests[0].headers["Authorization"].startswith("Basic ")


async def test_a_password_does_not_follow_a_redirect_and_cookies_do_not_exist(site: Site) -> None:
    names = Names({"elsewhere.example": "127.0.0.1"})
    target = f"http://elsewhere.example:{site.port}/picture.jpg"
    await download(f"http://anna:s3cret@127.0.0.1:{site.port}/redirect?to={target}", LIMITS, resolver=names)
    assert "Authorization" not in site.requests[1].headers
    assert "Cookie" not in site.requests[1].headers


async def test_the_environments_proxy_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert await download(f"{site.url}/picture.jpg", LIMITS) == JPEG


@pytest.mark.parametrize("url", ["http://", "https:///picture.jpg", "http://[", "http://a:99999/", "http://a b/"])
async def test_a_malformed_url_is_refused(url: str) -> None:
    with pytest.raises(ImageError):
        await load_picture(url, long_edge=224, limits=PUBLIC_ONLY)
