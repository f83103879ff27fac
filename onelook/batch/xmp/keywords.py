"""From a result to keywords: the category and each of its details, as paths of labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from onelook.batch.xmp.labels import clean, line
from onelook.errors import SettingsError
from onelook.prompts.taxonomy.model import Attribute, Category, Labels, NotKeyword, Taxonomy, is_part
from onelook.result import SureTags, TagResult
from onelook.types import Language, Probability, Tag

ROOT: Final = "onelook"


@dataclass(frozen=True, slots=True)
class Keyword:
    """`path`: its labels from the root on, each cleaned. `id`: `animal`, or `animal.species.cat`. `confidence`: with
    four decimals; None where it is unknown."""

    path: tuple[str, ...]
    id: str
    confidence: str | None

    @property
    def flat(self) -> str:
        """For lists that know no levels."""
        return self.path[-1]


@dataclass(frozen=True, slots=True)
class PictureTags:
    """What is known of one picture: its file's name, what answered, and the keywords."""

    picture: str
    model: str
    taxonomy: str
    keywords: tuple[Keyword, ...]


@dataclass(frozen=True, slots=True)
class KeywordChoices:
    """`min_confidence`: see `TagResult.tags_at`; 0: every tag, also one of unknown confidence. `languages`: of the
    labels that are written; none: that of the result. `root`: the level above all of ours; empty: none. `leave_out`: as
    `Taxonomy.not_keywords`, and beside it."""

    min_confidence: Probability = 0.85
    languages: Sequence[Language] = ()
    root: str = ROOT
    leave_out: Sequence[NotKeyword] = ()

    def check(self, taxonomy: Taxonomy) -> None:
        """Raises `SettingsError` for a language that the taxonomy has no labels in, a root with a separator, or an id
        to leave out that it does not have."""
        for name in self.leave_out:
            if not any(is_part(name, path) for path in taxonomy.paths()):
                raise SettingsError(
                    f"the taxonomy has no category, attribute or option {name!r}",
                    hint="--leave-out takes an id, such as unclear or animal.count: `onelook taxonomy show` lists them",
                )
        for language in self.languages:
            if language not in taxonomy.languages:
                raise SettingsError(
                    f"the taxonomy has no labels in {language}: it has {', '.join(taxonomy.languages)}",
                    hint="name one of them with --language, or add labels to the taxonomy",
                )
        if clean(self.root) != self.root:
            raise SettingsError(
                f"the root {self.root!r} has a separator, a control character or spaces at its ends",
                hint="name one plain word with --root",
            )


def picture_tags(picture: str, result: TagResult, taxonomy: Taxonomy, choices: KeywordChoices) -> PictureTags | None:
    """The keywords of a picture; None where there are none, or not even the category is sure."""
    if choices.min_confidence == 0:
        sure = SureTags(category=result.category, details=result.details)
    else:
        sure = result.tags_at(choices.min_confidence)
    if sure.category is None:
        return None
    keywords = dict[tuple[str, ...], Keyword]()  # a label may be the same in two languages
    left_out = (*taxonomy.not_keywords, *choices.leave_out)
    for language in choices.languages or (result.language,):
        for levels, id_, tag in _paths(sure.category, sure, taxonomy, language):
            if any(is_part(each, id_.split(".")) for each in left_out):
                continue
            path = tuple(filter(None, (choices.root, *levels)))
            keywords.setdefault(path, Keyword(path, id_, None if tag.confidence is None else f"{tag.confidence:.4f}"))
    if not keywords:
        return None
    return PictureTags(picture, line(result.model), line(result.versions.taxonomy), tuple(keywords.values()))


def _paths(
    tag: Tag, sure: SureTags, taxonomy: Taxonomy, language: Language
) -> Iterator[tuple[tuple[str, ...], str, Tag]]:
    category: Category | None = taxonomy.categories.get(tag.id)
    top = _label(None if category is None else category.label, tag, language)
    yield (top,), tag.id, tag
    for name, options in sure.details.items():
        attribute: Attribute | None = None if category is None else category.details.get(name)
        middle = _label(None if attribute is None else attribute.label, Tag(id=name, label=name), language)
        for option in options:
            labels = None if attribute is None else attribute.options.get(option.id)
            yield (top, middle, _label(labels, option, language)), f"{tag.id}.{name}.{option.id}", option


def _label(labels: Labels | None, tag: Tag, language: Language) -> str:
    """The taxonomy's label, which may have been renamed since; what it does not have keeps the result's."""
    return clean((labels or {}).get(language, tag.label)) or tag.id
