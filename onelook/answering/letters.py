"""One reply to a choice that was asked in parts: which group of options, and which option of each group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from onelook.answering.reading import read_reply
from onelook.engines.base import Choice, Reply, Token
from onelook.prompts.question import LetterChoice, Question


def joined(choice: LetterChoice, replies: Sequence[Reply]) -> Reply:
    """The reply that `choice.codec` reads; `replies` are those to its parts, in their order.

    The option whose probability is largest: that of its group times its own among the options of the group. Without
    probabilities, the option that is named in the group that is named.

    Raises:
        ReplyInvalid: a reply breaks its constraint.
    """
    which, *parts = (orders[0] for orders in choice.parts)
    first, *others = replies
    for part, reply in zip((which, *parts), replies, strict=True):
        read_reply(part, reply)
    if not choice.in_groups:
        return first
    letters = _letters(which)
    if not all(reply.tokens for reply in replies):
        named = others[letters.index(first.text)]
        return replace(first, text=first.text + named.text, tokens=())
    groups = _logprobs(first)
    likely = {
        group + letter: groups.get(group, -math.inf) + logprob
        for group, part, reply in zip(letters, parts, others, strict=True)
        for letter, logprob in _logprobs(reply).items()
        if letter in _letters(part)
    }
    text = max(likely, key=lambda each: likely[each])
    return replace(first, text=text, tokens=(Token(text.encode(), likely[text], {}),))


def _letters(part: Question) -> tuple[str, ...]:
    return part.constraint.options if isinstance(part.constraint, Choice) else ()


def _logprobs(reply: Reply) -> dict[str, float]:
    """Per letter its log-probability; that of the letter which was written where the engine returns no others."""
    token = reply.tokens[0]
    return {
        data.decode(errors="replace"): logprob
        for data, logprob in (token.alternatives or {token.data: token.logprob}).items()
    }
