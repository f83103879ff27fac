"""A taxonomy: what a picture can be, in two levels, in stable ids and in the words of each language."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from onelook.types import Content, Frozen, Language

ID_PATTERN = "^[a-z][a-z0-9_]*$"
ID_PATH_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,2}$"

UNASKED = {"not_keywords"}
"""Fields of a taxonomy on which no answer depends."""


def line(text: str) -> str:
    """One visible line: it is shown in prompts, and compared letter by letter."""
    mistake = None
    if not text.strip():
        mistake = "is empty"
    elif text != text.strip():
        mistake = "has spaces at its start or end"
    elif not text.isprintable():
        mistake = "has a control character, a line break or an invisible character"
    elif not unicodedata.is_normalized("NFC", text):
        mistake = "is not in Unicode's composed form (NFC)"
    if mistake:
        raise PydanticCustomError("text", "{text} {mistake}", {"text": repr(text), "mistake": mistake})
    return text


def _label(text: str) -> str:
    """A line that JSON writes without escapes."""
    if '"' in text or "\\" in text:
        raise PydanticCustomError("text", "{text} has a quote or a backslash", {"text": repr(text)})
    return line(text)


def _by_language(texts: dict[Language, str]) -> dict[Language, str]:
    """The order in which a document lists its languages means nothing, so it must not change the version."""
    return dict(sorted(texts.items()))


Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
NotKeyword = Annotated[str, StringConstraints(pattern=ID_PATH_PATTERN)]
"""The id of a category, an attribute or an option, wherever it is (`unclear`), or one below another
(`portrait.gender.unclear`, `animal.count`): that, and all below it."""

Labels = Annotated[dict[Language, Annotated[str, AfterValidator(_label)]], AfterValidator(_by_language)]
Lines = Annotated[dict[Language, Annotated[str, AfterValidator(line)]], AfterValidator(_by_language)]


def is_part(name: str, path: Sequence[str]) -> bool:
    """Whether `name`, a `NotKeyword`, means a level of `path`: ids from a category down."""
    wanted = tuple(name.split("."))
    return any(tuple(path[at : at + len(wanted)]) == wanted for at in range(len(path)))


class Attribute(Frozen):
    """A question about pictures of one category, and the options that answer it."""

    label: Labels
    choose: Literal["one", "many"]
    options: Annotated[dict[Id, Labels], Field(min_length=1)]

    def labels(self, language: Language) -> dict[str, str]:
        """Option id to label, in taxonomy order."""
        return {option: labels[language] for option, labels in self.options.items()}

    def ids(self, language: Language) -> dict[str, str]:
        """Label to option id."""
        return {label: option for option, label in self.labels(language).items()}

    def in_order(self, chosen: Iterable[str]) -> tuple[str, ...]:
        """The chosen option ids in taxonomy order, each once.

        Raises:
            KeyError: an id is not one of the options.
        """
        ranks = {option: rank for rank, option in enumerate(self.options)}
        return tuple(sorted(set(chosen), key=ranks.__getitem__))


class Category(Frozen):
    """What a picture can be, when it is that, and which attributes it then has (none is legal).

    `specialist`: however sure the first engine is, a specialist looks at such pictures again, where there is one.
    `content`: what such pictures are made of, which decides their resolution in the arm hybrid; None: any.
    """

    label: Labels
    when: Lines
    details: dict[Id, Attribute] = Field(default_factory=dict)
    specialist: bool = False
    content: Content | None = None


class Taxonomy(Frozen):
    """A checked document, made by `load_taxonomy` or `parse_taxonomy` (in `onelook.prompts.taxonomy.document`).

    `not_keywords`: what is no word to find pictures by (`unclear`), as `NotKeyword` has it. No answer depends on it.
    """

    name: Annotated[str, AfterValidator(line)]
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    categories: Annotated[dict[Id, Category], Field(min_length=1)]
    not_keywords: tuple[NotKeyword, ...] = ()

    def __hash__(self) -> int:
        """Taxonomies that are equal have one version, so what is worked out for one is found again."""
        return hash(self.version)

    @cached_property
    def version(self) -> str:
        """First 12 hex digits of the SHA-256 of what is asked. Order counts: replies are written in it."""
        return sha256(self.model_dump_json(exclude=UNASKED).encode()).hexdigest()[:12]

    def paths(self) -> Iterator[tuple[str, ...]]:
        """The ids that lead to each category, attribute and option."""
        for category_id, category in self.categories.items():
            yield (category_id,)
            for attribute_id, attribute in category.details.items():
                yield category_id, attribute_id
                yield from ((category_id, attribute_id, option) for option in attribute.options)

    def labels(self, language: Language) -> dict[str, str]:
        """Category id to label, in taxonomy order."""
        return {id_: category.label[language] for id_, category in self.categories.items()}

    def ids(self, language: Language) -> dict[str, str]:
        """Label to category id."""
        return {label: id_ for id_, label in self.labels(language).items()}
