"""Any LangChain chat model as an engine: the question goes in as messages, the reply is read from the AIMessage."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from pydantic import ValidationError

from onelook.engines.base import AskRequest, Capabilities, Constraints, Engine, Finding, Reply, Workload
from onelook.engines.openai.request import Guidance, guidance_fields
from onelook.engines.openai.response import (
    Completion,
    faults,
    read_choice,
)
from onelook.engines.openai.served_grid import ServedGrid
from onelook.engines.openai.server import NO_QUOTA, REJECTED, fit_for_message
from onelook.engines.probe import probe, refuse_incapable
from onelook.engines.retry_after import read_retry_after_s
from onelook.engines.throttle import Rejected, Throttle
from onelook.engines.time_limit import time_limit
from onelook.errors import (
    EngineError,
    EngineFailed,
    EngineIncapable,
    EngineOverloaded,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
)
from onelook.settings.hints import set_to


class ChatEngine(Engine):
    """An engine over a chat model that takes the call options of LangChain's `ChatOpenAI`:

        from langchain_openai import ChatOpenAI
        chat = ChatOpenAI(model="gpt-4.1-mini", max_retries=0, disable_streaming=True)
        async with Tagger(settings, ChatEngine(chat, guidance="response_format")) as tagger: ...

    `guidance` says how its server is constrained. `size_grid`: the model's (`onelook.engines.size_grid`); None: that of
    its name's family, or what the first image tokens that a reply reports tell. `max_retries=0`, because the graph owns
    the retries. The name to report is the chat model's `model_name` or `model`, as LangChain's integrations have it.
    The errors of the `openai` client become `EngineError`; those of other clients stay what they are. For a vLLM server
    `onelook.engines.openai.engine.OpenAIEngine` is faster and reports more.
    """

    def __init__(
        self,
        chat: BaseChatModel,
        *,
        guidance: Guidance = "response_format",
        patience_s: float | None = None,
        size_grid: int | None = None,
    ) -> None:
        self.chat = chat
        self.guidance = guidance
        self._patience_s = patience_s
        self._throttle = Throttle(self.model)
        self._grid = ServedGrid(size_grid, self.model)

    @property
    def model(self) -> str:
        return str(getattr(self.chat, "model_name", "") or getattr(self.chat, "model", "") or "unknown")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            patience_s=self._patience_s,
            constraints="schema" if self.guidance == "response_format" else "regex",
            size_grid=self._grid.side,
        )

    @property
    def throttles(self) -> Sequence[Throttle]:
        return (self._throttle,)

    async def start(self, constraints: Constraints = "schema") -> None:
        """Raises `EngineIncapable` for the first needed capability that is missing, with the probe's hint."""
        await refuse_incapable(self, constraints)

    async def ask(self, request: AskRequest) -> Reply:
        """Ask once. Raises `DeadlinePassed` after `request.within_s`, and other `EngineError` as the client failed."""
        options: dict[str, Any] = {
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "logprobs": True,
            "top_logprobs": request.top_logprobs,
        }
        if request.constraint is not None:
            # Not as `response_format=`: ChatOpenAI would take the openai client's slower way of parsing.
            options["extra_body"] = guidance_fields(request.constraint, self.guidance)

        async def invoke() -> AIMessage:
            try:
                return await self.chat.ainvoke(list(request.messages), **options)
            except Exception as error:
                known = _known_error(error)
                if known is None:
                    raise
                raise known from error

        async with time_limit(self.model, [request]):
            message, throttled_s = await self._throttle.send(invoke)
        reply = read_message(message).throttled(throttled_s)
        self._grid.learn(request, reply)
        return reply

    async def probe(self, workload: Workload | None = None) -> list[Finding]:
        return await probe(self, workload)

    async def aclose(self) -> None:
        return None


def read_message(message: AIMessage) -> Reply:
    """The reply in `message`, read from the metadata that LangChain's integrations of OpenAI's protocol keep.

    Raises:
        EngineFailed: the engine gave up in the middle of its answer.
        EngineRefused: a content filter held the answer back.
        ReplyError: there are thoughts, and no answer.
        EngineIncapable: the metadata is not that of the protocol.
    """
    metadata = message.response_metadata
    text = message.content if isinstance(message.content, str) else message.text
    choice = {
        "message": {
            "role": "assistant",
            "content": text,
            "reasoning_content": message.additional_kwargs.get("reasoning_content"),
        },
        "finish_reason": metadata.get("finish_reason"),
        "logprobs": metadata.get("logprobs"),
    }
    try:
        completion = Completion.model_validate(
            {"choices": [choice], "usage": metadata.get("token_usage"), "metrics": metadata.get("metrics")}
        )
    except ValidationError as invalid:
        raise EngineIncapable(f"the chat model's metadata is not in OpenAI's form: {faults(invalid)}") from None
    return read_choice(completion.choices[0], completion.usage, completion.metrics)


def _known_error(error: Exception) -> EngineError | Rejected | None:
    """An error of the `openai` client in our words; None for any other. A chat model that uses it has imported it."""
    openai: Any = sys.modules.get("openai")
    if openai is None or not isinstance(error, openai.APIError):
        return None
    message = fit_for_message(str(error))
    if isinstance(error, openai.APITimeoutError):
        return EngineTimeout(message, hint="set the chat model's `timeout` higher")
    if isinstance(error, openai.APIConnectionError):
        gone = EngineUnavailable(message, hint="is the server running? The chat model's `base_url` sets its address")
        return (
            Rejected(gone, "no connection", down=True)
            if isinstance(error.__cause__, sys.modules["httpx"].ConnectError)
            else gone
        )
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        if status in REJECTED and error.code != NO_QUOTA:
            busy = EngineOverloaded(
                message, hint=f"the server is starting or overloaded: {set_to(ONELOOK_CONCURRENCY=2)}"
            )
            return Rejected(busy, f"HTTP {status}", retry_after_s=read_retry_after_s(error.response.headers))
        if status < 500:
            return EngineRefused(message)
    return EngineFailed(message, hint="the server's own log has the reason")
