"""The compact reply: values only, in a fixed order, in the labels' own words.

`人像男性自拍,半身开心室内` says in 10 tokens what JSON says in 30 (Qwen2's
tokenizer). Options of a `choose: many` have commas between them, none is `-`.
Between values stands the lightest separator that leaves one reading: nothing in Chinese, a blank in English (which
tokenizers of the GPT-2 kind merge into the next word), else a bar.
"""

from __future__ import annotations

import re

from onelook.constraint import Choice, Regex
from onelook.errors import ReplyInvalid, TaxonomyError
from onelook.prompts.replies import pattern
from onelook.prompts.replies.ambiguity import EMPTY, clashes
from onelook.prompts.replies.pattern import Pattern, Reader
from onelook.prompts.replies.reading import Reading
from onelook.prompts.replies.scope import Scope
from onelook.prompts.taxonomy.checks import Problem
from onelook.prompts.taxonomy.model import Attribute, Taxonomy
from onelook.types import Answer, Language

LIGHT: dict[Language, str] = {"zh": "", "en": " "}
HEAVY = "|"


def ambiguities(taxonomy: Taxonomy, language: Language) -> list[Problem]:
    """The labels that no separator keeps apart; empty when compact replies can be read."""
    return [] if not clashes(taxonomy, language, LIGHT[language]) else clashes(taxonomy, language, HEAVY)


def separator(taxonomy: Taxonomy, language: Language) -> str:
    """What stands between two values.

    Raises:
        TaxonomyError: no separator leaves one reading (`load_taxonomy` refuses such a taxonomy).
    """
    if not clashes(taxonomy, language, LIGHT[language]):
        return LIGHT[language]
    if problems := clashes(taxonomy, language, HEAVY):
        told = "\n".join(f"{taxonomy.name}: {'.'.join(map(str, at))}: {message}" for at, message, _ in problems)
        raise TaxonomyError(told, hint="change one of the two labels")
    return HEAVY


class CompactCodec:
    """Writes and reads the compact replies to one question."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.separator = separator(scope.taxonomy, scope.language)
        self._reader = Reader(pattern.one_of([self._reply(category) for category in scope.categories]))
        self.constraint: Choice | Regex = (
            Choice(tuple(scope.label(category) for category in scope.categories))
            if scope.part == "category"
            else Regex(self._reader.pattern.regex)
        )
        # A token is at least one byte, and one more ends the reply.
        self.max_tokens = max(len(self.encode(answer).encode()) for answer in scope.longest()) + 1

    def encode(self, answer: Answer) -> str:
        values = [",".join(labels) or EMPTY for labels in self.scope.values(answer).values()]
        if self.scope.part != "details":
            values.insert(0, self.scope.label(answer.category))
        return self.separator.join(values)

    def decode(self, text: str) -> Reading:
        reading = self._reader.read(text)
        if reading is None:
            raise ReplyInvalid(f"the reply {text[:200]!r} is not a compact answer: {self._mistake(text)}")
        category = reading.category or self.scope.categories[0]
        details = {attribute: reading.details.get(attribute, ()) for attribute in self.scope.attributes(category)}
        return Reading(reading.category, details, reading.spans)

    def _reply(self, category: str) -> Pattern:
        values = [self._value(*entry) for entry in self.scope.attributes(category).items()]
        if self.scope.part != "details":
            values.insert(0, pattern.category(self.scope.label(category), category))
        reply = values[0]
        for value in values[1:]:
            reply += pattern.literal(self.separator) + value
        return reply

    def _value(self, attribute_id: str, attribute: Attribute) -> Pattern:
        options = [
            pattern.option(label, attribute_id, option)
            for option, label in attribute.labels(self.scope.language).items()
        ]
        if attribute.choose == "one":
            return pattern.one_of(options)
        return pattern.subset(options, empty=pattern.literal(EMPTY))

    def _mistake(self, text: str) -> str:
        """Where a reply that does not match stops making sense."""
        at, separator = 0, ""
        category = self.scope.categories[0]
        if self.scope.part != "details":
            begun = [category for category in self.scope.categories if text.startswith(self.scope.label(category))]
            if not begun:
                return "at its start, expected a category"
            category = max(begun, key=lambda category: len(self.scope.label(category)))
            at, separator = len(self.scope.label(category)), self.separator
        for attribute_id, attribute in self.scope.attributes(category).items():
            value = pattern.literal(separator) + self._value(attribute_id, attribute)
            match = re.compile(value.regex).match(text, at)
            if match is None:
                expected = " ".join(filter(None, [repr(separator) if separator else "", f"a value of {attribute_id}"]))
                return f"after {text[:at]!r}, expected {expected}"
            at, separator = match.end(), self.separator
        return f"after {text[:at]!r}, expected its end"
