"""From the words of a label to the ids of the taxonomy: ids and labels of every language mean the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Self

import orjson

from onelook.prompts.taxonomy.model import Attribute, Taxonomy
from onelook.types import Language

SEPARATORS: Final = re.compile(r"[+;,|、，；]")
"""Between several options in one cell; an export writes `+`."""


Details = dict[str, tuple[str, ...]]


class Mistake(Exception):
    """One thing that is wrong with a row, in words that say what to change."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words for the ids of one kind: categories, attributes of a category, options of an attribute."""

    kind: str
    known: Mapping[str, tuple[str, ...]]
    words: Mapping[str, str]

    @classmethod
    def of(cls, kind: str, labels: Mapping[str, Mapping[Language, str]]) -> Self:
        known: dict[str, tuple[str, ...]] = {}
        for id_, by_language in labels.items():
            for label in by_language.values():
                known[_folded(label)] = tuple(dict.fromkeys((*known.get(_folded(label), ()), id_)))
        known |= {id_: (id_,) for id_ in labels}  # an id never means another
        spelled = {_folded(word): word for id_, by in labels.items() for word in (*by.values(), id_)}
        return cls(kind, known, spelled)

    def ids(self, word: str) -> tuple[str, ...]:
        """The ids that the word can mean: none, one, or where labels are equal several."""
        return self.known.get(_folded(word), ())

    def id(self, word: str) -> str:
        """Raises `Mistake` if it is none, or could be several."""
        match self.ids(word):
            case (id_,):
                return id_
            case ():
                nearest = get_close_matches(_folded(word), self.words, n=1, cutoff=0.0)
                near = f"the nearest is {self.words[nearest[0]]!r}" if nearest else "which has none: remove it"
                raise Mistake(f"{word!r} is no {self.kind}{'; ' if nearest else ', '}{near}")
            case several:
                raise Mistake(f"{word!r} can be {' and '.join(several)}: write the id")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a taxonomy. `attributes`: by category; `options`: by category and attribute."""

    taxonomy: Taxonomy
    categories: Words
    attributes: Mapping[str, Words]
    options: Mapping[tuple[str, str], Words]

    @classmethod
    def of(cls, taxonomy: Taxonomy) -> Self:
        described = taxonomy.categories
        return cls(
            taxonomy,
            Words.of("category", {id_: category.label for id_, category in described.items()}),
            {
                id_: Words.of(f"attribute of {id_}", {name: each.label for name, each in category.details.items()})
                for id_, category in described.items()
            },
            {
                (id_, name): Words.of(f"option of {name}", attribute.options)
                for id_, category in described.items()
                for name, attribute in category.details.items()
            },
        )

    def details(self, category: str, values: Iterable[tuple[str, Any]]) -> tuple[Details, list[str]]:
        """The options of each known attribute of `category`, in the taxonomy's order, and the mistakes."""
        described = self.taxonomy.categories[category].details
        found: Details = {}
        mistakes: list[str] = []
        for word, value in values:
            try:
                options = options_in(value)
                if options is None:
                    continue
                name = self.attributes[category].id(word)
                chosen = _chosen(options, name, described[name], self.options[category, name])
            except Mistake as mistake:
                mistakes.append(str(mistake))
                continue
            if chosen is not None:
                found[name] = chosen
        return {name: found[name] for name in described if name in found}, mistakes


def options_in(value: Any) -> list[str] | None:
    """The words of a value: a text, a list of texts, or tags as `onelook tag --jsonl` writes them. None: not known."""
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise Mistake(f"{value!r} is no list: write [] for none, or the options with + between them") from None
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return [text_of(each) for each in (value if isinstance(value, list | tuple) else [value])]


def text_of(value: Any) -> str:
    """The text of a cell, or the id of a tag. Raises `Mistake` if it is neither."""
    if isinstance(value, Mapping):
        value = value.get("id")
    if value is None or isinstance(value, list | tuple):
        raise Mistake(f"{value!r} is no label: write a text, or a tag with its id")
    return str(value).strip()


def _chosen(texts: Iterable[str], name: str, attribute: Attribute, words: Words) -> tuple[str, ...] | None:
    single = [part for text in texts for part in ([text] if words.ids(text) else SEPARATORS.split(text))]
    chosen = {words.id(word.strip()) for word in single if word.strip()}
    if attribute.choose == "one":
        if not chosen:
            return None
        if len(chosen) > 1:
            raise Mistake(f"{name} has {len(chosen)} options, and is one of {', '.join(attribute.options)}")
    return attribute.in_order(chosen)


def _folded(word: str) -> str:
    return unicodedata.normalize("NFC", word.strip()).casefold()
