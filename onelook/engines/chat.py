"""Any LangChain chat model as an engine: the question goes in as messages, the reply is read from the AIMessage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, runtime_checkable

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from onelook.engines.base import AskRequest, Capabilities, Engine, Finding, Reply, StopReason
from onelook.engines.callbacks import watched
from onelook.engines.probe import probe
from onelook.engines.tokens import read_tokens
from onelook.errors import DeadlinePassed, EngineFailed, EngineIncapable, EngineRefused
from onelook.ledger.model import ServerTiming
from onelook.types import Usage


@runtime_checkable
class Closable(Protocol):
    """A chat model that holds something open."""

    async def aclose(self) -> None: ...


@runtime_checkable
class Loadable(Protocol):
    """A chat model that runs in this process."""

    async def load(self) -> None: ...


@runtime_checkable
class Joint(Protocol):
    """A chat model that answers several questions for less together than one by one."""

    async def answer_together(self, requests: Sequence[AskRequest]) -> list[AIMessage] | None:
        """The answers in the order of `requests`; None where these cannot be answered together."""


@runtime_checkable
class SelfAware(Protocol):
    """A chat model that knows what it can do without being asked a question."""

    async def findings(self) -> list[Finding]: ...


@runtime_checkable
class Capable(Protocol):
    """A chat model that knows what the graph must know of it."""

    @property
    def capabilities(self) -> Capabilities: ...


class ChatEngine(Engine):
    """An `Engine` over a chat model that takes `constraint`, `max_tokens`, `temperature`, `logprobs`, `top_logprobs`.

    The name to report is the chat model's `model_name` or `model`, as LangChain's integrations have it.
    """

    def __init__(self, chat: BaseChatModel) -> None:
        self.chat = chat

    @property
    def model(self) -> str:
        return str(getattr(self.chat, "model_name", "") or getattr(self.chat, "model", "") or "unknown")

    @property
    def capabilities(self) -> Capabilities:
        return self.chat.capabilities if isinstance(self.chat, Capable) else Capabilities()

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
        async with self._deadline(request):
            message = await self.chat.ainvoke(
                list(request.messages),
                constraint=request.constraint,
                max_tokens=request.max_tokens,
                temperature=request.temperature,
                logprobs=True,
                top_logprobs=request.top_logprobs,
            )
        return read_reply(message)

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        """Ask all together where the chat model can, else each by itself and all at once."""
        if isinstance(self.chat, Joint) and requests:
            async with self._deadline(*requests), watched(self.chat, requests) as answered:
                messages = await self.chat.answer_together(requests)
                answered += messages or []
            if messages is not None:
                return [read_reply(message) for message in messages]
        return await super().ask_many(requests)

    @asynccontextmanager
    async def _deadline(self, *requests: AskRequest) -> AsyncIterator[None]:
        """Raises `DeadlinePassed` when the first of the requests is no longer waited for."""
        timer = asyncio.timeout(min((each.within_s for each in requests if each.within_s is not None), default=None))
        try:
            async with timer:
                yield
        except TimeoutError:
            if not timer.expired():
                raise
            raise DeadlinePassed(
                f"{self.model} gave no answer before the caller's deadline",
                hint="a slow model or a long queue: allow more time, or send fewer at once",
            ) from None

    async def probe(self) -> list[Finding]:
        findings = await probe(self)
        if isinstance(self.chat, SelfAware) and findings[0].ok:
            findings += await self.chat.findings()
        return findings

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
