"""The HTTP API as users see it: a real uvicorn server in a thread, and requests as clients send them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import uvicorn
from prometheus_client.parser import text_string_to_metric_families

from onelook.api.app import build_app
from onelook.api.state import open_tagger
from onelook.cli.stopping import SIGNALS
from onelook.engines.base import Engine
from onelook.result import TagResult
from onelook.settings.process import load_settings
from tests.loop_clock import skip
from tests.patience import HANG_S


class Address(str):
    """Where a server listens, and the event loop that it runs on."""

    loop: asyncio.AbstractEventLoop


@contextmanager
def served(
    *, http: Mapping[str, Any] | None = None, scripted: Engine | None = None, own_clock: bool = False, **settings: Any
) -> Iterator[Address]:
    """The address of a server with these settings; `http`: those of the API; `scripted`: its engine.

    `own_clock`: it runs on asyncio's own event loop, whose clock a test can put forward.
    """
    chosen = load_settings(**{"retry_interval_s": 0.001, "http": dict(http or {}), **settings})
    app = build_app(lambda: open_tagger(chosen, scripted))
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="critical", access_log=False, loop="asyncio" if own_clock else "auto")
    )
    thread = threading.Thread(target=server.run, name="served")
    thread.start()
    try:
        deadline = time.monotonic() + HANG_S
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server is still starting"
            time.sleep(0.01)
        listening = server.servers[0]
        address = Address(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
        address.loop = listening.get_loop()
        yield address
    finally:
        server.should_exit = True
        thread.join()


@asynccontextmanager
async def served_process(
    base_url: str, log: bytearray | None = None, /, **more: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The API as `onelook serve` starts it, with the engine at `base_url`: its process and its address.

    `more`: further variables of its environment. `log` gets what it writes once it listens.
    """
    environment = {"ONELOOK_ENGINE": "vllm", "ONELOOK_BASE_URL": base_url, "ONELOOK_HTTP__PORT": "0", **more}
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "onelook",
        "serve",
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
        preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in SIGNALS],
    )
    stderr = running.stderr
    assert stderr is not None
    log = bytearray() if log is None else log

    async def read() -> None:
        """So that it never waits for a reader."""
        async for line in stderr:
            log.extend(line)

    try:
        async for line in stderr:
            if b"running on " in line:
                break
        else:
            raise AssertionError("it did not start")
        reading = asyncio.create_task(read())
        yield running, line.split(b"running on ")[1].split()[0].decode()
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    await reading


async def until(happened: Callable[[], bool]) -> None:
    """Return when `happened()` is true."""
    while not happened():  # noqa: ASYNC110  nothing in another process sets an event
        await asyncio.sleep(0.01)


def form(*pictures: bytes, **fields: str | list[str]) -> aiohttp.FormData:
    """Pictures and choices as a browser sends a form."""
    data = aiohttp.FormData(default_to_multipart=True)
    for number, picture in enumerate(pictures):
        data.add_field("image", picture, filename=f"picture-{number}.jpg", content_type="image/jpeg")
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            data.add_field(name, value)
    return data


class Answer:
    """A response with its body."""

    def __init__(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.content_type = response.content_type
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> TagResult:
        """The result as a TagResult, which checks the names of all fields."""
        return TagResult.model_validate(tidy(self.json))

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]

    def problem(self, status: int, *, kind: str, field: str | None = None) -> Any:
        """The answer's problem, which must have this status, kind and field."""
        assert (self.status, self.content_type) == (status, "application/problem+json"), self.body[:2000]
        body = self.json
        assert (body["status"], body["kind"]) == (status, kind), body
        assert body["type"] == "about:blank"
        assert body["title"]
        assert body["detail"]
        assert body["request_id"] == self.headers["X-Request-ID"]
        if field is not None:
            assert field in [error["field"] for error in body["errors"]], body
        return body


def tidy(result: dict[str, Any]) -> dict[str, Any]:
    """A result without computed fields, which its type does not accept as input."""
    ledger = {name: value for name, value in result["ledger"].items() if name not in COMPUTED}
    return {**result, "ledger": ledger}


COMPUTED = ("busy_ms", "scheduling_overhead_ms")


class Client:
    """`await client.post("/v1/tags", data=form(picture))`."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self.session = session
        self.address = address

    def skip(self, seconds: float) -> None:
        """Advance the clock of the server; it must have been started with `own_clock`."""
        assert isinstance(self.address, Address)
        skip(seconds, self.address.loop)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self._ask("GET", path, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        return await self._ask("DELETE", path, **options)

    async def post(self, path: str, **options: Any) -> Answer:
        return await self._ask("POST", path, **options)

    async def metric(self, name: str, **labels: str) -> float:
        """A sample of /metrics; 0 where there is none yet."""
        text = (await self.get("/metrics")).body.decode()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return 0.0

    async def _ask(self, method: str, path: str, **options: Any) -> Answer:
        async with self.session.request(method, self.address + path, **options) as response:
            return Answer(response, await response.read())
