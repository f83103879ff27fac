"""Simulations: a device on which at most so many models fit, and a vLLM server with sleep mode."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from onelook.engines.base import AskRequest, Capabilities, Constraints, Engine, Finding, Reply, Workload
from onelook.engines.scripted import ScriptedReply
from onelook.errors import EngineError
from tests.engines.openai_simulation import Body, SimulatedServer, completion


class Device:
    """Counts the models in its memory, and remembers the most there ever were."""

    def __init__(self) -> None:
        self.loaded: set[str] = set()
        self.most_loaded = 0
        self.events: list[str] = []

    def load(self, model: str) -> None:
        self.loaded.add(model)
        self.most_loaded = max(self.most_loaded, len(self.loaded))
        self.events.append(f"+{model}")

    def unload(self, model: str) -> None:
        if model in self.loaded:
            self.loaded.remove(model)
            self.events.append(f"-{model}")

    @property
    def arrivals(self) -> list[str]:
        """Which model came into memory, in order."""
        return [event[1:] for event in self.events if event.startswith("+")]


class SimulatedEngine(Engine):
    """An engine on a `Device`. It insists on being asked only while its model is there, and alone.

    `pauses`: how many turns of the event loop an answer takes; `trouble` may raise for "sleep" and "wake_up".
    """

    def __init__(
        self, model: str, device: Device, *, pauses: int = 3, trouble: Callable[[str], EngineError | None] | None = None
    ) -> None:
        self.name = model
        self.device = device
        self.pauses = pauses
        self.trouble = trouble or (lambda _: None)
        self.answering = 0
        self.answered = 0
        self.closed = False

    @property
    def model(self) -> str:
        return self.name

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(patience_s=60)

    async def start(self, constraints: Constraints = "schema") -> None:
        assert self.device.loaded == {self.name}

    async def ask(self, request: AskRequest) -> Reply:
        self.answering += 1
        try:
            for _ in range(self.pauses):
                assert self.device.loaded == {self.name}
                await asyncio.sleep(0)
        finally:
            self.answering -= 1
        self.answered += 1
        return ScriptedReply(self.name).reply()

    async def probe(self, workload: Workload | None = None) -> list[Finding]:
        assert self.device.loaded == {self.name}
        return []

    async def aclose(self) -> None:
        self.closed = True

    async def check_sleep(self) -> None:
        return None

    async def sleep(self) -> None:
        assert self.answering == 0, "sent to sleep while it answers"
        await self._take_long("sleep")
        self.device.unload(self.name)

    async def wake_up(self) -> None:
        await self._take_long("wake_up")
        self.device.load(self.name)

    async def _take_long(self, step: str) -> None:
        await asyncio.sleep(0)
        if (error := self.trouble(step)) is not None:
            raise error


class SleepingServer(SimulatedServer):
    """A vLLM server with sleep mode, as its own routes are (vllm/entrypoints/serve/dev/sleep/api_router.py of 0.32).

    It answers only while it is awake; a real one would keep a question until it wakes. `faults` maps a route to the
    HTTP status it fails with; calls of `ignored` routes are confirmed and have no effect.
    """

    def __init__(
        self,
        model: str,
        device: Device,
        *,
        awake: bool,
        respond: Callable[[Body], str] = lambda _: "hello",
        enabled: bool = True,
        empty_answers: bool = False,
        prefix: str = "",
    ) -> None:
        self.name = model
        self.device = device
        self.enabled = enabled
        self.empty_answers = empty_answers
        self.prefix = prefix
        self.keys: set[str | None] = set()
        self.faults: dict[str, int] = {}
        self.ignored: set[str] = set()
        self.calls: list[str] = []
        self.in_flight = 0
        self.aborted = 0
        if awake:
            device.load(model)

        async def answer(request: web.Request, body: Body) -> web.StreamResponse:
            if not self.awake:
                return web.json_response({"error": {"message": "asleep"}}, status=500)
            self.in_flight += 1
            try:
                await asyncio.sleep(0.005)
            finally:
                self.in_flight -= 1
            return web.json_response(completion(respond(body)))

        super().__init__(answer, models=[model])

    @property
    def awake(self) -> bool:
        return self.name in self.device.loaded

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{self.prefix}/is_sleeping", self._is_sleeping),
            web.get(f"{self.prefix}/server_info", self._server_info),
            web.post(f"{self.prefix}/sleep", self._sleep),
            web.post(f"{self.prefix}/wake_up", self._wake_up),
        ]

    async def _is_sleeping(self, request: web.Request) -> web.Response:
        self.keys.add(request.headers.get("Authorization"))
        return self._answer("is_sleeping", {"is_sleeping": not self.awake})

    async def _server_info(self, request: web.Request) -> web.Response:
        if request.query.get("config_format") != "json":
            return self._answer("server_info", {"vllm_config": "text"})
        return self._answer("server_info", {"vllm_config": {"model_config": {"enable_sleep_mode": self.enabled}}})

    async def _sleep(self, request: web.Request) -> web.Response:
        assert request.query["level"] == "1"
        if request.query.get("mode", "abort") == "abort":
            self.aborted += self.in_flight
        if "sleep" not in self.ignored and "sleep" not in self.faults:
            self.device.unload(self.name)
        return self._answer("sleep", {"status": "sleeping", "level": 1})

    async def _wake_up(self, request: web.Request) -> web.Response:
        if "wake_up" not in self.ignored and "wake_up" not in self.faults:
            self.device.load(self.name)
        return self._answer("wake_up", {"status": "awake", "tags": None})

    def _answer(self, route: str, answer: dict[str, Any]) -> web.Response:
        self.calls.append(route)
        if (status := self.faults.get(route)) is not None:
            return web.json_response({"error": {"message": f"{route} went wrong"}}, status=status)
        if self.empty_answers and route in ("sleep", "wake_up"):
            return web.Response()
        return web.json_response(answer)
