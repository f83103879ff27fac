"""A server that speaks the OpenAI protocol: JSON over HTTP, with its failures as `onelook.errors`.

The `openai` client takes about six times as long for a request with a picture as aiohttp and orjson do
(`python -m benchmarks.overhead`).
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from typing import Any, Literal

import aiohttp
import orjson
from pydantic import SecretStr
from yarl import URL

from onelook.errors import (
    EngineError,
    EngineFailed,
    EngineIncapable,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    SettingsError,
)

# uvicorn, under vLLM and SGLang, closes an idle connection after 5 s. Closed earlier here, none breaks in a request.
KEEP_ALIVE_S = 4.0
LONGEST_SERVER_MESSAGE = 500

# What a server may repeat and a log must not hold: pictures, other long data, an Authorization header.
_UNFIT = re.compile(r"data:[\w.+/-]*;base64,[\w+/=-]*|[\w+/=-]{200,}|(?:Basic|Bearer) \S+", re.ASCII)


class OpenAIServer:
    """Posts and gets JSON under `base_url` (which ends in `/v1`). Works from several event loops; never retries.

    `timeout_s` is for a whole request, in seconds. `variables`: how the names of the environment variables begin that
    set it, for messages. Raises `SettingsError` for an address that is no http(s) URL.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: SecretStr | None = None,
        timeout_s: float = 60.0,
        variables: str = "ONELOOK_",
    ) -> None:
        self.variables = variables
        self._url = _parse(base_url, variables)
        self._key = api_key.get_secret_value() if api_key else ""
        if self._key and self._url.user is not None:
            raise SettingsError(
                f"{variables}BASE_URL {self.address} holds a user name, and {variables}API_KEY is set too",
                hint="a request has one Authorization header: remove one of the two",
            )
        self.timeout_s = timeout_s
        self._open: dict[asyncio.AbstractEventLoop, tuple[aiohttp.ClientSession, AsyncGenerator[Any]]] = {}

    @property
    def address(self) -> str:
        """The base URL for messages: without user, password and query."""
        return str(self._url.with_user(None).with_query(None))

    async def get(self, path: str) -> dict[str, Any]:
        """The JSON object at `path`, relative to the base URL. Raises `EngineError`."""
        return await self._request("GET", path, None)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that answers `body`. Raises `EngineError`."""
        # As a file: aiohttp writes it in pieces, where bytes over 1 MiB would hold the event loop (it warns of that).
        return await self._request("POST", path, io.BytesIO(orjson.dumps(body)))

    async def takes(self, path: str) -> bool:
        """Whether the server takes POST at `path`: it then answers a GET with HTTP 405, not 404."""
        status, _ = await self._exchange("GET", self._url.joinpath(path), None)
        return status == HTTPStatus.METHOD_NOT_ALLOWED

    async def call_route(self, method: Literal["GET", "POST"], route: str, **query: str) -> dict[str, Any]:
        """The JSON object that vLLM's own `route`, which is beside `/v1`, answers; {} for an empty answer.

        Raises:
            EngineRefused: there is no such route.
            EngineError: as everywhere.
        """
        root = self._url.parent if self._url.name == "v1" else self._url
        status, content = await self._exchange(method, root.joinpath(route).extend_query(query), None)
        if status != HTTPStatus.OK:
            raise self._refusal(status, content)
        return self._object(content) if content else {}

    async def aclose(self) -> None:
        """Close the connections of the running event loop; those of another loop close when that loop shuts down."""
        _, owner = self._open.pop(asyncio.get_running_loop(), (None, None))
        if owner is not None:
            await owner.aclose()

    async def _request(self, method: str, path: str, body: io.BytesIO | None) -> dict[str, Any]:
        status, content = await self._exchange(method, self._url.joinpath(path), body)
        if status != HTTPStatus.OK:
            raise self._refusal(status, content)
        return self._object(content)

    def _object(self, content: bytes) -> dict[str, Any]:
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            raise self._not_openai(f"answered with something that is not JSON: {self._message(content)!r}") from None
        if not isinstance(answer, dict):
            raise self._not_openai(f"answered with a JSON {type(answer).__name__}, not an object")
        return answer

    async def _exchange(self, method: str, url: URL, body: io.BytesIO | None) -> tuple[int, bytes]:
        """HTTP status and content. Raises `EngineError` if no answer comes."""
        session = await self._session()
        try:
            async with session.request(method, url, data=body) as response:
                return response.status, await response.read()
        except TimeoutError:
            raise EngineTimeout(
                f"{self.address} gave no answer within {self.timeout_s:g} s",
                hint=f"allow more time with {self.variables}TIMEOUT_S={2 * self.timeout_s:g}, or send fewer pictures at"
                " once with --concurrency 2 or ONELOOK_CONCURRENCY=2",
            ) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise EngineIncapable(
                f"the certificate of {self.address} is not trusted: {error.certificate_error}",
                hint="for a certificate of your own (self-signed, or of an internal authority) set"
                " SSL_CERT_FILE=/path/to/that-certificate.pem; on a trusted network, http instead of https in"
                f" {self.variables}BASE_URL does without one",
            ) from None
        except aiohttp.ClientSSLError as error:
            raise EngineIncapable(
                f"no secure connection to {self.address}: {error}",
                hint=f"is the server http instead of https? {self.variables}BASE_URL sets the address",
            ) from None
        except (aiohttp.ClientResponseError, aiohttp.InvalidURL) as error:
            raise self._not_openai(f"broke the HTTP protocol ({type(error).__name__})") from None
        except aiohttp.ClientError as error:
            raise EngineUnavailable(
                f"nothing answers at {self.address}: {error or type(error).__name__}",
                hint=f"is the server running there? {self.variables}BASE_URL sets the address",
            ) from None

    async def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if loop not in self._open:
            owner = self._own_session(loop)
            self._open[loop] = await anext(owner), owner
        return self._open[loop][0]

    async def _own_session(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[aiohttp.ClientSession]:
        """A session that closes in its own loop, even if nobody calls `aclose` there: a loop that shuts down closes the
        async generators that it has begun, and this is one."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        # limit=0: ONELOOK_CONCURRENCY decides how many requests are in flight; a wait here would count as the server's.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S)
        timeout = aiohttp.ClientTimeout(total=self.timeout_s)
        async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout) as session:
            try:
                yield session
            finally:
                if loop in self._open and self._open[loop][0] is session:
                    del self._open[loop]

    def _refusal(self, status: int, content: bytes) -> EngineError:
        message = f"{self.address} answered HTTP {status}: {self._message(content) or 'no reason given'}"
        if status in (401, 403):
            return EngineRefused(message, hint=f"set {self.variables}API_KEY to a key that the server accepts")
        if status == 404:
            return EngineRefused(
                message, hint=f"{self.variables}BASE_URL is the address before /chat/completions; it mostly ends in /v1"
            )
        if status == 429:
            return EngineFailed(message, hint="the server is overloaded: --concurrency 2 or ONELOOK_CONCURRENCY=2")
        if status >= 500:
            return EngineFailed(message, hint="the server's own log has the reason")
        if status >= 400:
            return EngineRefused(message)
        return self._not_openai(f"answered HTTP {status}")

    def _not_openai(self, what: str) -> EngineIncapable:
        return EngineIncapable(
            f"{self.address} {what}",
            hint=f"set the address of an OpenAI-compatible server: {self.variables}BASE_URL=http://127.0.0.1:8000/v1",
        )

    def _message(self, content: bytes) -> str:
        """The server's own message, on one line, without the picture or the key that it may repeat."""
        text = _error_text(content)
        for secret in (self._key, self._url.password):
            text = text.replace(secret, "***") if secret else text
        return fit_for_message(text)


def fit_for_message(text: str) -> str:
    """What a server sent, on one line of bounded length, without pictures and credentials."""
    text = " ".join(_UNFIT.sub("…", text).split())
    return text if len(text) <= LONGEST_SERVER_MESSAGE else text[:LONGEST_SERVER_MESSAGE] + "…"


def _parse(base_url: str, variables: str) -> URL:
    try:
        url = URL(base_url.rstrip("/"))
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingsError(
            f"{variables}BASE_URL is no http or https address: {base_url!r}",
            hint="write it like http://127.0.0.1:8000/v1",
        )
    return url


def _error_text(content: bytes) -> str:
    """The message in an error body: in OpenAI's and vLLM's form, in FastAPI's, or the whole text."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return content.decode("utf-8", errors="replace")
    match body:
        case {"error": {"message": str(message)}} | {"error": str(message)}:
            return message
        case {"message": str(message)} | {"detail": str(message)}:
            return message
    return orjson.dumps(body).decode()
