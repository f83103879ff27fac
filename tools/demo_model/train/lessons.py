"""What the model learns to say: the project's own prompts as token ids, with the replies that are right.

A lesson is everything before the picture, which all pictures of a batch share, and for each picture a few exercises:
what comes after it, and the reply. Only replies are learnt.
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
"""Of the tokenizer, at most."""

Family = Literal["guided", "legacy_category", "legacy_details"]
FAMILIES: Mapping[Family, float] = {"guided": 0.9, "legacy_category": 0.04, "legacy_details": 0.06}

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Exercise:
    """Token ids after the picture, up to where the reply begins, and the reply with the token that ends it."""

    question: Ids
    reply: Ids


@dataclass(frozen=True, slots=True)
class Lesson:
    """Token ids before the picture, and the exercises of each picture."""

    before: Ids
    exercises: list[list[Exercise]]


class Teacher:
    """Chooses what is asked about a batch of pictures. `reads`: whether by letters too, as that arm does."""

    def __init__(self, prompts: Mapping[Language, Prompts], tokenizer: Qwen2Tokenizer, *, reads: bool = True) -> None:
        self.prompts = prompts
        self.reads = reads
        self.tokenizer = tokenizer
        self._ids = lru_cache(maxsize=None)(self._encoded)
        self._split: dict[tuple[str | None, str, bool], tuple[str, str]] = {}

    @property
    def with_details(self) -> list[str]:
        """Categories whose details can be asked."""
        categories = next(iter(self.prompts.values())).taxonomy.categories
        return [id_ for id_, each in categories.items() if each.details]

    def lesson(self, family: Family, language: Language, truths: Sequence[Answer], chance: random.Random) -> Lesson:
        """A lesson about pictures with these truths, which are of one category in the family `legacy_details`."""
        asked = [list(self._questions(family, self.prompts[language], truth, chance)) for truth in truths]
        befores = {self._around(question)[0] for questions in asked for question in questions}
        (before,) = befores
        exercises = [
            [
                Exercise(self._ids(self._around(question)[1]), self._reply(question, truth, language))
                for question in questions
            ]
            for questions, truth in zip(asked, truths, strict=True)
        ]
        return Lesson(self._ids(before), exercises)

    def _questions(self, family: Family, prompts: Prompts, truth: Answer, chance: random.Random) -> Iterator[Question]:
        if family == "legacy_category":
            yield prompts.legacy_category()
            return
        if family == "legacy_details":
            yield prompts.legacy_details(truth.category)
            return
        fused = [prompts.fused("json"), prompts.fused("compact")]
        chance.shuffle(fused)
        yield fused.pop()
        others = [*fused, prompts.category("json"), prompts.category("compact")]
        if truth.details:
            others += [prompts.details(truth.category, "json"), prompts.details(truth.category, "compact")]
        yield chance.choice(others)
        if self.reads:
            yield from self._letters(prompts, truth, chance)

    def _letters(self, prompts: Prompts, truth: Answer, chance: random.Random) -> Iterator[Question]:
        """What `reads` asks, of a `choose: many` about one option. Each both ways round, or it would learn letters by
        heart instead of reading what they stand for."""
        yield from (prompts.read_category(backwards=backwards) for backwards in (False, True))
        for attribute in truth.details:
            ways = [prompts.read_attribute(truth.category, attribute, backwards=way) for way in (False, True)]
            option = chance.randrange(len(ways[0]))
            yield from (questions[option] for questions in ways)

    def _around(self, question: Question) -> tuple[str, str]:
        """The conversation's text before and after the picture."""
        asked = question.system, question.text, question.text_first
        if asked not in self._split:
            turns = convert_to_openai_messages(question.messages(["data:,"]))
            text = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
            before, after = str(text).split(PICTURE)
            self._split[asked] = before, after
        return self._split[asked]

    def _reply(self, question: Question, truth: Answer, language: Language) -> Ids:
        end = self.tokenizer.eos_token_id
        return (*self._ids(question.write(truth)), end)

    def _encoded(self, text: str) -> Ids:
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])


TOUCHING = r"([、，。：；？（）“”]|\b[A-Z](?=[^\x00-\x7f]))"
"""What stands beside a label without a space: marks, and an option's letter."""


def tokenizer_texts(prompts: Iterable[Prompts], repeats: int = 60) -> list[str]:
    """What the vocabulary is made from.

    Every label comes alone and often, so that it becomes one token or few; in the prompts it touches nothing else, so
    that it is the same tokens there as in a reply.
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
    yield from (prompts.read_category(), prompts.legacy_category())
    for reply_format in CODECS:
        yield from (prompts.fused(reply_format), prompts.category(reply_format))
    for id_, category in prompts.taxonomy.categories.items():
        if category.details:
            yield prompts.legacy_details(id_)
            yield from (prompts.details(id_, reply_format) for reply_format in CODECS)
        for attribute_id in category.details:
            yield from prompts.read_attribute(id_, attribute_id)
