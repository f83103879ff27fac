"""Two engines that share the memory of one device: each is asked only while its model is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from onelook.engines.base import AskRequest, Capabilities, Engine, Finding, Reply
from onelook.engines.residency import Residency, Sleepable
from onelook.errors import DeadlinePassed, EngineIncapable
from onelook.run_pool import barrier

MS = 1000
UNNOTICED_S = 0.0005  # the model was in memory: nothing was waited for


def share_memory(first: Engine, specialist: Engine, *, defer: bool) -> tuple[ResidentEngine, ResidentEngine]:
    """Both engines, of which one model at a time is in memory.

    `defer`: in a batch, the specialist's questions wait until the first engine has answered all of its own.

    Raises:
        EngineIncapable: an engine has no way to give its memory up.
    """
    residency = Residency([sleepable(first), sleepable(specialist)])
    return ResidentEngine(first, residency), ResidentEngine(specialist, residency, defer=defer)


def sleepable(engine: Engine) -> Sleepable:
    """What leaves memory and comes back when `engine`'s model does. Raises `EngineIncapable` where there is none."""
    if isinstance(engine, Sleepable):
        return engine
    raise EngineIncapable(
        f"{engine.model} has no way to leave memory, so it cannot take turns with another model",
        hint="set residency to both, or use an embedded engine or a vLLM server with sleep mode",
    )


class ResidentEngine(Engine):
    """`engine`, asked only while its model is the one in memory; whoever asks it knows nothing of that."""

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

    async def start(self) -> None:
        """The engine that is asked first comes into memory, and the other one is sent out; that one is only checked."""
        await self._sleepable.check_sleep()
        if self._sleepable is self.residency.sleepables[0]:
            async with self._turn():
                await self.engine.start()

    async def ask(self, request: AskRequest) -> Reply:
        """Ask as the engine does. What it had to wait for is in the reply's timing.

        Raises:
            EngineError: the engine's own, or that of a switch that failed, which says so.
            DeadlinePassed: `within_s` was over before its turn came.
        """
        async with self._turn(request.within_s) as turn:
            return turn.told(await self.engine.ask(turn.shortened(request)))

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        """As `ask`; all go in the same turn."""
        async with self._turn(requests[0].within_s if requests else None) as turn:
            replies = await self.engine.ask_many([turn.shortened(request) for request in requests])
            return [turn.told(reply) for reply in replies]

    async def probe(self) -> list[Finding]:
        async with self._turn():
            return await self.engine.probe()

    async def aclose(self) -> None:
        await self.residency.settle()
        await self.engine.aclose()

    @asynccontextmanager
    async def _turn(self, within_s: float | None = None) -> AsyncIterator[Turn]:
        began_s = time.monotonic()
        timer = asyncio.timeout(within_s)
        try:
            async with timer:
                if self._deferred:
                    await barrier()
                waited = await self.residency.enter(self._sleepable)
        except TimeoutError:
            if not timer.expired():
                raise
            raise DeadlinePassed(
                f"{self.model} was not in memory before the caller's deadline",
                hint="allow more time, or set residency to both if the device holds both models",
            ) from None
        try:
            yield Turn(waited_s=time.monotonic() - began_s, switch_s=waited.switch_s)
        finally:
            self.residency.leave()


@dataclass(frozen=True, slots=True)
class Turn:
    """What one question waited for in all, and how much of that was the switch, in seconds."""

    waited_s: float
    switch_s: float

    def shortened(self, request: AskRequest) -> AskRequest:
        """`request` with what is left of its time."""
        if request.within_s is None:
            return request
        return replace(request, within_s=request.within_s - self.waited_s)

    def told(self, reply: Reply) -> Reply:
        """`reply`, whose timing says what was waited for."""
        if not self.switch_s and self.waited_s < UNNOTICED_S:
            return reply
        waits = {"turn_ms": (self.waited_s - self.switch_s) * MS, "switch_ms": self.switch_s * MS}
        return replace(reply, timing=reply.timing.model_copy(update=waits))
