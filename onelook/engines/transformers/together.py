"""Several one-token questions about the same pictures, answered in one forward pass on the prefix that they share."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch

from onelook.engines.base import AskRequest
from onelook.engines.transformers.conversation import Conversation, read_conversation
from onelook.engines.transformers.generation import Generated, Generator
from onelook.engines.transformers.guide import Cancelled, Guide
from onelook.engines.transformers.passes import Decoding, Positions, decode, pictures_of
from onelook.engines.transformers.prefix_cache import Prompt, States, Tokens, cut
from onelook.engines.transformers.prompt_heads import PromptHeads
from onelook.engines.transformers.rows import Addition, Rows


def answer_together(
    generator: Generator, requests: Sequence[AskRequest], *, cancelled: threading.Event
) -> list[Generated] | None:
    """Answer greedily, one token each; None if they have to be answered one after another.

    Raises:
        EngineRefused: the messages do not fit the model, or a constraint cannot be compiled.
        Cancelled: `cancelled` was set.
    """
    start_ns = time.perf_counter_ns()
    asked = Round.of(generator, requests, cancelled)
    if asked is None:
        return None
    try:
        extend(generator, [asked])
        read(generator, [asked])
    except torch.OutOfMemoryError:
        generator.forget()
        return None
    return asked.generated(generator, start_ns)


@dataclass(slots=True)
class Round:
    """Questions about the same pictures; `first` is the prompt of the first one.

    All prompts begin with the same `shared` tokens, pictures included. `states` are those of them that were cached,
    and of all of them after `extend`.
    """

    first: Prompt
    answers: Sequence[Decoding]
    positions: Positions
    pictures: Mapping[str, torch.Tensor]
    cached: int
    shared: int
    states: States

    @classmethod
    def of(cls, generator: Generator, requests: Sequence[AskRequest], cancelled: threading.Event) -> Self | None:
        """None if the questions have to be answered one after another. Raises as `answer_together` does."""
        if generator.prefixes is None or not generator.can_batch:
            return None
        if len(requests) < 2 or not _differ_in_last_text_only(requests):
            return None
        if cancelled.is_set():
            raise Cancelled
        conversation = read_conversation(requests[0].messages)
        if generator.heads is None or not conversation.pictures:
            return None
        inputs, first, cached, states = generator.inputs(conversation)
        prompts = _prompts(generator, generator.heads, requests, conversation, first)
        if prompts is None or max(map(len, prompts)) >= generator.context_length:
            return None
        common = _in_common(prompts)
        if cached > common:
            cached, states = common, cut(states, common)
        return cls(
            first=first,
            positions=Positions.of(generator.model, inputs),
            pictures=pictures_of(inputs),
            cached=cached,
            shared=cached if cached >= first.end else common,
            states=states,
            answers=[
                Decoding(
                    replace(first, tokens=tokens),
                    Guide(generator.grammars, each.constraint, top_logprobs=each.top_logprobs, cancelled=cancelled),
                    max_tokens=1,
                    jump_forward=False,
                )
                for each, tokens in zip(requests, prompts, strict=True)
            ],
        )

    @property
    def extends(self) -> bool:
        """Whether the pictures are new to the prefix cache."""
        return self.cached < self.shared

    def prefix(self) -> Addition:
        """What a pass has to add to `states`."""
        return Addition(
            self.first.tokens[self.cached : self.shared],
            self.positions.between(self.cached, self.shared),
            self.pictures,
        )

    @property
    def branches(self) -> Sequence[Addition]:
        """What each question adds to the prefix that all share."""
        return [
            Addition(tokens[self.shared :], self.positions.between(self.shared, len(tokens)))
            for tokens in (each.prompt.tokens for each in self.answers)
        ]

    def generated(self, generator: Generator, start_ns: int) -> list[Generated]:
        """Raises the failure of the first answer that has one."""
        for each in self.answers:
            if each.failure is not None:
                raise each.failure
        self.answers[0].cached = self.cached
        first, *others = (generator.generated(each, start_ns) for each in self.answers)
        passes = first.prefill_passes + self.extends
        return [replace(first, prefill_passes=passes), *(replace(each, prefill_passes=0) for each in others)]


def extend(generator: Generator, rounds: Sequence[Round]) -> None:
    """Compute, in one pass, the prefixes of those rounds whose pictures are new, and keep them."""
    new = [each for each in rounds if each.extends]
    if not new or generator.prefixes is None:
        return
    rows = Rows(generator.model, [each.states for each in new])
    rows.forward([each.prefix() for each in new])
    generator.credit([each.answers[0] for each in new])
    for row, each in enumerate(new):
        each.states = rows.states(row)
        generator.prefixes.store(each.first.tokens[: each.shared], each.first.pictures, each.states)


def read(generator: Generator, rounds: Sequence[Round]) -> None:
    """Answer all questions of `rounds` in one pass, after `extend`."""
    for each in rounds:
        for answer in each.answers:
            answer.cached, answer.states, answer.positions = each.shared, each.states, each.positions
    if not generator.can_branch:  # then each question is a row of its own, with a copy of the prefix
        answers = [answer for each in rounds for answer in each.answers]
        decode(generator.model, answers, lambda *_: None, generator.credit)
        return
    scores = Rows(generator.model, [each.states for each in rounds]).branch([each.branches for each in rounds])
    for each, own in zip(rounds, scores, strict=True):
        for index, answer in enumerate(each.answers):
            answer.choose(own[index : index + 1])


def _differ_in_last_text_only(requests: Sequence[AskRequest]) -> bool:
    """Whether they are about the same pictures, with the same text before, and differ in the last text alone."""
    *before, last = requests[0].messages
    if isinstance(last.content, str):
        return False
    return all(
        list(request.messages[:-1]) == before
        and request.messages[-1].content[:-1] == last.content[:-1]
        and _last_text(request) is not None
        for request in requests
    )


def _last_text(request: AskRequest) -> str | None:
    match request.messages[-1].content:
        case [*_, {"type": "text", "text": str(words)}]:
            return words
        case _:
            return None


def _prompts(
    generator: Generator,
    heads: PromptHeads,
    requests: Sequence[AskRequest],
    conversation: Conversation,
    first: Prompt,
) -> list[Tokens] | None:
    """The token ids of each question; None if that needs processing the pictures again."""
    head, prompts = first.tokens[: first.end], []
    *before, last = conversation.turns
    for request in requests:
        words = {"type": "text", "text": _last_text(request)}
        turns = [*before, {**last, "content": [*last["content"][:-1], words]}]
        prompts.append(np.concatenate([head, heads.tail_tokens(heads.tail(generator.text(turns)))]))
    return prompts if np.array_equal(prompts[0], first.tokens) else None


def _in_common(prompts: Sequence[Tokens]) -> int:
    """The number of equal tokens that all prompts begin with. At least one token of each is left to compute."""
    length = min(map(len, prompts)) - 1
    beginnings = np.stack([tokens[:length] for tokens in prompts])
    differs = np.flatnonzero((beginnings != beginnings[0]).any(axis=0))
    return int(differs[0]) if differs.size else length
