"""Is a prompt that was computed once computed again? And does the picture come before the text?"""

from __future__ import annotations

import secrets

from onelook.engines.base import AskRequest, Engine, Finding, Reply
from onelook.engines.checks.questions import LONG_WORDS, long_question
from onelook.errors import EngineRefused
from onelook.settings.hints import set_to

CACHE = (
    "start vLLM with --enable-prefix-caching and without --no-enable-prefix-caching;"
    " the embedded engine reuses prefixes of Qwen2-VL, Qwen2.5-VL and Qwen3-VL (ONELOOK_PREFIX_CACHE_MB=512)"
)
# Of the picture's tokens, or of the whole prompt's where the picture's are not known: what only another order explains.
SHARE_OF_PICTURE, SHARE_OF_PROMPT = 0.75, 0.25


async def check_prefix_cache(engine: Engine, longest: AskRequest) -> list[Finding]:
    """Asks a long question twice, then another one about the same picture; `longest` was asked once already.

    Raises:
        EngineError: the engine does not answer.
    """
    salt = secrets.token_hex(8)
    try:
        first, again, other = [
            await engine.ask(long_question(salt, text)) for text in ("Say hello.", "Say hello.", "Name a colour.")
        ]
    except EngineRefused:  # the context is shorter than that: the longest question fits, or nothing would be asked
        again = await engine.ask(longest)
        return [] if again.usage.cached_tokens is None else [_hits(again.usage.cached_tokens, again)]
    findings: list[Finding | None] = [_not_cut(first)]
    cached = again.usage.cached_tokens
    if cached is not None:
        findings.append(_hits(cached, again))
        if cached:
            findings.append(_picture_first(cached, other))
            findings.append(_fits_blocks(await engine.ask(longest)))
    return [finding for finding in findings if finding is not None]


def _not_cut(reply: Reply) -> Finding | None:
    """Some servers cut a long prompt without a word, from its start: system prompt and picture are lost first."""
    tokens = reply.usage.prompt_tokens
    if tokens is None or tokens >= LONG_WORDS:
        return None
    return Finding(
        "long prompts",
        ok=False,
        detail=f"asked with {LONG_WORDS} words and a picture, and the server read {tokens} tokens: it cuts prompts"
        " without an error, so the model misses labels, or the picture",
        hint="give the server a longer context: llama.cpp --ctx-size 8192, Ollama OLLAMA_CONTEXT_LENGTH=8192,"
        " vLLM --max-model-len 8192",
    )


def _hits(cached: int, reply: Reply) -> Finding:
    asked = f"asked the same question of {reply.usage.prompt_tokens} tokens twice"
    if cached:
        return Finding("prefix cache", ok=True, detail=f"{asked}: {cached} came from the cache", needed=False)
    return Finding(
        "prefix cache",
        ok=False,
        detail=f"{asked}, and none came from the cache: system prompt and picture are computed with each question, so"
        " the arms reads and legacy_shared are slower than fused",
        needed=False,
        hint=CACHE,
    )


def _picture_first(cached: int, other: Reply) -> Finding:
    shared, usage = other.usage.cached_tokens or 0, other.usage
    asked = "asked another question about the same picture"
    limit = (
        SHARE_OF_PICTURE * usage.image_tokens if usage.image_tokens else SHARE_OF_PROMPT * (usage.prompt_tokens or 0)
    )
    if cached - shared <= limit:
        return Finding("picture before text", ok=True, detail=f"{asked}: {shared} tokens are shared", needed=False)
    return Finding(
        "picture before text",
        ok=False,
        detail=f"{asked}, and it shares {shared} tokens of {cached} with the first: the chat template puts the picture"
        " after the text, so each question about it encodes it again",
        needed=False,
        hint="start vLLM with --chat-template-content-format openai, or with a --chat-template that keeps the order",
    )


def _fits_blocks(longest: Reply) -> Finding | None:
    if longest.usage.cached_tokens != 0:
        return None
    return Finding(
        "cache blocks",
        ok=False,
        detail=f"asked the longest question of this taxonomy twice, {longest.usage.prompt_tokens} tokens, and none came"
        " from the cache, which keeps longer prompts: its blocks are longer than your prompts, so nothing is reused",
        needed=False,
        hint=f"start vLLM with a smaller --block-size, or send larger pictures: {set_to(ONELOOK_RUN__LONG_EDGE=1024)}",
    )
