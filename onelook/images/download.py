"""Downloads a picture from an untrusted http(s) URL; every address is checked when the connection is made."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from http import HTTPStatus

import aiohttp
from aiohttp.abc import AbstractResolver

from onelook.errors import ImageNotFound, ImageRefused, ImageTooLarge, ImageUnreachable
from onelook.images.addresses import is_public
from onelook.images.limits import Limits
from onelook.images.urls import parse_url, shown

MAX_REDIRECTS = 5
REDIRECTS = {301, 302, 303, 307, 308}
MAY_PASS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "onelook"}


class AddressGuard:
    """Opens the sockets of one download, only to addresses that `allowed` accepts.

    This is the last step before the connection, after names, redirects and unusual spellings of an address
    (0x7f000001) have been resolved, so nothing is resolved again after the check.
    """

    def __init__(self, allowed: Callable[[str], bool]) -> None:
        self._allowed = allowed
        self.refused = False

    def open_socket(self, addr_info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = addr_info
        if not self._allowed(str(address[0])):
            self.refused = True
            raise PermissionError("not a public address")
        return socket.socket(family, kind, protocol)


async def download(
    reference: str,
    limits: Limits,
    *,
    allowed: Callable[[str], bool] = is_public,
    resolver: AbstractResolver | None = None,
) -> bytes:
    """The body behind the URL `reference`, at most `limits.max_bytes` of it after any content decoding.

    `allowed` checks each IP address before the connection (not with `limits.allow_private_urls`);
    `resolver` replaces the system's name lookup. Cookies and proxy settings of the environment are ignored.

    Raises:
        ImageRefused: not an http(s) URL, an address that `allowed` refuses, or more than five redirects.
        ImageNotFound: HTTP 4xx, or an answer without a picture.
        ImageTooLarge: over `limits.max_bytes`; the download stops there.
        ImageUnreachable: no connection, no answer within `limits.download_timeout_s`, HTTP 5xx or 429. May pass.
    """
    url = parse_url(reference)
    guard = AddressGuard((lambda address: True) if limits.allow_private_urls else allowed)
    try:
        async with (
            asyncio.timeout(limits.download_timeout_s),
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(socket_factory=guard.open_socket, resolver=resolver),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=HEADERS,
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
            ) as session,
        ):
            for _ in range(MAX_REDIRECTS + 1):
                async with session.get(url, allow_redirects=False) as response:
                    if response.status not in REDIRECTS or "Location" not in response.headers:
                        return await _body(response, limits)
                    url = parse_url(response.headers["Location"], base=url)
            raise ImageRefused(
                f"{shown(url)}: more than {MAX_REDIRECTS} redirects", hint="give the picture's final URL"
            )
    except TimeoutError:
        raise ImageUnreachable(
            f"{shown(url)}: not downloaded within {limits.download_timeout_s:g} s",
            hint="try again, or set a larger ONELOOK_DOWNLOAD_TIMEOUT_S",
        ) from None
    except aiohttp.InvalidURL:
        raise ImageRefused(f"{shown(url)} is not a valid URL", hint="write it as https://host/path") from None
    except aiohttp.ClientError as error:
        if guard.refused:
            raise ImageRefused(
                f"{shown(url)} leads to a private or local address",
                hint="send the picture itself; ONELOOK_ALLOW_PRIVATE_URLS=true allows it, except through the HTTP API",
            ) from None
        reason = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
        raise ImageUnreachable(f"{shown(url)}: download failed: {reason}", hint="check the address") from error


async def _body(response: aiohttp.ClientResponse, limits: Limits) -> bytes:
    where, status = shown(response.url), response.status
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in MAY_PASS:
        raise ImageUnreachable(f"{where}: the server answered HTTP {status}", hint="try again later")
    if status != HTTPStatus.OK:
        raise ImageNotFound(
            f"{where}: the server answered HTTP {status} instead of a picture",
            hint="check that the URL shows the picture without a login",
        )
    too_large = ImageTooLarge(
        f"{where} is larger than {limits.max_bytes / 1e6:g} MB",
        hint="use a smaller file, or set a larger ONELOOK_MAX_IMAGE_MB",
    )
    if response.content_length is not None and response.content_length > limits.max_bytes:
        raise too_large
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limits.max_bytes:
            raise too_large
    return bytes(body)
