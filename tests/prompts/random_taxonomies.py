"""Random taxonomies that a user could have written, with labels that begin alike, and answers in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from string import ascii_lowercase, digits
from typing import Any
from unicodedata import normalize

from hypothesis import reject
from hypothesis import strategies as st

from onelook.errors import TaxonomyError
from onelook.prompts.languages import TEMPLATES, separators
from onelook.prompts.replies.compact import CompactCodec, choose_separator
from onelook.prompts.replies.scope import Scope
from onelook.prompts.taxonomy.document import parse_taxonomy
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.types import LANGUAGE_PATTERN, Answer, Language

# Few letters, so that labels often begin alike; or every sign of regular expressions and of both reply formats.
# Thai has no templates of its own.
FEW: dict[Language, str] = {"zh": "人像猫", "en": "ab ", "de": "aäß ", "ja": "ねこ猫", "es": "nñ ", "th": "กข"}
MANY: dict[Language, str] = {
    "zh": "人像猫头鹰-,|a.",
    "en": "ab C-,|.*+?()[]{}^$/'é😀",
    "de": "aäßẞÄ C-,|.„“",
    "ja": "ねこ猫ー・Ａ１（）-,|a",
    "es": "nñÑé C-,|.¿«»",
    "th": "กขแา๑-,| a",
}
# For languages that have no alphabet above: any letter, mark, digit or sign that a label may hold.
ANYTHING = st.characters(exclude_categories=["C", "Z"], exclude_characters='"\\')
LANGUAGES = st.lists(st.sampled_from(list(FEW)), min_size=1, max_size=2, unique=True)
ANY_LANGUAGES = st.lists(st.from_regex(LANGUAGE_PATTERN, fullmatch=True), min_size=1, max_size=3, unique=True)
IDS = st.builds(str.__add__, st.sampled_from(ascii_lowercase), st.text(ascii_lowercase + digits + "_", max_size=3))


@st.composite
def labels(draw: st.DrawFn, count: int, languages: Sequence[Language]) -> list[dict[Language, str]]:
    """Labels of so many siblings, in each of the languages."""
    alphabets = draw(st.sampled_from([FEW, MANY]))
    columns = {
        language: draw(
            st.lists(
                st.text(alphabets.get(language, ANYTHING), min_size=1, max_size=4)
                .map(lambda text: normalize("NFC", text))
                .filter(lambda text: text == text.strip() and text.isprintable()),
                min_size=count,
                max_size=count,
                unique_by=str.casefold,
            )
        )
        for language in languages
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@st.composite
def attributes(draw: st.DrawFn, languages: Sequence[Language]) -> dict[str, Any]:
    choose = draw(st.sampled_from(["one", "many"]))
    options = draw(st.lists(IDS, min_size=2 if choose == "one" else 1, max_size=4, unique=True))
    return {"choose": choose, "options": dict(zip(options, draw(labels(len(options), languages)), strict=True))}


@st.composite
def documents(draw: st.DrawFn, languages: st.SearchStrategy[list[Language]] = LANGUAGES) -> dict[str, Any]:
    categories = draw(st.lists(IDS, min_size=draw(st.integers(1, 3)), max_size=4, unique=True))
    tags = draw(languages)
    shared = [f"shared_{number}" for number in range(draw(st.integers(0, 2)))]
    document: dict[str, Any] = {"name": "random", "languages": tags, "categories": {}}
    if shared:
        document["shared"] = {id_: draw(attributes(tags)) | {"label": dict.fromkeys(tags, f"#{id_}")} for id_ in shared}
    for category_id, label in zip(categories, draw(labels(len(categories), tags)), strict=True):
        details = draw(st.dictionaries(IDS, attributes(tags), min_size=draw(st.integers(0, 2)), max_size=3))
        names = draw(labels(len(details), tags))
        document["categories"][category_id] = {
            "label": label,
            "when": dict.fromkeys(tags, "any"),
            "details": {
                id_: attribute | {"label": name} for (id_, attribute), name in zip(details.items(), names, strict=True)
            },
            "shared": [id_ for id_ in shared if category_id == categories[0] or draw(st.booleans())],
        }
    return document


def large_document(
    categories: int = 40, attributes: int = 8, options: int = 8, languages: Sequence[Language] = ("en",)
) -> dict[str, Any]:
    """A taxonomy of that size, with every second attribute a `choose: many`."""

    def words(text: str) -> dict[Language, str]:
        return dict.fromkeys(languages, text)

    def attribute(category: int, number: int) -> dict[str, Any]:
        return {
            "label": words(f"attribute {category} {number}"),
            "choose": "many" if number % 2 else "one",
            "options": {f"option_{each}": words(f"option {category} {number} {each}") for each in range(options)},
        }

    return {
        "name": "large",
        "languages": list(languages),
        "categories": {
            f"category_{number}": {
                "label": words(f"category {number:02}"),
                "when": words(f"a picture of {number:02}"),
                "details": {f"attribute_{each}": attribute(number, each) for each in range(attributes)},
            }
            for number in range(categories)
        },
    }


def compact(scope: Scope) -> CompactCodec:
    """The codec of compact replies, with the separator that the bundled templates choose."""
    choices = separators(scope.language, TEMPLATES)
    return CompactCodec(scope, choose_separator(scope.taxonomy, scope.language, choices))


@st.composite
def taxonomies(draw: st.DrawFn, languages: st.SearchStrategy[list[Language]] = LANGUAGES) -> Taxonomy:
    """Those that the loader takes: no labels that a compact reply cannot tell apart."""
    try:
        return parse_taxonomy(draw(documents(languages)))
    except TaxonomyError:
        reject()


@st.composite
def scopes(draw: st.DrawFn) -> Scope:
    taxonomy = draw(taxonomies())
    language = draw(st.sampled_from(taxonomy.languages))
    detailed = [id_ for id_, category in taxonomy.categories.items() if category.details]
    return draw(
        st.sampled_from(
            [Scope.everything(taxonomy, language), Scope.category(taxonomy, language)]
            + [Scope.details(taxonomy, language, id_) for id_ in detailed]
        )
    )


@st.composite
def answers(draw: st.DrawFn, scope: Scope) -> Answer:
    """An answer in taxonomy order, as readers return it."""
    category = draw(st.sampled_from(scope.categories))
    details: dict[str, tuple[str, ...]] = {}
    for attribute_id, attribute in scope.attributes(category).items():
        options = list(attribute.options)
        if attribute.choose == "one":
            details[attribute_id] = (draw(st.sampled_from(options)),)
        else:
            details[attribute_id] = tuple(option for option in options if draw(st.booleans()))
    return Answer(category=category, details=details)


def all_answers(scope: Scope) -> Iterator[Answer]:
    """Every answer there is."""
    for category in scope.categories:
        attributes = scope.attributes(category)
        sizes = {id_: [1] if a.choose == "one" else range(len(a.options) + 1) for id_, a in attributes.items()}
        values = [
            [chosen for size in sizes[id_] for chosen in combinations(attribute.options, size)]
            for id_, attribute in attributes.items()
        ]
        for chosen in product(*values):
            yield Answer(category=category, details=dict(zip(attributes, chosen, strict=True)))
