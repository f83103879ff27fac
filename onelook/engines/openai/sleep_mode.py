"""vLLM's sleep mode: a server gives its GPU memory up without ending, and takes it back in a fraction of a start.

The routes lie beside `/v1`, on servers that were started with VLLM_SERVER_DEV_MODE=1 and --enable-sleep-mode
(https://docs.vllm.ai/en/latest/features/sleep_mode/).
"""

from __future__ import annotations

from onelook.engines.openai.server import OpenAIServer
from onelook.errors import EngineFailed, EngineIncapable, EngineRefused, EngineUnavailable

LEVEL = "1"  # weights wait in main memory; at level 2 they would have to be read from disk again
START = "start vLLM with VLLM_SERVER_DEV_MODE=1 and --enable-sleep-mode, or set residency to both"


class SleepMode:
    """The sleep of one server. What it reports is checked after each order: a model that stays would be the second."""

    def __init__(self, server: OpenAIServer) -> None:
        self._server = server

    async def check(self) -> None:
        """Raises `EngineIncapable` where the server cannot sleep, and `EngineError` where it does not answer."""
        await self._is_sleeping()
        try:
            told = await self._server.order("GET", "server_info", config_format="json")
        except EngineRefused:
            return  # an older vLLM: what it was started with is not to be asked
        match told:
            case {"vllm_config": {"model_config": {"enable_sleep_mode": False}}}:
                raise EngineIncapable(
                    f"{self._server.address} runs without --enable-sleep-mode: it would keep its memory when told to"
                    " sleep",
                    hint=START,
                )

    async def sleep(self) -> None:
        """Raises `EngineError` where it is not known to sleep afterwards."""
        try:
            if await self._is_sleeping():
                return
        except EngineUnavailable:
            return  # nothing listens, so nothing is in memory: the server that died must not take the other with it
        # `wait`: whoever else uses this server gets an answer first; the default aborts. Older servers ignore it.
        await self._server.order("POST", "sleep", level=LEVEL, mode="wait")
        if not await self._is_sleeping():
            raise EngineFailed(f"{self._server.address} was told to sleep and is still awake", hint=START)

    async def wake_up(self) -> None:
        """Raises `EngineError` where it is not known to be awake afterwards."""
        if not await self._is_sleeping():
            return
        await self._server.order("POST", "wake_up")
        if await self._is_sleeping():
            raise EngineFailed(
                f"{self._server.address} was told to wake up and still sleeps",
                hint="the server's own log has the reason; is there room for it on the GPU?",
            )

    async def _is_sleeping(self) -> bool:
        try:
            told = await self._server.order("GET", "is_sleeping")
        except EngineRefused as error:
            raise EngineIncapable(f"no sleep mode: {error.message}", hint=START) from error
        return told.get("is_sleeping") is True
