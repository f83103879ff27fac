"""Any LangChain chat model as an engine: the question goes in as messages, the reply is read from the AIMessage."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from engines.contract import AskRequest, Engine, Finding, Reply, StopReason
from engines.probe import probe
from engines.tokens import read_tokens
from graph.errors import DeadlinePassed, EngineFailed, EngineIncapable, EngineRefused
from graph.schema import ServerTiming, Usage


@runtime_checkable
class Closable(Protocol):
    """A chat model that holds something open."""

    async def aclose(self) -> None: ...


@runtime_checkable
class Loadable(Protocol):
    """A chat model that runs in this process."""

    async def load(self) -> None: ...


class ChatEngine(Engine):
    """An `Engine` over a chat model that takes `constraint`, `max_tokens`, `temperature`, `logprobs`, `top_logprobs`.

    The name to report is the chat model's `model_name` or `model`, as LangChain's integrations have it.
    """

    def __init__(self, chat: BaseChatModel) -> None:
        self.chat = chat

    @property
    def model(self) -> str:
        return str(getattr(self.chat, "model_name", "") or getattr(self.chat, "model", "") or "unknown")

    async def start(self) -> None:
        """Make ready to answer.

        Raises:
            EngineError: a model in this process cannot be loaded, or a server lacks what is needed (the first such
                finding of the probe, with its hint).
        """
        if isinstance(self.chat, Loadable):
            await self.chat.load()  # what a model in this process can do is our own code's affair
            return
        for finding in await self.probe():
            if finding.needed and not finding.ok:
                raise EngineIncapable(f"{finding.capability}: {finding.detail}", hint=finding.hint)

    async def ask(self, request: AskRequest) -> Reply:
        """Ask once. Raises `DeadlinePassed` after `request.within_s`; a server sees the connection close then."""
        timer = asyncio.timeout(request.within_s)
        try:
            async with timer:
                message = await self.chat.ainvoke(
                    list(request.messages),
                    constraint=request.constraint,
                    max_tokens=request.max_tokens,
                    temperature=request.temperature,
                    logprobs=True,
                    top_logprobs=request.top_logprobs,
                )
        except TimeoutError:
            if not timer.expired():
                raise
            raise DeadlinePassed(
                f"{self.model} gave no answer before the caller's deadline",
                hint="a slow model or a long queue: allow more time, or send fewer at once",
            ) from None
        return read_reply(message)

    async def probe(self) -> list[Finding]:
        return await probe(self)

    async def aclose(self) -> None:
        if isinstance(self.chat, Closable):
            await self.chat.aclose()


def read_reply(message: AIMessage) -> Reply:
    """The reply that `message` carries; what its metadata does not say is None or empty, never guessed.

    Raises:
        EngineFailed: the engine gave up in the middle of its answer.
        EngineRefused: a content filter held the answer back.
    """
    metadata = message.response_metadata
    text = message.content if isinstance(message.content, str) else message.text
    return Reply(
        text=text,
        stop_reason=_stop_reason(metadata.get("finish_reason")),
        tokens=read_tokens(metadata.get("logprobs"), text),
        usage=_usage(metadata.get("token_usage")),
        timing=_timing(metadata.get("metrics")),
    )


def _stop_reason(finish_reason: object) -> StopReason:
    if finish_reason in ("abort", "error"):
        raise EngineFailed(f"the engine gave up in the middle of its answer ({finish_reason})")
    if finish_reason == "content_filter":
        raise EngineRefused("a content filter held the answer back", hint="the server, not onelook, has this filter")
    return "length" if finish_reason == "length" else "stop"


def _usage(usage: object) -> Usage:
    if not isinstance(usage, Mapping):
        return Usage()
    details = usage.get("prompt_tokens_details") or {}
    return Usage(
        prompt_tokens=usage.get("prompt_tokens"),
        cached_tokens=details.get("cached_tokens"),
        image_tokens=(details.get("multimodal_tokens") or {}).get("image"),
        completion_tokens=usage.get("completion_tokens"),
    )


def _timing(metrics: object) -> ServerTiming:
    if not isinstance(metrics, Mapping):
        return ServerTiming()
    return ServerTiming(
        queue_ms=metrics.get("queue_time_ms"),
        first_token_ms=metrics.get("time_to_first_token_ms"),
        decode_ms=metrics.get("generation_time_ms"),
    )
