"""Random weights with the replies of a trained model, to measure the cost of a model without its weights.

Random weights choose any category and spell labels with unusual tokens, so the arms would not do the same work. Here
each reply is dictated: the constraint allows this reply only, with the tokenizer's own tokens. The server computes as
many tokens as for the real model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage
from transformers import AutoTokenizer

from onelook.engines.base import AskRequest, Choice, Reply
from onelook.engines.openai.engine import OpenAIEngine
from onelook.engines.openai.served_model import ServedModel
from onelook.engines.openai.server import OpenAIServer
from onelook.prompts.question import Question
from onelook.prompts.questions import CODECS, Prompts
from onelook.types import Answer

Tokens = Callable[[str], list[int]]


def load_tokens(folder: Path) -> Tokens:
    """The tokenizer in `folder`, as a function from a reply to its token ids, with the end token."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return lambda reply: [*tokenizer(reply, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]


def dictation(prompts: Prompts, answer: Answer) -> dict[str, str]:
    """The right reply by the question's text; for the details of other categories, the first option."""

    def details(category: str) -> Answer:
        if category == answer.category:
            return answer
        attributes = prompts.taxonomy.categories[category].details
        return Answer(category=category, details={id_: (next(iter(each.options)),) for id_, each in attributes.items()})

    asked: list[tuple[Question, Answer]] = [(prompts.legacy_category(), answer)]
    asked += [(prompts.read_category(backwards=way), answer) for way in (False, True)]
    for reply_format in CODECS:
        asked += [(prompts.fused(reply_format), answer), (prompts.category(reply_format), answer)]
    for id_, category in prompts.taxonomy.categories.items():
        if not category.details:
            continue
        asked.append((prompts.legacy_details(id_), details(id_)))
        asked += [(prompts.details(id_, reply_format), details(id_)) for reply_format in CODECS]
        asked += [
            (question, details(id_))
            for each in category.details
            for way in (False, True)
            for question in prompts.read_attribute(id_, each, backwards=way)
        ]
    return {question.text: question.write(reply) for question, reply in asked}


class DictatedEngine(OpenAIEngine):
    """A server with dictated replies."""

    def __init__(self, server: OpenAIServer, replies: Mapping[str, str], tokens: Tokens) -> None:
        super().__init__(server)
        self._replies = replies
        self._tokens = tokens

    def request_fields(self, request: AskRequest, served: ServedModel) -> dict[str, Any]:
        fields = super().request_fields(request, served)
        match request.constraint:
            case Choice(options=(reply,)):
                fields["allowed_token_ids"] = sorted(set(self._tokens(reply)))
        return fields

    async def ask(self, request: AskRequest) -> Reply:
        return await super().ask(self._dictated(request))

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        return await super().ask_many([self._dictated(request) for request in requests])

    def _dictated(self, request: AskRequest) -> AskRequest:
        return replace(request, constraint=Choice((self._replies[_question_text(request.messages)],)))


def dictated_engine(base_url: str, replies: Mapping[str, str], tokens: Tokens, *, timeout_s: float) -> DictatedEngine:
    return DictatedEngine(OpenAIServer(base_url, timeout_s=timeout_s), replies, tokens)


def _question_text(messages: Sequence[BaseMessage]) -> str:
    """The text of the question, without the picture."""
    (words,) = (part["text"] for part in messages[-1].content if isinstance(part, dict) and part["type"] == "text")
    return str(words)
