"""A chat completion of the OpenAI protocol, with what vLLM adds to it, as the typed replies that it holds."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field, ValidationError

from onelook.engines.base import Reply, StopReason
from onelook.engines.tokens import TokenLogprob, read_tokens
from onelook.errors import EngineFailed, EngineIncapable, EngineRefused, ReplyInvalid, ReplyTruncated
from onelook.ledger.model import ServerTiming
from onelook.settings.hints import set_to
from onelook.types import Usage

THINK, THOUGHT = "<think>", "</think>"
STOP_THINKING = (
    "set ONELOOK_THINKING=false, the default; if the model thinks nevertheless, start vLLM with"
    """ --default-chat-template-kwargs '{"enable_thinking": false}' and without --reasoning-parser"""
)


class AssistantMessage(BaseModel):
    """`reasoning` is vLLM's name for the thoughts, `reasoning_content` that of SGLang, llama.cpp and older vLLM."""

    role: str
    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None

    @property
    def thoughts(self) -> str:
        return self.reasoning or self.reasoning_content or ""


class Logprobs(BaseModel):
    content: list[TokenLogprob] | None = None


class CompletionChoice(BaseModel):
    """One answer; in a batch there is one for each conversation, and `index` says which."""

    index: int = 0
    message: AssistantMessage
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class MultimodalTokens(BaseModel):
    image: int | None = None


class PromptTokens(BaseModel):
    cached_tokens: int | None = None
    multimodal_tokens: MultimodalTokens | None = None


class TokenUsage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptTokens | None = None


class Metrics(BaseModel):
    """vLLM's own times of one request, in milliseconds (--enable-per-request-metrics)."""

    queue_time_ms: float | None = None
    time_to_first_token_ms: float | None = None
    generation_time_ms: float | None = None


class Completion(BaseModel):
    choices: list[CompletionChoice] = Field(min_length=1)
    usage: TokenUsage | None = None
    metrics: Metrics | None = None


def read_completion(body: dict[str, Any], address: str, variables: str = "ONELOOK_") -> Reply:
    """The reply in the JSON object that answers one chat completion request.

    Raises:
        EngineFailed: it is an error, or the server gave up in the middle of its answer.
        EngineIncapable: it is no chat completion.
        EngineRefused, ReplyError: as `read_choice`.
    """
    if (error := error_of(body)) is not None:
        raise EngineFailed(f"{address} answered HTTP 200 with an error: {error}")
    try:
        completion = Completion.model_validate(body)
    except ValidationError as invalid:
        raise EngineIncapable(
            f"{address} answered something that is no chat completion: {faults(invalid)}",
            hint=f"name an OpenAI-compatible server: {set_to(**{f'{variables}BASE_URL': 'http://127.0.0.1:8000/v1'})}",
        ) from None
    return read_choice(completion.choices[0], completion.usage, completion.metrics)


def read_choice(choice: CompletionChoice, usage: TokenUsage | None, metrics: Metrics | None) -> Reply:
    """The reply in `choice`; what the server does not report is None or empty, never guessed.

    Raises:
        EngineFailed: the server gave up in the middle of its answer.
        EngineRefused: a content filter held the answer back.
        ReplyTruncated: the model thought until the token limit.
        ReplyInvalid: the whole reply is in the field for thoughts.
    """
    text = choice.message.content or ""
    _refuse_thoughts(choice, text)
    logprobs = choice.logprobs.content if choice.logprobs is not None else None
    return Reply(
        text=text,
        stop_reason=_stop_reason(choice.finish_reason),
        tokens=read_tokens(logprobs or (), text),
        usage=_usage(usage),
        timing=_timing(metrics),
        thoughts=choice.message.thoughts,
    )


def _refuse_thoughts(choice: CompletionChoice, text: str) -> None:
    """Thoughts in place of an answer. Where a server has no reasoning parser, they are in the text itself."""
    unfinished = text.lstrip().startswith(THINK) and THOUGHT not in text
    thoughts = text if unfinished else choice.message.thoughts
    if not thoughts or (text.strip() and not unfinished):
        return
    if choice.finish_reason == "length":
        raise ReplyTruncated(f"the model thought until the token limit: {thoughts[-60:]!r}", hint=STOP_THINKING)
    raise ReplyInvalid(
        f"the model's reply is in the field for thoughts, and there is no answer: {thoughts[:200]!r}",
        hint=STOP_THINKING,
    )


def faults(error: ValidationError) -> str:
    """Where a server's JSON differs from the protocol, without quoting it: it may repeat the picture."""
    return "; ".join(
        f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_url=False)[:3]
    )


def error_of(body: dict[str, Any]) -> str | None:
    """The error that some servers send with HTTP 200."""
    error = body.get("error")
    return str(error)[:500] if error else None


def _stop_reason(finish_reason: str | None) -> StopReason:
    if finish_reason in ("abort", "error"):
        raise EngineFailed(f"the engine gave up in the middle of its answer ({finish_reason})")
    if finish_reason == "content_filter":
        raise EngineRefused("a content filter held the answer back", hint="the server, not onelook, has this filter")
    return "length" if finish_reason == "length" else "stop"


def _usage(usage: TokenUsage | None) -> Usage:
    if usage is None:
        return Usage()
    details = usage.prompt_tokens_details or PromptTokens()
    return Usage(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=details.cached_tokens,
        image_tokens=details.multimodal_tokens.image if details.multimodal_tokens is not None else None,
        completion_tokens=usage.completion_tokens,
    )


def _timing(metrics: Metrics | None) -> ServerTiming:
    if metrics is None:
        return ServerTiming()
    return ServerTiming(
        queue_ms=metrics.queue_time_ms,
        first_token_ms=metrics.time_to_first_token_ms,
        decode_ms=metrics.generation_time_ms,
    )
