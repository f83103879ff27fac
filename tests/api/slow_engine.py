"""An engine whose answers wait until a test lets them go."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from tests.engines.openai_simulation import Body, SimulatedServer, completion
from tests.graph.replies import BUILDING


class SlowEngine(SimulatedServer):
    """A simulation that answers when `may_answer` is set, and records connections that close before."""

    def __init__(self) -> None:
        super().__init__(self.wait)
        self.may_answer = asyncio.Event()
        self.asked = asyncio.Semaphore(0)
        self.given_up = asyncio.Semaphore(0)

    async def wait(self, request: web.Request, asked: Body) -> web.StreamResponse:
        if "Say hello." in json.dumps(asked):
            return web.json_response({"error": "no probes here"}, status=400)
        self.asked.release()
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.given_up.release()
            raise
        return web.json_response(completion(BUILDING))
