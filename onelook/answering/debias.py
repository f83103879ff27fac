"""One reply from a question that was asked with its options in different orders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from onelook.answering.reading import read_reply
from onelook.engines.base import Choice, Reply, Token
from onelook.errors import EngineIncapable
from onelook.prompts.question import Question
from onelook.prompts.replies.reading import Reading

MOST_LETTERS = 20
"""How many probabilities a server tells at most (vLLM's and OpenAI's limit); the letters beyond count as 0."""


def average(orders: Sequence[Question], replies: Sequence[Reply]) -> Reply:
    """The reply to the first of `orders` that all replies give together: the option of the largest mean probability.

    A letter that a model likes whatever it stands for (arXiv 2309.03882) then speaks for every option once.

    Raises:
        ReplyInvalid: a reply breaks its constraint.
        EngineIncapable: a reply comes without probabilities.
    """
    odds = [_odds(question, reply) for question, reply in zip(orders, replies, strict=True)]
    mean = {
        letter: fmean(next(probability for _, other, probability in each if other == reading) for each in odds)
        for letter, reading, _ in odds[0]
    }
    letter = max(mean, key=lambda each: mean[each])
    logprob = math.log(mean[letter]) if mean[letter] else -math.inf
    return replace(replies[0], text=letter, tokens=(Token(letter.encode(), logprob, {}),))


def _odds(question: Question, reply: Reply) -> list[tuple[str, Reading, float]]:
    """Each letter of the question, what it says, and its probability."""
    read_reply(question, reply)
    if not reply.tokens:
        raise EngineIncapable(
            "the engine gives no probabilities, of which debias takes the mean",
            hint="do without debias, or enable logprobs at the server",
        )
    likely = reply.tokens[0].alternatives
    letters = question.constraint.options if isinstance(question.constraint, Choice) else ()
    return [(letter, question.read(letter), math.exp(likely.get(letter.encode(), -math.inf))) for letter in letters]
