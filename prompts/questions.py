"""Every question that an arm may ask, made once from taxonomy, language and templates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from onelook.errors import PromptError, SettingsError
from onelook.prompts.languages import TEMPLATES, folder_of, hint, separators
from onelook.prompts.letter_choices import OneOf, Render, YesNo
from onelook.prompts.question import LetterChoice, Question
from onelook.prompts.rendering import Templates
from onelook.prompts.replies.compact import CompactCodec, choose_separator
from onelook.prompts.replies.free_text import FreeTextCodec
from onelook.prompts.replies.json_reply import JsonCodec
from onelook.prompts.replies.reading import Codec
from onelook.prompts.replies.scope import Scope
from onelook.prompts.shared_attributes import SharedAttributes, shared_attributes
from onelook.prompts.taxonomy.model import Attribute, Category, Taxonomy
from onelook.settings.hints import set_to
from onelook.types import Language, ReplyFormat

CODECS: Mapping[ReplyFormat, Callable[[Scope, str], Codec]] = {
    "json": lambda scope, separator: JsonCodec(scope),
    "compact": CompactCodec,
}
"""Per format of a reply the codec that writes and reads it, given the question and the separator of compact values."""


class Prompts:
    """The questions of one taxonomy in one language.

    Two families. The guided one (`fused`, `category`, `details`, and the choices by letters) shares one system prompt,
    which holds the taxonomy, and has the pictures before the question. The legacy one is as found in the field: each
    question repeats what it needs, before the picture, and the reply is free text.

    Every text is rendered here: a template that is missing or wrong fails now, and the version covers all texts. What
    a reply may look like is worked out when a question is first asked.
    """

    def __init__(self, taxonomy: Taxonomy, language: Language, templates: Path = TEMPLATES) -> None:
        """`templates`: a folder with one folder of templates for each language, or with the templates themselves.

        Raises:
            SettingsError: the taxonomy has no labels in this language.
            PromptError: a template is missing or wrong.
        """
        if language not in taxonomy.languages:
            raise SettingsError(
                f"taxonomy {taxonomy.name} has no labels in {language}, only in {', '.join(taxonomy.languages)}",
                hint=f"{set_to(ONELOOK_RUN__LANGUAGE=taxonomy.languages[0])}; or add labels to the taxonomy",
            )
        self.taxonomy = taxonomy
        self.language: Language = language
        separator = choose_separator(taxonomy, language, separators(language, templates))
        self._templates = Templates(
            _folder(taxonomy, language, templates),
            templates,
            taxonomy=taxonomy,
            language=language,
            separator=separator,
        )
        self.system, self.shared = self._system()
        everything, category_alone = Scope.everything(taxonomy, language), Scope.category(taxonomy, language)
        details = {id_: Scope.details(taxonomy, language, id_) for id_, _ in self._detailed()}
        shapes = {id_: _shape(category) for id_, category in self._detailed()}

        self._fused: dict[ReplyFormat, Question] = {}
        self._category: dict[ReplyFormat, Question] = {}
        self._details: dict[tuple[str, ReplyFormat], Question] = {}
        for reply_format, codec in CODECS.items():
            self._fused[reply_format] = self._guided(f"fused_{reply_format}", codec(everything, separator))
            self._category[reply_format] = self._guided(f"category_{reply_format}", codec(category_alone, separator))
            for id_, category in self._detailed():
                self._details[id_, reply_format] = self._guided(
                    f"details_{reply_format}", codec(details[id_], separator), category=category, shape=shapes[id_]
                )
        self._legacy_category = self._legacy("legacy_category", category_alone)
        self._legacy_details = {
            id_: self._legacy("legacy_details", details[id_], category=category, shape=shapes[id_])
            for id_, category in self._detailed()
        }
        self._category_choice = OneOf(
            f"taxonomy {taxonomy.name}", None, taxonomy.labels(language), self._lettered("read_category")
        )
        self._attribute_choices = {
            (id_, attribute_id): self._choices_of(id_, category, attribute_id, attribute)
            for id_, category in self._detailed()
            for attribute_id, attribute in category.details.items()
        }
        self._zero_shot = {
            id_: self._templates.render("zero_shot", category=category) for id_, category in taxonomy.categories.items()
        }
        self.version = sha256(json.dumps(list(self._texts())).encode()).hexdigest()[:12]

    def fused(self, reply_format: ReplyFormat) -> Question:
        """Category and details in one reply."""
        return self._fused[reply_format]

    def category(self, reply_format: ReplyFormat) -> Question:
        """The primary category alone (L1)."""
        return self._category[reply_format]

    def details(self, category_id: str, reply_format: ReplyFormat) -> Question:
        """The details of a category that is known (L2).

        Raises:
            KeyError: no such category, or one without details.
        """
        return self._details[category_id, reply_format]

    def legacy_category(self, parse_error: str | None = None) -> Question:
        """L1 as found in the field; `parse_error` says why the last reply could not be read, when it is asked again."""
        return self._again(self._legacy_category, parse_error)

    def legacy_details(self, category_id: str, parse_error: str | None = None) -> Question:
        """L2 as found in the field.

        Raises:
            KeyError: no such category, or one without details.
        """
        return self._again(self._legacy_details[category_id], parse_error)

    def category_choice(self, *, debias: bool = False) -> LetterChoice:
        """Which category, by letters. `debias`: in both orders of the options.

        Raises:
            PromptError: there are more categories than letters tell apart.
        """
        return self._category_choice.choice(debias=debias)

    def attribute_choices(
        self, category_id: str, attribute_id: str, *, debias: bool = False
    ) -> tuple[LetterChoice, ...]:
        """The one of a `choose: one`; yes or no to each option, in taxonomy order, of a `choose: many`.

        Raises:
            KeyError: no such category or attribute.
            PromptError: a `choose: one` has more options than letters tell apart.
        """
        return tuple(each.choice(debias=debias) for each in self._attribute_choices[category_id, attribute_id])

    def refuse_too_many_options(self) -> None:
        """Raises `PromptError` if a choice has more options than letters tell apart."""
        self.category_choice()
        for category_id, category in self._detailed():
            for attribute_id in category.details:
                self.attribute_choices(category_id, attribute_id)

    def zero_shot(self) -> Mapping[str, str]:
        """Per category id a sentence that describes its pictures, for a zero-shot image classifier."""
        return self._zero_shot

    def _detailed(self) -> list[tuple[str, Category]]:
        return [(id_, category) for id_, category in self.taxonomy.categories.items() if category.details]

    def _system(self) -> tuple[str, tuple[str, ...]]:
        """The taxonomy as the model reads it; and the ids of the attributes that it writes once, if that is shorter."""
        in_full = self._templates.render("system", shared=SharedAttributes())
        found = shared_attributes(self.taxonomy)
        apart = self._templates.render("system", shared=found) if found.attributes else in_full
        return (apart, tuple(found.attributes)) if len(apart) < len(in_full) else (in_full, ())

    def _texts(self) -> Iterator[str]:
        """Every text once, for the version. Backwards, a question has the same words."""
        yield self.system
        for reply_format in CODECS:
            yield self._fused[reply_format].text
            yield self._category[reply_format].text
            yield from (self._details[id_, reply_format].text for id_, _ in self._detailed())
        yield self._legacy_category.text
        yield from (question.text for question in self._legacy_details.values())
        yield self._templates.render("legacy_retry", parse_error="")
        lettered = [self._category_choice, *(each for choices in self._attribute_choices.values() for each in choices)]
        for debias in (False, True):  # in one question; then in groups, which debias needs for fewer options already
            for each in lettered:
                if not each.too_many and (choice := each.choice(debias=debias)).in_groups == debias:
                    yield from (part[0].text for part in choice.parts)
        yield from self._zero_shot.values()

    def _guided(self, template: str, codec: Codec, **variables: object) -> Question:
        return Question(self._templates.render(template, **variables), codec, system=self.system)

    def _legacy(self, template: str, scope: Scope, **variables: object) -> Question:
        return Question(self._templates.render(template, **variables), FreeTextCodec(scope), text_first=True)

    def _lettered(self, template: str, **variables: object) -> Render:
        return lambda codec, options: self._guided(template, codec, options=options.items(), **variables)

    def _again(self, question: Question, parse_error: str | None) -> Question:
        if parse_error is None:
            return question
        return replace(
            question, text=f"{question.text}\n\n{self._templates.render('legacy_retry', parse_error=parse_error)}"
        )

    def _choices_of(
        self, category_id: str, category: Category, attribute_id: str, attribute: Attribute
    ) -> list[OneOf] | list[YesNo]:
        labels = attribute.labels(self.language)
        about = {"category": category, "attribute": attribute}
        if attribute.choose == "one":
            return [OneOf(f"{category_id}.{attribute_id}", attribute_id, labels, self._lettered("read_value", **about))]
        return [
            YesNo(attribute_id, option, self._lettered("read_option", option=label, **about))
            for option, label in labels.items()
        ]


def _folder(taxonomy: Taxonomy, language: Language, root: Path) -> Path:
    """The folder of the templates, once it is sure that those under `root` ask in any language of the taxonomy."""
    if not any(folder_of(each, root).is_relative_to(root) for each in taxonomy.languages):
        raise PromptError(
            f"{root}: has no templates in a language of taxonomy {taxonomy.name}: {', '.join(taxonomy.languages)}",
            hint=hint(root),
        )
    return folder_of(language, root)


def _shape(category: Category) -> str:
    """The details of a category as JSON, with dots for the labels."""
    values = {id_: "…" if attribute.choose == "one" else ["…"] for id_, attribute in category.details.items()}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
