"""Does the longest question of the taxonomy fit into the model's context?"""

from __future__ import annotations

from onelook.engines.base import AskRequest, Finding, Reply
from onelook.errors import EngineRefused
from onelook.settings.hints import set_to


def check_context(longest: AskRequest, outcome: Reply | EngineRefused) -> Finding:
    """`outcome`: the reply to `longest`, or its refusal."""
    if isinstance(outcome, EngineRefused):
        return Finding(
            "context",
            ok=False,
            detail=f"asked the longest question of this taxonomy, and it is refused: {outcome.message};"
            " no picture of that size gets an answer",
            hint=outcome.hint
            or "start vLLM with a larger --max-model-len, or send smaller pictures:"
            f" {set_to(ONELOOK_RUN__LONG_EDGE=448)}",
        )
    tokens = outcome.usage.prompt_tokens
    size = "the longest question" if tokens is None else f"the longest question of {tokens} tokens"
    return Finding("context", ok=True, detail=f"{size}, and {longest.max_tokens} for its answer, fit", needed=False)
