"""Several servers with the same model as one engine: each request goes to the one that has the least to do.

A server that is down or overloaded is left alone while another one takes requests, and tried again when its throttle
says so. A proxy in front of the servers does this as well, where there is one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final, TypeVar

from cachetools import LRUCache

from onelook.deadline import remaining_s
from onelook.engines.base import AskRequest, Capabilities, Constraints, Engine, Finding, Reply, Workload
from onelook.engines.openai.engine import OpenAIEngine
from onelook.engines.throttle import Throttle
from onelook.errors import EngineError, EngineUnavailable, SettingsError
from onelook.settings.engine import EngineSettings
from onelook.settings.hints import set_to

T = TypeVar("T")

log = logging.getLogger("onelook")

LEAVE_AFTER_S: Final = 0.5
"""A request leaves a server that has taken none for so long. With one server, it would wait."""

REST_S: Final = 5.0
"""A server that has never answered is not asked again for so long, while another one works."""

PICTURES: Final = 4096
MORE_TO_DO: Final = 4
"""A server that has seen the picture has it in its caches, which is worth so many requests in its queue."""


class Replicas(Engine):
    """Raises `SettingsError` at the start where the servers have different models."""

    def __init__(self, engines: Sequence[OpenAIEngine], *, max_outage_s: float | None = None) -> None:
        self._engines = engines
        self._max_outage_s = max_outage_s
        self._rest_until_s = dict.fromkeys(range(len(engines)), 0.0)
        self._constraints: Constraints = "schema"
        self._unchecked: set[int] = set()
        """Those that did not work at the start; each is checked before its first question."""
        self._asked: LRUCache[bytes, int] = LRUCache(PICTURES)
        self._turn = 0

    @classmethod
    def from_settings(cls, settings: EngineSettings) -> Replicas:
        """Of `settings.base_url` and `settings.replicas`."""
        addresses = dict.fromkeys((settings.base_url, *settings.replicas))
        each = {"replicas": (), "max_outage_s": LEAVE_AFTER_S}
        engines = [
            OpenAIEngine.from_settings(settings.model_copy(update={**each, "base_url": address}))
            for address in addresses
        ]
        return cls(engines, max_outage_s=settings.max_outage_s)

    @property
    def model(self) -> str:
        return next((each.model for each in self._engines if each.model != "unknown"), "unknown")

    @property
    def capabilities(self) -> Capabilities:
        """What all of them can do."""
        found = [each.capabilities for each in self._engines]
        schema_only = any(each.constraints == "schema" for each in found)
        return replace(found[0], constraints="schema" if schema_only else "regex")

    @property
    def throttles(self) -> Sequence[Throttle]:
        return [throttle for each in self._engines for throttle in each.throttles]

    async def look_up(self) -> Capabilities:
        await asyncio.gather(*(each.look_up() for each in self._engines))
        return self.capabilities

    async def start(self, constraints: Constraints = "schema") -> None:
        """One that works is enough; the others are tried again later.

        Raises:
            EngineError: none works: the first one's reason.
            SettingsError: they have different models.
        """
        self._constraints = constraints
        outcomes = await asyncio.gather(*(each.start(constraints) for each in self._engines), return_exceptions=True)
        errors = [each for each in outcomes if isinstance(each, BaseException)]
        for error in errors:
            if not isinstance(error, EngineError) or len(errors) == len(outcomes):
                raise error
        working = [each for each, outcome in zip(self._engines, outcomes, strict=True) if outcome is None]
        models = {each.model: each.server.address for each in working}
        if len(models) > 1:
            named = ", ".join(f"{model} at {address}" for model, address in models.items())
            raise SettingsError(
                f"the servers have different models: {named}",
                hint="replicas have one model: name its servers only, or the model that all have:"
                f" {set_to(ONELOOK_MODEL=next(iter(models)))}",
            )
        now_s = asyncio.get_running_loop().time()
        for index, outcome in enumerate(outcomes):
            if isinstance(outcome, EngineError):
                log.warning("going on without %s: %s", self._engines[index].server.address, outcome.message)
                self._rest_until_s[index] = now_s + REST_S
                self._unchecked.add(index)

    async def ask(self, request: AskRequest) -> Reply:
        return await self._at_one(request, lambda engine: engine.ask(request))

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        """All at one server: they share their pictures."""
        return await self._at_one(requests[0], lambda engine: engine.ask_many(requests)) if requests else []

    async def probe(self, workload: Workload | None = None) -> list[Finding]:
        """Of every server; the address is in the name of each line."""
        found = await asyncio.gather(*(each.probe(workload) for each in self._engines))
        return [
            replace(finding, capability=f"{engine.server.address}: {finding.capability}")
            for engine, findings in zip(self._engines, found, strict=True)
            for finding in findings
        ]

    async def aclose(self) -> None:
        await asyncio.gather(*(each.aclose() for each in self._engines))

    async def _at_one(self, request: AskRequest, ask: Callable[[OpenAIEngine], Awaitable[T]]) -> T:
        """A request that no server took is sent to the next one, or waits for the first that takes requests again."""
        loop = asyncio.get_running_loop()
        picture = _picture(request)
        began_s = loop.time()
        while True:
            index = self._choose(picture, loop.time())
            if index in self._unchecked and not await self._works_now(index):
                continue
            try:
                reply = await ask(self._engines[index])
            except EngineError as error:
                if isinstance(error, EngineUnavailable):
                    self._rest_until_s[index] = loop.time() + REST_S
                if error.retry_after_s is None:
                    raise
                wait_s = self._wait_s(loop.time())
                if not self._may_wait(loop.time() + wait_s - began_s, wait_s):
                    raise
                await asyncio.sleep(wait_s)
            else:
                self._rest_until_s[index] = 0.0
                if picture is not None:
                    self._asked[picture] = index
                return reply

    async def _works_now(self, index: int) -> bool:
        """Whether a server that did not work at the start does so now, with the same model."""
        engine = self._engines[index]
        self._rest_until_s[index] = asyncio.get_running_loop().time() + REST_S  # nobody else checks it meanwhile
        try:
            await engine.start(self._constraints)
        except EngineError:
            return False
        if engine.model != self.model:
            log.warning("going on without %s: it has the model %s", engine.server.address, engine.model)
            return False
        self._unchecked.discard(index)
        self._rest_until_s[index] = 0.0
        log.warning("%s works now", engine.server.address)
        return True

    def _choose(self, picture: bytes | None, now_s: float) -> int:
        """The one with the least to do, or the one that has seen the picture if it has little more."""
        everyone = range(len(self._engines))
        taking = [each for each in everyone if self._wait_of(each, now_s) <= 0]
        if not taking:
            return min(everyone, key=lambda each: self._wait_of(each, now_s))
        self._turn += 1
        todo = {each: self._engines[each].server.throttle.outstanding for each in taking}
        least = min(taking, key=lambda each: (todo[each], (each - self._turn) % len(self._engines)))
        seen = None if picture is None else self._asked.get(picture)
        return seen if seen is not None and seen in todo and todo[seen] <= todo[least] + MORE_TO_DO else least

    def _wait_of(self, index: int, now_s: float) -> float:
        pause = self._engines[index].server.throttle.pause()
        paused_s = 0.0 if pause is None else pause.seconds or LEAVE_AFTER_S
        return max(paused_s, self._rest_until_s[index] - now_s)

    def _wait_s(self, now_s: float) -> float:
        return max(min(self._wait_of(each, now_s) for each in range(len(self._engines))), 0.0)

    def _may_wait(self, outage_s: float, wait_s: float) -> bool:
        left_s = remaining_s()
        return (left_s is None or wait_s <= left_s) and (self._max_outage_s is None or outage_s <= self._max_outage_s)


def _picture(request: AskRequest) -> bytes | None:
    """What tells the first picture of a request from others."""
    for message in request.messages:
        for part in message.content if isinstance(message.content, list) else ():
            url: Any = part.get("image_url", {}).get("url") if isinstance(part, dict) else None
            if isinstance(url, str):
                return blake2b(url.encode(), digest_size=16).digest()
    return None
