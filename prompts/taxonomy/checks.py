"""What is wrong with a taxonomy document: its shape, checked by Pydantic, and its meaning, which types cannot check.

Both look at the raw document, so that one run finds every mistake of a file and not only the first kind.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from onelook.prompts.taxonomy.model import ID_PATH_PATTERN, ID_PATTERN, Attribute, Taxonomy, is_part
from onelook.prompts.taxonomy.written import WrittenCategory, WrittenTaxonomy
from onelook.types import LANGUAGE_PATTERN, Language

Location = tuple[str | int, ...]

# Which model a mapping is read as, by the top key that its keys lie under and by how deep they lie there.
MODELS: dict[tuple[str, int], type[BaseModel]] = {
    ("categories", 3): WrittenCategory,
    ("categories", 5): Attribute,
    ("shared", 3): Attribute,
}

EXPECTED = {
    "missing": "is missing",
    "string_type": 'expected text, got {input} (a number, yes/no or null needs quotes: "{input}")',
    "literal_error": "expected {expected}, got {input}",
    "too_short": "is empty, expected at least one entry",
    "dict_type": "expected a mapping (`key: value` lines), got {input}",
    "model_type": "expected a mapping (`key: value` lines), got {input}",
    "tuple_type": "expected a list, got {input}",
    ID_PATTERN: "bad id {input}, expected small letters, digits and _ after a first letter",
    ID_PATH_PATTERN: "bad id {input}, expected one such as unclear or animal.species.cat",
    LANGUAGE_PATTERN: "bad language {input}, expected a tag such as en, zh or pt-BR",
}
IS_LANGUAGE = re.compile(LANGUAGE_PATTERN)


class Mistake(NamedTuple):
    """One mistake: the keys that lead to it, what is wrong and what was expected, and the line if no key gives it.

    `kind`: what mistakes of the same kind have in common, so that they can be counted; None: its message.
    """

    location: Location
    message: str
    line: int | None = None
    kind: str | None = None


def check(document: object) -> tuple[Taxonomy | None, list[Mistake]]:
    """The taxonomy, if the document has the shape of one, and every mistake of the document.

    Without `languages` its languages are those of its labels.
    """
    if isinstance(document, Mapping) and "languages" not in document:
        document = {**document, "languages": languages_of(document)}
    try:
        written = WrittenTaxonomy.model_validate(document)
    except ValidationError as error:
        return None, [*_shape(error), *_meaning(document)]
    mistakes = list(_meaning(document))
    return (None if mistakes else written.expanded()), mistakes


def languages_of(document: Mapping[str, object]) -> list[Language]:
    """The languages that at least half of the texts have, in the order in which the document first uses them.

    Fewer is more likely a slip: `{en: cat, fr: chat}` in a file that has no other French text is a mistake there, and
    not one in every other place. English where there are no texts, which is a mistake of its own.
    """
    texts = [text for text in _texts(document) if isinstance(text, Mapping)]
    counts = Counter(language for text in texts for language in map(str, text) if IS_LANGUAGE.match(language))
    common = [language for language, count in counts.items() if 2 * count >= len(texts)]
    return common or [language for language, _ in counts.most_common(1)] or ["en"]


def _texts(document: Mapping[str, object]) -> Iterator[object]:
    """Everything in a document that is written in several languages, in its order."""
    for attribute in _mapping(document.get("shared")).values():
        yield from _attribute_texts(attribute)
    for category in _mapping(document.get("categories")).values():
        yield _mapping(category).get("label")
        yield _mapping(category).get("when")
        for attribute in _mapping(_mapping(category).get("details")).values():
            yield from _attribute_texts(attribute)


def _attribute_texts(attribute: object) -> Iterator[object]:
    yield _mapping(attribute).get("label")
    yield from _mapping(_mapping(attribute).get("options")).values()


def _shape(error: ValidationError) -> Iterator[Mistake]:
    for detail in error.errors(include_url=False):
        location = tuple(key for key in detail["loc"] if key != "[key]")
        yield Mistake(location, _message(detail, location), kind=f"{detail['type']} {len(location)}")


def _message(detail: ErrorDetails, location: Location) -> str:
    if detail["type"] == "extra_forbidden":
        model = MODELS.get((str(location[0]), len(location)), WrittenTaxonomy)
        return _unknown_key(str(location[-1]), list(model.model_fields))
    context = detail.get("ctx", {})
    known = EXPECTED.get(context.get("pattern", detail["type"]))
    if known is None:
        return detail["msg"]
    value = detail["input"]
    shown = "nothing" if value is None else f"'{value}'" if isinstance(value, str) else f"{value!r:.60}"
    return known.format(input=shown, expected=context.get("expected"))


def _unknown_key(key: str, known: list[str]) -> str:
    return f"unknown key, expected one of {', '.join(known)}{_meant(key, known)}"


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _meaning(document: object) -> Iterator[Mistake]:
    root = _mapping(document)
    declared = root.get("languages")
    if not isinstance(declared, list | tuple):
        return
    if len(set(map(str, declared))) < len(declared):
        yield Mistake(("languages",), "names a language twice")
    languages = [language for language in map(str, declared) if IS_LANGUAGE.match(language)]

    shared = _mapping(root.get("shared"))
    for attribute_id, attribute in shared.items():
        yield from _attribute(("shared", attribute_id), _mapping(attribute), languages)
    categories = _mapping(root.get("categories"))
    yield from _unused(shared, categories)
    yield from _duplicates(("categories",), categories, "label")
    for category_id, category in categories.items():
        at: Location = ("categories", category_id)
        yield from _languages((*at, "label"), category, languages)
        yield from _languages((*at, "when"), category, languages)
        details = _mapping(_mapping(category).get("details"))
        yield from _duplicates((*at, "details"), details, "label")
        for attribute_id, attribute in details.items():
            yield from _attribute((*at, "details", attribute_id), _mapping(attribute), languages)
        yield from _shared(at, _mapping(category), shared)
    yield from _not_keywords(root.get("not_keywords"), shared, categories)


def _not_keywords(given: object, shared: Mapping[str, object], categories: Mapping[str, object]) -> Iterator[Mistake]:
    """One that names nothing is a slip: it would leave nothing out."""
    if not isinstance(given, list | tuple):
        return
    paths = list(_paths(shared, categories))
    known = dict.fromkeys(name for path in paths for name in (path[-1], ".".join(path)))
    for index, each in enumerate(given):
        if isinstance(each, str) and not any(is_part(each, path) for path in paths):
            message = f"no category, attribute or option {each!r}{_meant(each, known)}"
            yield Mistake(("not_keywords", index), message, kind="no such id")


def _paths(shared: Mapping[str, object], categories: Mapping[str, object]) -> Iterator[tuple[str, ...]]:
    """The ids that lead to each category, attribute and option."""
    for category_id, category in categories.items():
        yield (category_id,)
        named = {name: shared.get(name) for name in _names(category)}
        for attribute_id, attribute in {**_mapping(_mapping(category).get("details")), **named}.items():
            yield category_id, attribute_id
            for option_id in _mapping(_mapping(attribute).get("options")):
                yield category_id, attribute_id, option_id


def _unused(shared: Mapping[str, object], categories: Mapping[str, object]) -> Iterator[Mistake]:
    """An attribute that is asked about nowhere is more likely a name that was forgotten than one that is meant."""
    named = {name for category in categories.values() for name in _names(category)}
    for attribute_id in shared:
        if attribute_id not in named:
            message = f"no category names it, expected `shared: [{attribute_id}]` in the categories that have it"
            yield Mistake(("shared", attribute_id), message, kind="not named")


def _shared(at: Location, category: Mapping[str, object], shared: Mapping[str, object]) -> Iterator[Mistake]:
    """The names of shared attributes in a category, and its own attributes that could be mistaken for shared ones."""
    details, names = _mapping(category.get("details")), _names(category)
    for attribute_id in details:
        if attribute_id in shared:
            message = (
                f"is the id of an attribute in `shared`: rename this one, or remove it and write `{attribute_id}` in"
                " the category's `shared`"
            )
            yield Mistake((*at, "details", attribute_id), message, kind="own and shared")
    labels = {
        (language, label.casefold()): attribute_id
        for attribute_id, attribute in details.items()
        for language, label in _mapping(_mapping(attribute).get("label")).items()
        if isinstance(label, str)
    }
    for index, name in enumerate(names):
        where: Location = (*at, "shared", index)
        if name not in shared:
            known = f"expected one of {', '.join(shared)}" if shared else "the document has no `shared`"
            yield Mistake(where, f"no shared attribute {name!r}, {known}{_meant(name, shared)}", kind="no such name")
        elif name in names[:index]:
            yield Mistake(where, f"names {name} a second time")
        for language, label in _mapping(_mapping(shared.get(name)).get("label")).items():
            other = labels.setdefault((language, str(label).casefold()), name)
            if other != name:
                message = f"{name} has the label of {other} in {language}, expected one of its own"
                yield Mistake(where, message, kind="the same label")


def _names(category: object) -> list[str]:
    """The shared attributes that a category names; what is no list of names has been reported already."""
    names = _mapping(category).get("shared")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list | tuple) else []


def _attribute(at: Location, attribute: Mapping[str, object], languages: list[Language]) -> Iterator[Mistake]:
    yield from _languages((*at, "label"), attribute, languages)
    options = _mapping(attribute.get("options"))
    yield from _duplicates((*at, "options"), options)
    for option_id in options:
        yield from _languages((*at, "options", option_id), options, languages)
    if attribute.get("choose") == "one" and len(options) == 1:
        yield Mistake((*at, "options"), "has one option, so there is nothing to choose")


def _languages(at: Location, parent: object, languages: list[Language]) -> Iterator[Mistake]:
    """Every text in exactly the declared languages."""
    texts = _mapping(parent).get(str(at[-1]))
    if not isinstance(texts, Mapping):
        return
    missing = [language for language in languages if language not in texts]
    extra = [language for language in map(str, texts) if IS_LANGUAGE.match(language) and language not in languages]
    if missing:
        yield Mistake(at, f"has no text in {' and '.join(missing)}")
    if extra:
        yield Mistake(at, f"has text in {' and '.join(extra)}; expected {' and '.join(languages)} only, as elsewhere")


def _duplicates(at: Location, entries: Mapping[str, object], key: str | None = None) -> Iterator[Mistake]:
    """Two entries that a reader cannot tell apart; capital letters do not count, a model does not keep them apart."""
    seen: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entry_id, entry in entries.items():
        labels = _mapping(_mapping(entry).get(key) if key else entry)
        for language, label in labels.items():
            if isinstance(label, str):
                seen[language, label.casefold()].append(entry_id)
    for (language, _), ids in seen.items():
        for entry_id in ids[1:]:
            where = (*at, entry_id, key, language) if key else (*at, entry_id, language)
            yield Mistake(where, f"has the label of {ids[0]}, expected one of its own", kind="the same label")


def _mapping(value: object) -> Mapping[str, object]:
    """The value if it is a mapping, else an empty one: a wrong shape has been reported already."""
    return value if isinstance(value, Mapping) else {}
