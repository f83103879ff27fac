"""Two engines that share the memory of one device: each is asked only while its model is in memory."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from onelook.deadline import at_most
from onelook.engines.base import AskRequest, Capabilities, Constraints, Engine, Finding, Reply, Workload
from onelook.engines.residency import Residency, Sleepable
from onelook.engines.throttle import Throttle
from onelook.errors import DeadlinePassed, EngineIncapable
from onelook.run_pool import barrier
from onelook.settings.hints import set_to

MS = 1000
NO_WAIT_S = 0.0005  # less than this: the model was in memory


def share_memory(first: Engine, specialist: Engine, *, defer: bool) -> tuple[ResidentEngine, ResidentEngine]:
    """Both engines, of which one model at a time is in memory.

    `defer`: in a batch, the specialist's questions wait until the first engine has answered all of its own.

    Raises:
        EngineIncapable: an engine has no way to give its memory up.
    """
    residency = Residency([sleepable(first), sleepable(specialist)])
    return ResidentEngine(first, residency), ResidentEngine(specialist, residency, defer=defer)


def sleepable(engine: Engine) -> Sleepable:
    """`engine`, as something that can leave memory and come back. Raises `EngineIncapable` if it cannot."""
    if isinstance(engine, Sleepable):
        return engine
    raise EngineIncapable(
        f"{engine.model} has no way to leave memory, so it cannot share memory with another model",
        hint=f"keep both in memory: {set_to(ONELOOK_RESIDENCY='both')}; or use embedded engines, or vLLM servers with"
        " sleep mode",
    )


class ResidentEngine(Engine):
    """`engine`, which is asked only while its model is the one in memory. Its callers need not know that."""

    def __init__(self, engine: Engine, residency: Residency, *, defer: bool = False) -> None:
        self.engine = engine
        self.residency = residency
        self._sleepable = sleepable(engine)
        self._deferred = defer

    @property
    def model(self) -> str:
        return self.engine.model

    @property
    def capabilities(self) -> Capabilities:
        """The engine's own, except that waiting for the memory is no fault."""
        return replace(self.engine.capabilities, patience_s=None)

    @property
    def throttles(self) -> Sequence[Throttle]:
        return self.engine.throttles

    async def look_up(self) -> Capabilities:
        await self.engine.look_up()
        return self.capabilities

    async def start(self, constraints: Constraints = "schema") -> None:
        """Bring the first engine into memory, and send the other one out of it. The specialist is only checked."""
        await self._sleepable.check_sleep()
        if self._sleepable is self.residency.sleepables[0]:
            async with self._in_memory():
                await self.engine.start(constraints)

    async def ask(self, request: AskRequest) -> Reply:
        """Ask as the engine does. The reply's timing has what the question waited for.

        Raises:
            EngineError: the engine's own, or that of a switch that failed, which says so.
            DeadlinePassed: `within_s` was over before the model was in memory.
        """
        async with self._in_memory(request.within_s) as wait:
            return wait.added_to(await self.engine.ask(wait.taken_off(request)))

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        """As `ask`; all questions go together."""
        async with self._in_memory(requests[0].within_s if requests else None) as wait:
            replies = await self.engine.ask_many([wait.taken_off(request) for request in requests])
            return [wait.added_to(reply) for reply in replies]

    async def probe(self, workload: Workload | None = None) -> list[Finding]:
        async with self._in_memory():
            return await self.engine.probe(workload)

    async def aclose(self) -> None:
        await self.residency.settle()
        await self.engine.aclose()

    @asynccontextmanager
    async def _in_memory(self, within_s: float | None = None) -> AsyncIterator[MemoryWait]:
        began_s = time.monotonic()
        async with at_most(within_s, self._not_in_memory):
            if self._deferred:
                await barrier()
            waited = await self.residency.enter(self._sleepable)
        try:
            yield MemoryWait(waited_s=time.monotonic() - began_s, switch_s=waited.switch_s)
        finally:
            self.residency.leave()

    def _not_in_memory(self) -> DeadlinePassed:
        return DeadlinePassed(
            f"{self.model} was not in memory before the caller's deadline",
            hint="allow more time (X-Timeout-Seconds: 60 up to ONELOOK_HTTP__DEADLINE_S), or keep both models in"
            f" memory if the device has enough: {set_to(ONELOOK_RESIDENCY='both')}",
        )


@dataclass(frozen=True, slots=True)
class MemoryWait:
    """How long one question waited for its model in all, and how much of that was the switch, in seconds."""

    waited_s: float
    switch_s: float

    def taken_off(self, request: AskRequest) -> AskRequest:
        """`request` with the time that is left for it."""
        if request.within_s is None:
            return request
        return replace(request, within_s=request.within_s - self.waited_s)

    def added_to(self, reply: Reply) -> Reply:
        """`reply` with this wait in its timing."""
        if not self.switch_s and self.waited_s < NO_WAIT_S:
            return reply
        waits = {"turn_ms": (self.waited_s - self.switch_s) * MS, "switch_ms": self.switch_s * MS}
        return replace(reply, timing=reply.timing.model_copy(update=waits))
