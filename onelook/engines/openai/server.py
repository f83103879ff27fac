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
from typing import Any, Literal, NamedTuple

import aiohttp
import orjson
from pydantic import SecretStr
from yarl import URL

from onelook.engines.retry_after import read_retry_after_s
from onelook.engines.throttle import MAX_RETRY_AFTER_S, Rejected, Throttle
from onelook.errors import (
    EngineError,
    EngineFailed,
    EngineIncapable,
    EngineOverloaded,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    SettingsError,
)
from onelook.settings.hints import set_to

# uvicorn, under vLLM and SGLang, closes an idle connection after 5 s. Closed earlier here, none breaks in a request.
KEEP_ALIVE_S = 4.0
LONGEST_SERVER_MESSAGE = 500

# The server did not work at the request: the same request can be sent again.
REJECTED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)

# OpenAI's code in the body of an HTTP 429 that no waiting helps.
NO_QUOTA = "insufficient_quota"

# What a server may repeat and a log must not hold: pictures, other long data, an Authorization header.
_UNFIT = re.compile(r"data:[\w.+/-]*;base64,[\w+/=-]*|[\w+/=-]{200,}|(?:Basic|Bearer) \S+", re.ASCII)


class _HttpAnswer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    content: bytes


class Posted(NamedTuple):
    """The JSON object that answers a request, and for how many seconds the request waited to be taken."""

    answer: dict[str, Any]
    throttled_s: float


class OpenAIServer:
    """Posts and gets JSON under `base_url` (which ends in `/v1`). Works from several event loops.

    Never retries: its `throttle` only holds a request back until the server takes it. `timeout_s` is for a whole
    request from then on, in seconds. `max_retry_after_s` and `max_outage_s` are the throttle's. `variables`: how the
    names of the environment variables begin that set it, for messages. Raises `SettingsError` for an address that is no
    http(s) URL.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: SecretStr | None = None,
        timeout_s: float = 60.0,
        max_retry_after_s: float = MAX_RETRY_AFTER_S,
        max_outage_s: float | None = None,
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
        self.throttle = Throttle(self.address, max_retry_after_s=max_retry_after_s, max_outage_s=max_outage_s)
        self._open: dict[asyncio.AbstractEventLoop, tuple[aiohttp.ClientSession, AsyncGenerator[Any]]] = {}

    @property
    def address(self) -> str:
        """The base URL for messages: without user, password and query."""
        return str(self._url.with_user(None).with_query(None))

    @property
    def secret(self) -> str:
        """What the server knows its caller by: the API key, or the password in its address; empty where it asks for
        none."""
        return self._key or self._url.password or ""

    async def get(self, path: str) -> dict[str, Any]:
        """The JSON object at `path`, relative to the base URL. Raises `EngineError`."""
        content, _ = await self.throttle.send(lambda: self._content("GET", path), question=False)
        return self._object(content)

    async def post(self, path: str, body: Mapping[str, Any]) -> Posted:
        """The JSON object that answers `body`. Raises `EngineError`."""
        data = orjson.dumps(body)
        content, throttled_s = await self.throttle.send(lambda: self._content("POST", path, data))
        return Posted(self._object(content), throttled_s)

    async def takes(self, path: str) -> bool:
        """Whether the server takes POST at `path`: it then answers a GET with HTTP 405, not 404. Raises `EngineError`
        where it is overloaded or does not answer."""

        async def status() -> int:
            answer = await self._exchange("GET", self._url.joinpath(path))
            self._raise_if_rejected(answer)
            return answer.status

        found, _ = await self.throttle.send(status, question=False)
        return found == HTTPStatus.METHOD_NOT_ALLOWED

    async def call_route(self, method: Literal["GET", "POST"], route: str, **query: str) -> dict[str, Any]:
        """The JSON object that vLLM's own `route`, which is beside `/v1`, answers; {} for an empty answer.

        Not through the throttle: these routes control the server, so they do not queue behind its questions, and a
        caller learns at once that nothing listens.

        Raises:
            EngineRefused: there is no such route.
            EngineError: as everywhere.
        """
        root = self._url.parent if self._url.name == "v1" else self._url
        try:
            answer = await self._exchange(method, root.joinpath(route).extend_query(query))
        except Rejected as rejected:
            raise rejected.error from None
        if answer.status != HTTPStatus.OK:
            raise self._refusal(answer)
        return self._object(answer.content) if answer.content else {}

    async def aclose(self) -> None:
        """Close the connections of the running event loop; those of another loop close when that loop shuts down."""
        _, owner = self._open.pop(asyncio.get_running_loop(), (None, None))
        if owner is not None:
            await owner.aclose()

    async def _content(self, method: str, path: str, data: bytes | None = None) -> bytes:
        answer = await self._exchange(method, self._url.joinpath(path), data)
        if answer.status == HTTPStatus.OK:
            return answer.content
        self._raise_if_rejected(answer)
        error = self._refusal(answer)
        if answer.status >= 500 and (seconds := read_retry_after_s(answer.headers)) is not None:
            self.throttle.hold(seconds, f"HTTP {answer.status}", error)
        raise error

    def _raise_if_rejected(self, answer: _HttpAnswer) -> None:
        if answer.status in REJECTED and isinstance(error := self._refusal(answer), EngineOverloaded):
            raise Rejected(error, f"HTTP {answer.status}", retry_after_s=read_retry_after_s(answer.headers))

    def _object(self, content: bytes) -> dict[str, Any]:
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            raise self._not_openai(f"answered with something that is not JSON: {self._message(content)!r}") from None
        if not isinstance(answer, dict):
            raise self._not_openai(f"answered with a JSON {type(answer).__name__}, not an object")
        return answer

    async def _exchange(self, method: str, url: URL, data: bytes | None = None) -> _HttpAnswer:
        """What the server answers. Raises `EngineError` if no answer comes, `Rejected` if there is no connection."""
        session = await self._session()
        # As a file: aiohttp writes it in pieces, where bytes over 1 MiB would hold the event loop (it warns of that).
        body = None if data is None else io.BytesIO(data)
        try:
            async with session.request(method, url, data=body) as response:
                return _HttpAnswer(response.status, response.headers, await response.read())
        except TimeoutError:
            raise EngineTimeout(
                f"{self.address} gave no answer within {self.timeout_s:g} s",
                hint=f"allow more time with {self.variables}TIMEOUT_S={2 * self.timeout_s:g}, or send fewer pictures at"
                f" once with {set_to(ONELOOK_CONCURRENCY=2)}",
            ) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise EngineIncapable(
                f"the certificate of {self.address} is not trusted: {error.certificate_error}",
                hint="for a certificate of your own (self-signed, or of an internal authority) set"
                " SSL_CERT_FILE=/path/to/that-certificate.pem; on a trusted network, http instead of https does without"
                f" one: {self.at(self.address.replace('https:', 'http:', 1))}",
            ) from None
        except aiohttp.ClientSSLError as error:
            raise EngineIncapable(
                f"no secure connection to {self.address}: {error}",
                hint=f"is the server http instead of https? {self.at(self.address.replace('https:', 'http:', 1))}",
            ) from None
        except (aiohttp.ClientResponseError, aiohttp.InvalidURL) as error:
            raise self._not_openai(f"broke the HTTP protocol ({type(error).__name__})") from None
        except aiohttp.ClientConnectorError as error:
            raise Rejected(self._unavailable(error), "no connection", down=True) from None
        except aiohttp.ClientError as error:
            raise self._unavailable(error) from None

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

    def _unavailable(self, error: aiohttp.ClientError) -> EngineUnavailable:
        return EngineUnavailable(
            f"nothing answers at {self.address}: {error or type(error).__name__}",
            hint=f"is the server running there? Another address: {self.at('http://HOST:PORT/v1')}",
        )

    def _refusal(self, answer: _HttpAnswer) -> EngineError:
        message = self._message(answer.content)
        known = status_error(answer.status, message, self.address, self.variables, content=answer.content)
        return known or self._not_openai(f"answered HTTP {answer.status}")

    def at(self, address: str) -> str:
        """How to name a server at `address` instead."""
        return set_to(**{f"{self.variables}BASE_URL": address})

    def _not_openai(self, what: str) -> EngineIncapable:
        return EngineIncapable(
            f"{self.address} {what}",
            hint=f"name an OpenAI-compatible server: {self.at('http://127.0.0.1:8000/v1')}",
        )

    def _message(self, content: bytes) -> str:
        """The server's own message, on one line, without the picture or the key that it may repeat."""
        text = error_text(content)
        for secret in (self._key, self._url.password):
            text = text.replace(secret, "***") if secret else text
        return fit_for_message(text)


def status_error(
    status: int, message: str, address: str, variables: str = "ONELOOK_", *, content: bytes = b""
) -> EngineError | None:
    """What an HTTP status of 400 or more says of a request; None for any other. `content`: the answer's body."""
    words = f"{address} answered HTTP {status}: {message or 'no reason given'}"
    if status in (401, 403):
        return EngineRefused(words, hint=f"set {variables}API_KEY to a key that the server accepts")
    if status == 404:
        address_of_v1 = set_to(**{f"{variables}BASE_URL": "http://HOST:PORT/v1"})
        return EngineRefused(
            words, hint=f"the address is what stands before /chat/completions, mostly with /v1: {address_of_v1}"
        )
    if status == 429 and NO_QUOTA.encode() in content:
        return EngineRefused(words, hint=f"the quota of {variables}API_KEY is used up: waiting does not help")
    if status == 429:
        return EngineOverloaded(words, hint=f"the server is overloaded: {set_to(ONELOOK_CONCURRENCY=2)}")
    if status == 503:
        return EngineOverloaded(words, hint="the server is starting or overloaded; its own log has the reason")
    if status >= 500:
        return EngineFailed(words, hint="the server's own log has the reason")
    return EngineRefused(words) if status >= 400 else None


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
            hint=set_to(**{f"{variables}BASE_URL": "http://127.0.0.1:8000/v1"}),
        )
    return url


def error_text(content: bytes) -> str:
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
