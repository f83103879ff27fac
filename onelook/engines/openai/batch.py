"""Several questions about the same pictures in one HTTP request: vLLM's `/v1/chat/completions/batch`.

The conversations of a batch share all other fields, also the constraint. So a batch is for questions whose answer is
one token. Its constraint allows the options of all questions; in each reply, the tokens that its own question offers
are kept, and their probabilities are scaled to sum to 1. A constraint of its own would give the same probabilities.

A picture is sent once, and later conversations refer to it by its name (`onelook.engines.openai.named_pictures`;
measured: half the time of as many requests at once). The prefix cache uses that name too, so every question to such a
server names its pictures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError

from onelook.engines.base import AskRequest, Choice, Reply
from onelook.engines.openai.response import Completion, CompletionChoice, Logprobs, faults, read_choice
from onelook.engines.tokens import MASKED, TokenLogprob
from onelook.errors import EngineIncapable

PATH = "chat/completions/batch"

# vLLM's own default of --max-logprobs.
MOST_OPTIONS = 20


def shared_choice(requests: Sequence[AskRequest]) -> Choice | None:
    """The options of all `requests` together; None if they cannot be one batch."""
    options: dict[str, None] = {}
    for request in requests:
        if not isinstance(request.constraint, Choice) or request.max_tokens != 1 or request.temperature > 0:
            return None
        options |= dict.fromkeys(request.constraint.options)
    return Choice(tuple(options)) if len(requests) > 1 and len(options) <= MOST_OPTIONS else None


def read_batch(body: Mapping[str, Any], requests: Sequence[AskRequest], address: str) -> list[Reply]:
    """The reply to each of `requests`, as if it had been asked alone.

    The server counts the tokens of the whole batch only, so the first reply carries that count.

    Raises:
        EngineIncapable: there is not one choice for each question, in order.
    """
    try:
        completion = Completion.model_validate(body)
    except ValidationError as invalid:
        raise _no_batch(address, requests, faults(invalid)) from None
    indexes = [choice.index for choice in completion.choices]
    if indexes != list(range(len(requests))):
        raise _no_batch(address, requests, f"choices {indexes}; expected is one for each question, in order")
    counts = [completion.usage, *[None] * (len(requests) - 1)]
    return [
        read_choice(_among_own_options(choice, cast("Choice", request.constraint)), usage, None)
        for choice, request, usage in zip(completion.choices, requests, counts, strict=True)
    ]


def _no_batch(address: str, requests: Sequence[AskRequest], answer: str) -> EngineIncapable:
    return EngineIncapable(
        f"{address} answered a batch of {len(requests)} questions with {answer[:500]}",
        hint="set ONELOOK_BATCH=never: the questions are then sent one by one",
    )


def _among_own_options(choice: CompletionChoice, constraint: Choice) -> CompletionChoice:
    """What the model would have answered under `constraint` alone.

    `choice` as it is if that cannot be computed: the server kept no constraint, or sent no probabilities.
    """
    text = choice.message.content
    tokens = (choice.logprobs.content if choice.logprobs is not None else None) or []
    if [each.token for each in tokens] != [text]:
        return choice
    likeliest = tokens[0].top_logprobs or []
    own = [each for each in likeliest if each.token in constraint.options and each.logprob > MASKED]
    if not own:
        return choice
    whole = math.log(sum(math.exp(each.logprob) for each in own))
    own = [each.model_copy(update={"logprob": min(0.0, each.logprob - whole)}) for each in own]
    best = max(own, key=lambda each: each.logprob)
    return choice.model_copy(
        update={
            "message": choice.message.model_copy(update={"content": best.token}),
            "logprobs": Logprobs(content=[TokenLogprob(**best.model_dump(), top_logprobs=own)]),
        }
    )
