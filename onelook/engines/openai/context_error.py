"""A server's refusal of a prompt that is longer than its context, with what is large in it: the text or the picture."""

from __future__ import annotations

import re

from onelook.engines.base import AskRequest
from onelook.engines.context_length import SMALLER_PICTURE, PromptTokens
from onelook.engines.openai.served_grid import picture_tokens
from onelook.errors import EngineRefused

TOO_LONG = re.compile("context length|context size|maximum model length|context_length_exceeded", re.IGNORECASE)
COUNTS = tuple(
    re.compile(pattern)
    for pattern in (
        # vLLM (vllm/renderers/params.py and vllm/v1/engine/input_processor.py), its older versions, and OpenAI
        r"maximum context length is (?P<context>\d+) tokens\..*contains (?:at least )?(?P<prompt>\d+) input tokens",
        r"prompt \(length (?P<prompt>\d+)\) .*maximum model length of (?P<context>\d+)",
        r"maximum context length is (?P<context>\d+) tokens\..*\((?P<prompt>\d+) in the messages",
        r"maximum context length is (?P<context>\d+) tokens\..*resulted in (?P<prompt>\d+) tokens",
        # SGLang
        r"\((?P<prompt>\d+) tokens\) is longer than the model's context length \((?P<context>\d+) tokens\)",
        # llama.cpp
        r"\((?P<prompt>\d+) tokens\) exceeds the available context size \((?P<context>\d+) tokens\)",
    )
)
LARGER_CONTEXT = "start the server with a larger context (vLLM: --max-model-len)"


def blame_long_part(refusal: EngineRefused, request: AskRequest, grid: int) -> EngineRefused:
    """`refusal`, if it is for the length of the prompt with a hint at what is large; else as it is.

    The server counts the whole prompt, and the sizes of the pictures give their tokens: one for each square of `grid`
    pixels.
    """
    if refusal.hint is not None or not TOO_LONG.search(refusal.message):
        return refusal
    for pattern in COUNTS:
        if found := pattern.search(refusal.message):
            prompt, context = int(found["prompt"]), int(found["context"])
            size = PromptTokens.of(prompt, pictures=min(picture_tokens(request.messages, grid), prompt))
            message = f"{refusal.message} ({size.misfit(request.max_tokens, context)})"
            return EngineRefused(message, hint=f"{size.cure(request.max_tokens, context)}; or {LARGER_CONTEXT}")
    count = "`onelook taxonomy check` counts the tokens of text and picture"
    return EngineRefused(refusal.message, hint=f"{SMALLER_PICTURE}; or {LARGER_CONTEXT}; {count}")
