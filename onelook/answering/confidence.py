"""From token log-probabilities to how sure the model was of a label."""

from __future__ import annotations

import math
from collections.abc import Sequence

from onelook.engines.base import Token


def span_probability(tokens: Sequence[Token], start: int, end: int) -> float | None:
    """Probability of the bytes `start` to `end` of a reply: the product over the tokens that share a byte with them.

    The logprobs are those after the constraint's mask, so this is the probability among the labels that were allowed.
    None where the engine returned no logprobs.
    """
    logprob, position, touched = 0.0, 0, False
    for token in tokens:
        following = position + len(token.data)
        if position < end and following > start:
            logprob += token.logprob
            touched = True
        position = following
    return min(1.0, math.exp(logprob)) if touched else None
