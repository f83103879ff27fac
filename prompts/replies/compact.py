"""The compact reply: values only, in a fixed order, in the labels' own words.

`人像男性自拍,半身开心室内` says in 10 tokens what JSON says in 30 (Qwen2's tokenizer).
Options of a `choose: many` have commas between them, none is `-`. Values are separated by the first of the language's
separators that leaves one reading: nothing in Chinese, a space in English (which tokenizers of the GPT-2 kind merge
into the next word), else a bar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from onelook.constraint import Choice, Regex
from onelook.errors import ReplyInvalid, TaxonomyError
from onelook.prompts.replies import pattern
from onelook.prompts.replies.ambiguity import EMPTY, clashes
from onelook.prompts.replies.pattern import Pattern, Reader
from onelook.prompts.replies.reading import Reading
from onelook.prompts.replies.scope import Scope
from onelook.prompts.taxonomy.checks import Mistake
from onelook.prompts.taxonomy.model import Attribute, Taxonomy
from onelook.types import Answer, Language


def ambiguities(taxonomy: Taxonomy, language: Language, separators: Sequence[str]) -> Sequence[Mistake]:
    """The labels that none of the separators keeps apart; empty when compact replies can be read."""
    found: Sequence[Mistake] = ()
    for separator in separators:
        found = clashes(taxonomy, language, separator)
        if not found:
            break
    return found


def choose_separator(taxonomy: Taxonomy, language: Language, separators: Sequence[str]) -> str:
    """The first separator that leaves every compact reply one reading.

    Raises:
        TaxonomyError: none does (`load_taxonomy` refuses such a taxonomy).
    """
    for separator in separators:
        if not clashes(taxonomy, language, separator):
            return separator
    mistakes = ambiguities(taxonomy, language, separators)
    raise TaxonomyError(
        "\n".join(f"{taxonomy.name}: {'.'.join(map(str, at))}: {message}" for at, message, *_ in mistakes),
        hint="change one of the two labels",
    )


class CompactCodec:
    """Writes and reads the compact replies to one question, with `separator` between values."""

    def __init__(self, scope: Scope, separator: str) -> None:
        self.scope = scope
        self.separator = separator
        self._readers: dict[str, Reader] = {}

    @cached_property
    def constraint(self) -> Choice | Regex:
        if self.scope.part == "category":
            return Choice(tuple(self.scope.label(category) for category in self.scope.categories))
        return Regex(pattern.any_of([self._values(category) for category in self.scope.categories]).regex)

    @cached_property
    def max_tokens(self) -> int:
        """A token is at least one byte, and one more ends the reply."""
        return max(len(self.encode(answer).encode()) for answer in self.scope.longest()) + 1

    def encode(self, answer: Answer) -> str:
        values = [",".join(labels) or EMPTY for labels in self.scope.values(answer).values()]
        if self.scope.part != "details":
            values.insert(0, self.scope.label(answer.category))
        return self.separator.join(values)

    def decode(self, text: str) -> Reading:
        for category in self._begun(text):
            if reading := self._reader(category).read(text):
                attributes = self.scope.attributes(category)
                return Reading(
                    reading.category, {id_: reading.details.get(id_, ()) for id_ in attributes}, reading.spans
                )
        raise ReplyInvalid(f"the reply {text[:200]!r} is not a compact answer: {self._mistake(text)}")

    def _begun(self, text: str) -> Iterator[str]:
        """The categories that the text may be about: those with whose label it begins, the longest first."""
        if self.scope.part == "details":
            yield from self.scope.categories
            return
        labels = {category: self.scope.label(category) for category in self.scope.categories}
        yield from sorted(
            (category for category, label in labels.items() if text.startswith(label)),
            key=lambda category: len(labels[category]),
            reverse=True,
        )

    def _reader(self, category: str) -> Reader:
        """Category by category: Python's `re` takes a second to compile the pattern of a large taxonomy as a whole."""
        if category not in self._readers:
            self._readers[category] = Reader(pattern.any_of([self._values(category)]))
        return self._readers[category]

    def _values(self, category: str) -> list[Pattern]:
        """The values of a reply; the separator is before each but the first."""
        values = [self._value(*entry) for entry in self.scope.attributes(category).items()]
        if self.scope.part != "details":
            values.insert(0, pattern.category(self.scope.label(category), category))
        separator = pattern.literal(self.separator)
        return [values[0], *(separator + value for value in values[1:])]

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
        category = next(self._begun(text), None)
        if category is None:
            return "at its start, expected a category"
        at, separator = 0, ""
        if self.scope.part != "details":
            at, separator = len(self.scope.label(category)), self.separator
        for attribute_id, attribute in self.scope.attributes(category).items():
            value = pattern.literal(separator) + self._value(attribute_id, attribute)
            match = re.compile(value.regex).match(text, at)
            if match is None:
                expected = " ".join(filter(None, [repr(separator) if separator else "", f"a value of {attribute_id}"]))
                return f"after {text[:at]!r}, expected {expected}"
            at, separator = match.end(), self.separator
        return f"after {text[:at]!r}, expected its end"
