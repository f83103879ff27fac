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
from onelook.settings.hints import set_to


def average(orders: Sequence[Question], replies: Sequence[Reply]) -> Reply:
    """One reply to the first of `orders`: the option with the largest mean probability over all replies.

    A model may prefer a letter whatever option it stands for (arXiv 2309.03882); the mean cancels that.

    Raises:
        ReplyInvalid: a reply breaks its constraint.
        EngineIncapable: a reply comes without probabilities.
    """
    probabilities = [_probabilities(question, reply) for question, reply in zip(orders, replies, strict=True)]
    mean = {
        letter: fmean(next(probability for _, other, probability in each if other == reading) for each in probabilities)
        for letter, reading, _ in probabilities[0]
    }
    letter = max(mean, key=lambda each: mean[each])
    logprobs = {each.encode(): math.log(value) if value else -math.inf for each, value in mean.items()}
    return replace(replies[0], text=letter, tokens=(Token(letter.encode(), logprobs[letter.encode()], logprobs),))


def _probabilities(question: Question, reply: Reply) -> list[tuple[str, Reading, float]]:
    """Each letter of the question, its reading, and its probability."""
    read_reply(question, reply)
    if not reply.tokens:
        raise EngineIncapable(
            "the engine returns no log-probabilities, and debias takes the mean of probabilities",
            hint=f"ask in one order, {set_to(ONELOOK_RUN__DEBIAS=False)}, or enable logprobs at the server",
        )
    likely = reply.tokens[0].alternatives
    letters = question.constraint.options if isinstance(question.constraint, Choice) else ()
    return [(letter, question.read(letter), math.exp(likely.get(letter.encode(), -math.inf))) for letter in letters]
