"""From token log-probabilities to the confidence of labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

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


class Thresholds(NamedTuple):
    """The least confidence of a category, and that of each detail, with which a result needs no review."""

    category: float
    details: float


class UnsureLabel(NamedTuple):
    confidence: float
    threshold: float


def unsure_label(
    category: Tag, details: Mapping[str, Iterable[Tag]], absences: Mapping[str, Iterable[Tag]], least: Thresholds
) -> UnsureLabel | None:
    """The least sure label that is below its threshold; None if all may pass. Options read as absent are labels too.

    An unknown confidence is not a high one: it counts as 0, so only a threshold of 0 lets it pass.
    """
    options = [tag for tags in (*details.values(), *absences.values()) for tag in tags]
    labels = [(category, least.category), *((tag, least.details) for tag in options)]
    below = [UnsureLabel(tag.confidence or 0.0, wanted) for tag, wanted in labels if (tag.confidence or 0.0) < wanted]
    return min(below, default=None)
