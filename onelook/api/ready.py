"""Readiness of the engine: it has answered recently, or a probe shows that it does."""

from __future__ import annotations

import asyncio
import time

from onelook.engines.base import Engine
from onelook.result import TagResult

FRESH_S = 5.0
PROBE_TIMEOUT_S = 10.0


class Readiness:
    """A recent answer counts as ready; otherwise the engine is probed, once for all requests that wait."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._answered_at = float("-inf")
        self._probing: asyncio.Task[str | None] | None = None

    def record_result(self, result: TagResult) -> None:
        """An answer shows that the engine works; after a failure of the engine the next check probes it."""
        engine_failed = any(not error.kind.startswith("Image") for error in result.errors)
        if result.category is not None and not engine_failed:
            self._answered_at = time.monotonic()
        elif engine_failed:
            self._answered_at = float("-inf")

    async def reason_not_ready(self) -> str | None:
        """Why the engine cannot answer now; None if it can."""
        down = any(throttle.breaker.state != "closed" for throttle in self._engine.throttles)
        if not down and time.monotonic() - self._answered_at < FRESH_S:
            return None
        for throttle in self._engine.throttles:
            if (pause := throttle.pause()) is not None:
                return f"waiting for {throttle.address}: {pause}"
        if self._probing is None:
            self._probing = asyncio.create_task(self._probe())
            self._probing.add_done_callback(lambda _: setattr(self, "_probing", None))
        return await asyncio.shield(self._probing)

    async def _probe(self) -> str | None:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                findings = await self._engine.probe()
        except TimeoutError:
            return f"the engine gave no answer within {PROBE_TIMEOUT_S:g} s"
        for finding in findings:
            if finding.needed and not finding.ok:
                return f"{finding.capability}: {finding.detail}"
        self._answered_at = time.monotonic()
        return None
