"""Training examples from the project's own prompts, as token ids.

An example has the text before the picture, which all pictures of a batch share, and a few targets for each picture: the
text after the picture, and the reply. Only the reply has a loss.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from langchain_core.messages import convert_to_openai_messages
from transformers import Qwen2Tokenizer

from onelook.prompts.question import Question
from onelook.prompts.questions import CODECS, Prompts
from onelook.types import Answer, Language

PICTURE = "<|image_pad|>"
VOCABULARY = 2048
"""Largest size of the tokenizer's vocabulary."""

Family = Literal["guided", "legacy_category", "legacy_details"]
FAMILIES: Mapping[Family, float] = {"guided": 0.9, "legacy_category": 0.04, "legacy_details": 0.06}

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Token ids from the picture to the reply, and the reply with its end token."""

    question: Ids
    reply: Ids


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids before the picture, and the targets of each picture."""

    before: Ids
    targets: list[list[Target]]


class PromptSampler:
    """Samples questions about a batch of pictures. `reads`: whether to include the questions of the arm `reads`."""

    def __init__(self, prompts: Mapping[Language, Prompts], tokenizer: Qwen2Tokenizer, *, reads: bool = True) -> None:
        self.prompts = prompts
        self.reads = reads
        self.tokenizer = tokenizer
        self._ids = lru_cache(maxsize=None)(self._encoded)
        self._splits: dict[tuple[str | None, str, bool], tuple[str, str]] = {}

    @property
    def with_details(self) -> list[str]:
        """Categories that have details."""
        categories = next(iter(self.prompts.values())).taxonomy.categories
        return [id_ for id_, each in categories.items() if each.details]

    def example(self, family: Family, language: Language, truths: Sequence[Answer], rng: random.Random) -> Example:
        """An example for pictures with these labels, all of one category in the family `legacy_details`."""
        sampled = [list(self._questions(family, self.prompts[language], truth, rng)) for truth in truths]
        befores = {self._split_at_picture(question)[0] for questions in sampled for question in questions}
        (before,) = befores
        targets = [
            [
                Target(self._ids(self._split_at_picture(question)[1]), self._reply(question, truth, language))
                for question in questions
            ]
            for questions, truth in zip(sampled, truths, strict=True)
        ]
        return Example(self._ids(before), targets)

    def _questions(self, family: Family, prompts: Prompts, truth: Answer, rng: random.Random) -> Iterator[Question]:
        if family == "legacy_category":
            yield prompts.legacy_category()
            return
        if family == "legacy_details":
            yield prompts.legacy_details(truth.category)
            return
        fused = [prompts.fused("json"), prompts.fused("compact")]
        rng.shuffle(fused)
        yield fused.pop()
        others = [*fused, prompts.category("json"), prompts.category("compact")]
        if truth.details:
            others += [prompts.details(truth.category, "json"), prompts.details(truth.category, "compact")]
        yield rng.choice(others)
        if self.reads:
            yield from self._letters(prompts, truth, rng)

    def _letters(self, prompts: Prompts, truth: Answer, rng: random.Random) -> Iterator[Question]:
        """The questions of `reads`, with one option of a `choose: many` attribute. Each in both orders, so that the
        model reads the options and does not memorise the letters."""
        yield from prompts.category_choice(debias=True).questions
        for attribute in truth.details:
            choices = prompts.attribute_choices(truth.category, attribute, debias=True)
            yield from choices[rng.randrange(len(choices))].questions

    def _split_at_picture(self, question: Question) -> tuple[str, str]:
        """The text of the conversation before and after the picture."""
        key = question.system, question.text, question.text_first
        if key not in self._splits:
            turns = convert_to_openai_messages(question.messages(["data:,"]))
            text = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
            before, after = str(text).split(PICTURE)
            self._splits[key] = before, after
        return self._splits[key]

    def _reply(self, question: Question, truth: Answer, language: Language) -> Ids:
        end = self.tokenizer.eos_token_id
        return (*self._ids(question.write(truth)), end)

    def _encoded(self, text: str) -> Ids:
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])


TOUCHING = r"([、，。：；？（）“”]|\b[A-Z](?=[^\x00-\x7f]))"
"""Characters next to a label without a space: punctuation, and an option's letter."""


def tokenizer_texts(prompts: Iterable[Prompts], repeats: int = 60) -> list[str]:
    """The training texts of the tokenizer.

    Every label is repeated on its own, so that it becomes one or few tokens. In the prompts it is separated from other
    characters, so that it has the same tokens there as in a reply.
    """
    texts = []
    for each in prompts:
        language, categories = each.language, each.taxonomy.categories.values()
        words = [*each.taxonomy.labels(language).values()]
        for category in categories:
            for id_, attribute in category.details.items():
                words += [id_, attribute.label[language], *attribute.labels(language).values()]
        texts += [text for word in words for text in (word, f" {word}")] * repeats
        rendered = [each.system, *(question.text for question in _all_questions(each))]
        texts += [re.sub(TOUCHING, r"\n\1\n", text) for text in dict.fromkeys(rendered)] * 4
    return texts


def _all_questions(prompts: Prompts) -> Iterator[Question]:
    yield from (*prompts.category_choice().questions, prompts.legacy_category())
    for reply_format in CODECS:
        yield from (prompts.fused(reply_format), prompts.category(reply_format))
    for id_, category in prompts.taxonomy.categories.items():
        if category.details:
            yield prompts.legacy_details(id_)
            yield from (prompts.details(id_, reply_format) for reply_format in CODECS)
        for attribute_id in category.details:
            yield from (each for choice in prompts.attribute_choices(id_, attribute_id) for each in choice.questions)
