"""LangChain's callbacks for engines that are no chat model: traces, LangSmith and Studio see their calls too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, BaseCallbackManager
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables.config import ensure_config, get_async_callback_manager_for_config

from onelook.engines.base import AskRequest, Engine, Reply
from onelook.types import Usage


@asynccontextmanager
async def observed_call(engine: Engine, requests: Sequence[AskRequest]) -> AsyncIterator[list[Reply]]:
    """Whoever observes the run that goes on here sees what happens inside as one call of a chat model.

    The caller puts the replies into the list.
    """
    replies: list[Reply] = []
    config = ensure_config()
    inherited = config["callbacks"]
    unobserved = isinstance(inherited, BaseCallbackManager) and not inherited.handlers  # as the graph set it up
    manager = None if unobserved else get_async_callback_manager_for_config(config)
    if manager is None or not manager.handlers:
        yield replies
        return
    name = type(engine).__name__
    messages = [message for request in requests for message in request.messages]
    runs = await manager.on_chat_model_start(
        {"lc": 1, "type": "not_implemented", "id": [*type(engine).__module__.split("."), name]},
        [messages],
        name=name,
        invocation_params={
            "model": engine.model,
            "max_tokens": max((each.max_tokens for each in requests), default=0),
            "temperature": max((each.temperature for each in requests), default=0.0),
        },
    )
    run: AsyncCallbackManagerForLLMRun = runs[0]
    try:
        yield replies
    except BaseException as error:
        await run.on_llm_error(error, response=LLMResult(generations=[]))
        raise
    await run.on_llm_end(
        LLMResult(
            generations=[[ChatGeneration(message=_message(reply, engine.model)) for reply in replies]],
            llm_output={"token_usage": _token_usage(replies), "model_name": engine.model},
        )
    )


def _message(reply: Reply, model: str) -> AIMessage:
    return AIMessage(
        reply.text,
        usage_metadata=_usage_metadata(reply.usage),
        response_metadata={"model_name": model, "finish_reason": reply.stop_reason},
    )


def _usage_metadata(usage: Usage) -> UsageMetadata | None:
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    counts = UsageMetadata(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
    )
    if usage.cached_tokens is not None:
        counts["input_token_details"] = InputTokenDetails(cache_read=usage.cached_tokens)
    return counts


def _token_usage(replies: Sequence[Reply]) -> dict[str, Any]:
    """The sum, in the words of the OpenAI protocol. A server may count a whole round with its first reply."""
    total = Usage.total(reply.usage for reply in replies)
    prompt, completion = total.prompt_tokens or 0, total.completion_tokens or 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": total.cached_tokens or 0},
    }
