"""Whether a compact reply can be read in one way only.

A compact reply is read value by value, and its reader chooses again and again: which category this is; which option
of an attribute; after an option of a `choose: many`, whether another one follows or the next value. For each
alternative of a choice, take the strings with which a text must continue if it takes that alternative: its own label,
followed by each thing that may come next (another label, or END where the reply ends). If no string of one alternative
is a prefix of a string of another, no text continues in both ways, so at most one alternative fits. If that holds at
every choice, each reply has at most one reading, by induction from its first choice to its last.

The condition is sufficient, not necessary: looking further ahead could clear some taxonomies that are refused here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from onelook.prompts.taxonomy.checks import Mistake
from onelook.prompts.taxonomy.model import Attribute, Taxonomy
from onelook.types import Language

EMPTY = "-"
END = "\0"  # labels have no control characters


class Start(NamedTuple):
    """One string with which a text may continue, and the alternative that it belongs to: its key path and its label."""

    text: str
    location: tuple[str, ...]
    label: str


@lru_cache(maxsize=64)  # asked when the taxonomy is loaded, and again when its questions are made
def clashes(taxonomy: Taxonomy, language: Language, separator: str) -> tuple[Mistake, ...]:
    """The pairs of labels that a reader could confuse when `separator` separates the values."""
    return tuple(
        Mistake(
            one.location,
            f"{one.label!r} reads like {_named(other)} in a compact reply;"
            f" expected labels that do not begin alike, or hold no {separator!r} and ','",
            kind="read alike",
        )
        for choice in _choices(taxonomy, language, separator)
        for other, one in (sorted(pair, key=lambda start: len(start.location)) for pair in _prefixes(choice))
    )


def _named(start: Start) -> str:
    if start.label == EMPTY and "options" not in start.location:
        return f"{EMPTY!r}, which says that none of {start.location[-1]} is chosen,"
    return f"{start.label!r} ({'.'.join(start.location)})"


def _prefixes(choice: Sequence[Start]) -> Iterator[tuple[Start, Start]]:
    """The pairs of different alternatives where one is a prefix of the other.

    In sorted order all texts that begin with a given one come right after it, so the stack holds the prefixes of the
    current text; two alternatives are reported once.
    """
    seen: set[frozenset[tuple[str, ...]]] = set()
    stack: list[Start] = []
    for start in sorted(choice):
        while stack and not start.text.startswith(stack[-1].text):
            stack.pop()
        if stack and stack[-1].location != start.location:
            pair = frozenset((stack[-1].location, start.location))
            if pair not in seen:
                seen.add(pair)
                yield stack[-1], start
        stack.append(start)


def _choices(taxonomy: Taxonomy, language: Language, separator: str) -> Iterator[list[Start]]:
    categories: list[Start] = []
    for category_id, category in taxonomy.categories.items():
        label = category.label[language]
        at = ("categories", category_id)
        attributes = list(category.details.items())
        categories += [
            Start(label + text, (*at, "label", language), label) for text in _next(attributes, language, separator)
        ]
        for number, (attribute_id, attribute) in enumerate(attributes):
            then = _next(attributes[number + 1 :], language, separator)
            yield from _values(attribute, (*at, "details", attribute_id), language, then)
    yield categories


def _next(attributes: Sequence[tuple[str, Attribute]], language: Language, separator: str) -> list[str]:
    """The strings with which a reply continues when these attributes are still to come."""
    if not attributes:
        return [END]
    _, attribute = attributes[0]
    labels = list(attribute.labels(language).values())
    return [separator + label for label in (labels if attribute.choose == "one" else [EMPTY, *labels])]


def _values(attribute: Attribute, at: tuple[str, ...], language: Language, then: list[str]) -> Iterator[list[Start]]:
    """The choices inside one attribute's value; `then` is what may come after it."""
    options = [((*at, "options", option, language), label) for option, label in attribute.labels(language).items()]
    if attribute.choose == "one":
        yield [Start(label + text, location, label) for location, label in options for text in then]
        return

    def chosen(rank: int) -> list[Start]:
        location, label = options[rank]
        later = [f",{other}" for _, other in options[rank + 1 :]]
        return [Start(label + text, location, label) for text in (*later, *then)]

    yield [Start(EMPTY + text, at, EMPTY) for text in then] + [
        start for rank in range(len(options)) for start in chosen(rank)
    ]
    # After the first option. After a later one the alternatives are some of these, so they need no check of their own.
    another = [start._replace(text=f",{start.text}") for rank in range(1, len(options)) for start in chosen(rank)]
    yield [*another, *(Start(text, at, text.removesuffix(END)) for text in then)]
