"""Several questions about the same pictures in one HTTP request: vLLM's `/v1/chat/completions/batch`.

Its conversations share all other fields, the constraint too. So a batch is for questions that are answered by one
token: its constraint allows the options of all of them, and of the tokens that a reply could have begun with, those
count that its own question offers. Their probabilities, which then sum to 1, are those under a constraint of its own.

A picture travels once. It has its digest as `uuid`, by which later conversations name it; the server keeps it under
that name (measured: half the time of as many requests at once). The prefix cache goes by that name as well, so whatever
is asked of such a server names its pictures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, cast

from langchain_core.messages import AIMessage
from pydantic import BaseModel, ValidationError

from onelook.engines.base import AskRequest, Choice
from onelook.engines.tokens import MASKED
from onelook.errors import EngineIncapable
from onelook.settings.process import describe_errors

PATH = "chat/completions/batch"

# vLLM's own default of --max-logprobs.
MOST_OPTIONS = 20

Wire = dict[str, Any]


def shared_choice(requests: Sequence[AskRequest]) -> Choice | None:
    """The options of all `requests` together; None where they cannot be one batch."""
    options: dict[str, None] = {}
    for request in requests:
        if not isinstance(request.constraint, Choice) or request.max_tokens != 1 or request.temperature > 0:
            return None
        options |= dict.fromkeys(request.constraint.options)
    return Choice(tuple(options)) if len(requests) > 1 and len(options) <= MOST_OPTIONS else None


def name_pictures(messages: Sequence[Wire]) -> list[Wire]:
    """The messages of one conversation, each picture in them named by its digest."""
    return [
        message
        if isinstance(message["content"], str)
        else {**message, "content": [_named(part) for part in message["content"]]}
        for message in messages
    ]


def send_pictures_once(conversations: Sequence[Sequence[Wire]]) -> list[list[Wire]]:
    """Conversations with named pictures, where a picture's bytes stand once, and its name from then on."""
    sent: set[str] = set()

    def once(part: Wire) -> Wire:
        name = part.get("uuid")
        if name in sent:
            return {"type": "image_url", "image_url": None, "uuid": name}
        if name is not None:
            sent.add(name)
        return part

    return [
        [
            message
            if isinstance(message["content"], str)
            else {**message, "content": [once(part) for part in message["content"]]}
            for message in messages
        ]
        for messages in conversations
    ]


class Likely(BaseModel):
    """A token that a reply could have begun with; servers leave out the bytes of some."""

    token: str
    logprob: float
    bytes: list[int] | None = None


class Letter(Likely):
    top_logprobs: list[Likely] = []


class Logprobs(BaseModel):
    content: list[Letter] | None = None


class Message(BaseModel):
    content: str | None = None


class Reply(BaseModel):
    """The choice that answers one question."""

    index: int
    message: Message
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class Batch(BaseModel):
    """What a server answers to several questions."""

    choices: list[Reply]
    usage: dict[str, Any] | None = None


def read_batch(response: Mapping[str, Any], requests: Sequence[AskRequest], address: str) -> list[AIMessage]:
    """The answer to each of `requests`, as if it had been asked alone.

    The tokens are counted for the whole batch only, so the first answer carries that count.

    Raises:
        EngineIncapable: there is not one choice for each question, in order.
    """
    try:
        batch = Batch.model_validate(response)
    except ValidationError as error:
        raise _no_batch(address, requests, "; ".join(describe_errors(error))) from None
    indexes = [choice.index for choice in batch.choices]
    if indexes != list(range(len(requests))):
        raise _no_batch(address, requests, f"choices {indexes}, expected one for each, in order")
    usage = [batch.usage, *[None] * (len(requests) - 1)]
    return [
        _answer(choice, cast("Choice", request.constraint), used)
        for choice, request, used in zip(batch.choices, requests, usage, strict=True)
    ]


def _no_batch(address: str, requests: Sequence[AskRequest], answer: str) -> EngineIncapable:
    return EngineIncapable(
        f"{address} answered a batch of {len(requests)} questions with {answer[:500]}",
        hint="set batch to never: the questions are then sent one by one",
    )


def _named(part: Wire) -> Wire:
    if part["type"] != "image_url":
        return part
    return {**part, "uuid": sha256(part["image_url"]["url"].encode()).hexdigest()}


def _answer(reply: Reply, constraint: Choice, usage: Wire | None) -> AIMessage:
    """What the model says when it may only say what `constraint` allows.

    What it said, where that cannot be told: the server kept no constraint, or told no probabilities.
    """
    text, logprobs = reply.message.content or "", reply.logprobs
    if logprobs is not None and logprobs.content is not None and [each.token for each in logprobs.content] == [text]:
        likeliest = logprobs.content[0].top_logprobs
        if own := [each for each in likeliest if each.token in constraint.options and each.logprob > MASKED]:
            whole = math.log(sum(math.exp(each.logprob) for each in own))
            for each in own:
                each.logprob = min(0.0, each.logprob - whole)
            best = max(own, key=lambda each: each.logprob)
            text, logprobs = best.token, Logprobs(content=[Letter(**best.model_dump(), top_logprobs=own)])
    metadata = {
        "finish_reason": reply.finish_reason,
        "logprobs": logprobs and logprobs.model_dump(),
        "token_usage": usage,
    }
    return AIMessage(text, response_metadata=metadata)
