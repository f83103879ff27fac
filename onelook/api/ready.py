"""Whether the engine answers: seen at work lately, or asked."""

from __future__ import annotations

import asyncio
import time

from onelook.engines.base import Engine
from onelook.result import TagResult

FRESH_S = 5.0
PATIENCE_S = 10.0


class Readiness:
    """What is known of an engine. A picture that it answered counts; else it is asked, once for all who wait."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._answered_at = float("-inf")
        self._asking: asyncio.Task[str | None] | None = None

    def saw_result(self, result: TagResult) -> None:
        """An answer proves the engine well; a failure of the engine is reason to ask again."""
        engine_failed = any(not error.kind.startswith("Image") for error in result.errors)
        if result.category is not None and not engine_failed:
            self._answered_at = time.monotonic()
        elif engine_failed:
            self._answered_at = float("-inf")

    async def problem(self) -> str | None:
        """Why no picture can be answered now; None when one can."""
        if time.monotonic() - self._answered_at < FRESH_S:
            return None
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(lambda _: setattr(self, "_asking", None))
        return await asyncio.shield(self._asking)

    async def _ask(self) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                findings = await self._engine.probe()
        except TimeoutError:
            return f"the engine gave no answer within {PATIENCE_S:g} s"
        for finding in findings:
            if finding.needed and not finding.ok:
                return f"{finding.capability}: {finding.detail}"
        self._answered_at = time.monotonic()
        return None
