"""An answer of the embedded engine in the shape of a vLLM server's chat completion, as ChatOpenAI carries it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata

from onelook.engines.transformers.generation import Answer, Vocabulary
from onelook.engines.transformers.guide import Step


def to_message(answer: Answer, vocabulary: Vocabulary, *, model: str, queue_ms: float, logprobs: bool) -> AIMessage:
    """The bytes of the tokens in `logprobs`, joined, are the text in UTF-8.

    End of turn and special tokens are in neither. A text that is cut off inside a character ends in U+FFFD.
    """
    written = [step for step in answer.steps if step.token not in vocabulary.silent]
    text = b"".join(vocabulary.token_bytes[step.token] for step in written).decode(errors="replace")
    completion_tokens = len(answer.steps)
    return AIMessage(
        text,
        usage_metadata=UsageMetadata(
            input_tokens=answer.prompt_tokens,
            output_tokens=completion_tokens,
            total_tokens=answer.prompt_tokens + completion_tokens,
            input_token_details=InputTokenDetails(cache_read=answer.cached_tokens),
        ),
        response_metadata={
            "model_name": model,
            "finish_reason": answer.stop_reason,
            "logprobs": {"content": _content(written, vocabulary.token_bytes)} if logprobs else None,
            "token_usage": {
                "prompt_tokens": answer.prompt_tokens,
                "completion_tokens": completion_tokens,
                "total_tokens": answer.prompt_tokens + completion_tokens,
                "prompt_tokens_details": {
                    "cached_tokens": answer.cached_tokens,
                    "multimodal_tokens": {"image": answer.image_tokens},
                },
            },
            "metrics": {
                "queue_time_ms": queue_ms,
                "time_to_first_token_ms": answer.first_token_ms,
                "generation_time_ms": answer.decode_ms,
                "mean_itl_ms": answer.decode_ms / (completion_tokens - 1) if completion_tokens > 1 else None,
                "tokens_per_second": completion_tokens / (answer.first_token_ms + answer.decode_ms) * 1000,
            },
        },
    )


def _content(steps: Sequence[Step], token_bytes: Sequence[bytes]) -> list[dict[str, Any]]:
    def entry(token: int, logprob: float) -> dict[str, Any]:
        data = token_bytes[token]
        return {"token": data.decode(errors="replace"), "bytes": list(data), "logprob": logprob}

    return [
        entry(step.token, step.logprob) | {"top_logprobs": [entry(token, logprob) for token, logprob in step.top]}
        for step in steps
    ]
