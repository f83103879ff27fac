"""From token log-probabilities to the confidence of labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from onelook.engines.base import Token
from onelook.types import Tag


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


def least_confidence(
    category: Tag, details: Mapping[str, Iterable[Tag]], absences: Mapping[str, Iterable[Tag]] | None = None
) -> float:
    """The least confidence of the category, the chosen options, and the options that were read as absent.

    An unknown confidence is not a high one: it counts as 0, so only a threshold of 0 lets it pass.
    """
    chosen = [tag for tags in (*details.values(), *(absences or {}).values()) for tag in tags]
    return min(tag.confidence or 0.0 for tag in (category, *chosen))
