"""vLLM's sleep mode: a server frees its GPU memory without ending, and takes it back in a fraction of a start's time.

The routes are beside `/v1`, on servers that were started with VLLM_SERVER_DEV_MODE=1 and --enable-sleep-mode
(https://docs.vllm.ai/en/latest/features/sleep_mode/).
"""

from __future__ import annotations

from onelook.engines.openai.server import OpenAIServer
from onelook.errors import EngineFailed, EngineIncapable, EngineRefused, EngineUnavailable
from onelook.settings.hints import set_to

LEVEL = "1"  # weights wait in main memory; at level 2 they would have to be read from disk again
START = (
    "start vLLM with VLLM_SERVER_DEV_MODE=1 and --enable-sleep-mode, or keep both models in memory:"
    f" {set_to(ONELOOK_RESIDENCY='both')}"
)


class SleepMode:
    """Sends one server to sleep and wakes it up, and checks each time that it did: two models may not fit in memory."""

    def __init__(self, server: OpenAIServer) -> None:
        self._server = server

    async def check(self) -> None:
        """Raises `EngineIncapable` where the server cannot sleep, and `EngineError` where it does not answer."""
        await self._is_sleeping()
        try:
            answer = await self._server.call_route("GET", "server_info", config_format="json")
        except EngineRefused:
            return  # an older vLLM does not report how it was started
        match answer:
            case {"vllm_config": {"model_config": {"enable_sleep_mode": False}}}:
                raise EngineIncapable(
                    f"{self._server.address} runs without --enable-sleep-mode: it would keep its memory",
                    hint=START,
                )

    async def sleep(self) -> None:
        """Raises `EngineError` unless the server reports afterwards that it sleeps."""
        try:
            if await self._is_sleeping():
                return
        except EngineUnavailable:
            return  # nothing listens, so nothing is in memory: a server that died must not stop the other one too
        # `wait`: other users of this server get their answers first; the default aborts them. Older servers ignore it.
        await self._server.call_route("POST", "sleep", level=LEVEL, mode="wait")
        if not await self._is_sleeping():
            raise EngineFailed(f"{self._server.address} was sent to sleep and is still awake", hint=START)

    async def wake_up(self) -> None:
        """Raises `EngineError` unless the server reports afterwards that it is awake."""
        if not await self._is_sleeping():
            return
        await self._server.call_route("POST", "wake_up")
        if await self._is_sleeping():
            raise EngineFailed(
                f"{self._server.address} was woken up and still sleeps",
                hint="the server's own log has the reason; is there enough GPU memory for it?",
            )

    async def _is_sleeping(self) -> bool:
        try:
            answer = await self._server.call_route("GET", "is_sleeping")
        except EngineRefused as error:
            raise EngineIncapable(f"no sleep mode: {error.message}", hint=START) from error
        return answer.get("is_sleeping") is True
