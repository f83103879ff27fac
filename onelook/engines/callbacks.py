"""LangChain's callbacks for a round of questions that a chat model answers at once, beside LangChain's own methods."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables.config import ensure_config, get_async_callback_manager_for_config

from onelook.engines.base import AskRequest


@asynccontextmanager
async def watched(chat: BaseChatModel, requests: Sequence[AskRequest]) -> AsyncIterator[list[AIMessage]]:
    """Whoever watches this run (traces, LangSmith, Studio) sees the round as one call of `chat`.

    Into the list go its answers.
    """
    answers: list[AIMessage] = []
    manager = get_async_callback_manager_for_config(ensure_config())
    if not manager.handlers:
        yield answers
        return
    asked = [message for request in requests for message in request.messages]
    runs = await manager.on_chat_model_start(dumpd(chat), [asked], name=type(chat).__name__)
    run: AsyncCallbackManagerForLLMRun = runs[0]
    try:
        yield answers
    except BaseException as error:
        await run.on_llm_error(error, response=LLMResult(generations=[]))
        raise
    model = answers[0].response_metadata.get("model_name") if answers else None
    await run.on_llm_end(
        LLMResult(
            generations=[[ChatGeneration(message=answer) for answer in answers]],
            llm_output={"token_usage": token_usage(answers), "model_name": model},
        )
    )


def token_usage(answers: Sequence[AIMessage]) -> dict[str, Any]:
    """The sum, in the words of the OpenAI protocol. A server may have counted the whole round with its first answer."""
    counts = [usage for answer in answers if (usage := answer.response_metadata.get("token_usage"))]
    details = [usage.get("prompt_tokens_details") or {} for usage in counts]
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    return {
        **{name: sum(usage.get(name) or 0 for usage in counts) for name in names},
        "prompt_tokens_details": {"cached_tokens": sum(each.get("cached_tokens") or 0 for each in details)},
    }
