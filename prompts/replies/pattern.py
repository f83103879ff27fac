"""Regular expressions that are constraint and decoder in one.

Every label is a capturing group, every other group is not. A grammar engine reads a capturing group as a plain one, so
the pattern that guides the model is, character for character, the one that reads its reply: they cannot drift apart.

It uses only what Python's `re`, xgrammar, outlines and llguidance read alike: literals, alternatives, groups and `?`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from onelook.prompts.replies.reading import Reading, SpanKey, byte_span

SYNTAX = re.compile(r"[\\.^$*+?()\[\]{}|]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression, and the meaning of each of its groups: (None, category id) or (attribute id, option id)."""

    regex: str
    groups: tuple[tuple[str | None, str], ...] = ()

    def __add__(self, other: Pattern) -> Pattern:
        return Pattern(self.regex + other.regex, self.groups + other.groups)


def literal(text: str) -> Pattern:
    # Not re.escape: it escapes spaces and commas too, which other engines refuse or warn about.
    return Pattern(SYNTAX.sub(r"\\\g<0>", text))


def category(label: str, category_id: str) -> Pattern:
    return Pattern(f"({literal(label).regex})", ((None, category_id),))


def option(label: str, attribute_id: str, option_id: str) -> Pattern:
    return Pattern(f"({literal(label).regex})", ((attribute_id, option_id),))


def one_of(patterns: Sequence[Pattern]) -> Pattern:
    if len(patterns) == 1:
        return patterns[0]
    return Pattern(
        f"(?:{'|'.join(pattern.regex for pattern in patterns)})",
        tuple(group for pattern in patterns for group in pattern.groups),
    )


def any_of(replies: Sequence[Sequence[Pattern]]) -> Pattern:
    """One of several sequences, none of which is the end of another one.

    What they have in common at their end is written once: it is most of them where categories share attributes.
    """
    if len(replies) == 1:
        return sum(replies[0], Pattern(""))
    ends: dict[Pattern, list[Sequence[Pattern]]] = {}
    for *beginning, end in replies:
        ends.setdefault(end, []).append(beginning)
    return one_of([any_of(beginnings) + end for end, beginnings in ends.items()])


def optional(pattern: Pattern) -> Pattern:
    return Pattern(f"(?:{pattern.regex})?", pattern.groups)


def subset(items: Sequence[Pattern], *, empty: Pattern) -> Pattern:
    """Items in their order, each at most once, with commas between; `empty` for none of them.

    No item can repeat, which neither JSON Schema's arrays nor a `*` can promise. O(n log n) in size.
    """
    return one_of([empty, _some(items)])


def _some(items: Sequence[Pattern]) -> Pattern:
    """At least one of them: one of the first half, after which any of the second may follow, or else of the second."""
    if len(items) == 1:
        return items[0]
    middle = len(items) // 2
    first, second = items[:middle], items[middle:]
    return one_of([sum((optional(literal(",") + item) for item in second), _some(first)), _some(second)])


class Reader:
    """Reads texts that match a pattern from their first to their last character."""

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern
        self._compiled = re.compile(pattern.regex)

    def read(self, text: str) -> Reading | None:
        """The answer in the text; None without a match. Attributes without a chosen option are not in `details`."""
        match = self._compiled.fullmatch(text)
        if match is None:
            return None
        category_id: str | None = None
        details: dict[str, tuple[str, ...]] = {}
        spans: dict[SpanKey, tuple[int, int]] = {}
        for number, (attribute_id, chosen) in enumerate(self.pattern.groups, start=1):
            start, end = match.span(number)
            if start < 0:
                continue
            if attribute_id is None:
                category_id = chosen
                spans["category"] = byte_span(text, start, end)
            else:
                details[attribute_id] = (*details.get(attribute_id, ()), chosen)
                spans[attribute_id, chosen] = byte_span(text, start, end)
        return Reading(category_id, details, spans)
