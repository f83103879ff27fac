"""Every question that an arm may ask, made once from taxonomy, language and templates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from onelook.errors import PromptError, SettingsError
from onelook.prompts.languages import TEMPLATES, folder_of, hint, separators
from onelook.prompts.question import LetterChoice, Question
from onelook.prompts.rendering import Templates
from onelook.prompts.replies.compact import CompactCodec, choose_separator
from onelook.prompts.replies.free_text import FreeTextCodec
from onelook.prompts.replies.json_reply import JsonCodec
from onelook.prompts.replies.letters import (
    LETTERS,
    MOST_OPTIONS,
    MOST_PROBABILITIES,
    GroupCodec,
    GroupedCodec,
    LetterCodec,
    OptionOfGroupCodec,
    YesNoCodec,
    groups_of,
    too_many,
)
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

    Two families. The guided one (`fused`, `category`, `details`, `read_*`) shares one system prompt, which holds the
    taxonomy, and has the pictures before the question. The legacy one is as found in the field: each question repeats
    what it needs, before the picture, and the reply is free text.

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
        self._texts: list[str] = []
        self.shared: tuple[str, ...] = ()  # ids of the attributes that the system prompt writes once
        self.system = self._system()
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
        self._text("legacy_retry", parse_error="")
        self._read_category = {backwards: self._read_categories(backwards) for backwards in (False, True)}
        self._read_attribute = {
            (id_, attribute_id, backwards): self._read_values(category, attribute_id, attribute, backwards)
            for id_, category in self._detailed()
            for attribute_id, attribute in category.details.items()
            for backwards in (False, True)
        }
        self._choices: dict[tuple[str | None, str | None, bool], LetterChoice] = {}
        self._texts += [part.text for choice in self._choices_in_groups() for part in choice.parts]
        self._zero_shot = {
            id_: self._text("zero_shot", category=category) for id_, category in taxonomy.categories.items()
        }
        self.version = sha256(json.dumps(self._texts).encode()).hexdigest()[:12]

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

    def read_category(self, *, backwards: bool = False) -> Question:
        """Which category, answered by one letter. `backwards`: with the options in reverse order.

        Raises:
            PromptError: one question cannot have so many options (`category_choice` asks in parts).
        """
        question = self._read_category[backwards]
        if question is None:
            raise too_many(f"taxonomy {self.taxonomy.name}", len(self.taxonomy.categories), in_parts=False)
        return question

    def read_attribute(self, category_id: str, attribute_id: str, *, backwards: bool = False) -> tuple[Question, ...]:
        """One question for a `choose: one`; one yes/no question per option, in taxonomy order, for a `choose: many`.

        `backwards`: each with the options in reverse order, yes and no among them.

        Raises:
            KeyError: no such category or attribute.
            PromptError: one question cannot have the options of a `choose: one` (`attribute_choices` asks in parts).
        """
        questions = self._read_attribute[category_id, attribute_id, backwards]
        if questions is None:
            options = self.taxonomy.categories[category_id].details[attribute_id].options
            raise too_many(f"{category_id}.{attribute_id}", len(options), in_parts=False)
        return questions

    def category_choice(self, *, backwards: bool = False, debias: bool = False) -> LetterChoice:
        """Which category, by letters. `debias`: the probability of each letter is needed, so there are fewer.

        Raises:
            PromptError: there are more categories than letters tell apart.
        """
        return self._choice(None, None, backwards, debias)

    def attribute_choices(
        self, category_id: str, attribute_id: str, *, backwards: bool = False, debias: bool = False
    ) -> tuple[LetterChoice, ...]:
        """As `read_attribute`, for any number of options that letters tell apart.

        Raises:
            KeyError: no such category or attribute.
            PromptError: a `choose: one` has more options than letters tell apart.
        """
        attribute = self.taxonomy.categories[category_id].details[attribute_id]
        if attribute.choose == "many":
            return tuple(map(LetterChoice.of, self.read_attribute(category_id, attribute_id, backwards=backwards)))
        return (self._choice(category_id, attribute_id, backwards, debias),)

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

    def _system(self) -> str:
        """The taxonomy as the model reads it: with the shared attributes apart, where that is shorter."""
        in_full = self._templates.render("system", shared=SharedAttributes())
        found = shared_attributes(self.taxonomy)
        apart = self._templates.render("system", shared=found) if found.attributes else in_full
        self.shared = tuple(found.attributes) if len(apart) < len(in_full) else ()
        self._texts.append(apart if self.shared else in_full)
        return self._texts[-1]

    def _text(self, template: str, **variables: object) -> str:
        self._texts.append(self._templates.render(template, **variables))
        return self._texts[-1]

    def _guided(self, template: str, codec: Codec, **variables: object) -> Question:
        return Question(self._text(template, **variables), codec, system=self.system)

    def _legacy(self, template: str, scope: Scope, **variables: object) -> Question:
        return Question(self._text(template, **variables), FreeTextCodec(scope), text_first=True)

    def _again(self, question: Question, parse_error: str | None) -> Question:
        if parse_error is None:
            return question
        return replace(
            question, text=f"{question.text}\n\n{self._templates.render('legacy_retry', parse_error=parse_error)}"
        )

    def _read_categories(self, backwards: bool) -> Question | None:
        """None where there are more categories than letters."""
        labels = self.taxonomy.labels(self.language)
        if len(labels) > len(LETTERS):
            return None
        return self._read("read_category", None, labels, backwards)

    def _read_values(
        self, category: Category, attribute_id: str, attribute: Attribute, backwards: bool
    ) -> tuple[Question, ...] | None:
        labels = attribute.labels(self.language)
        asked = {"category": category, "attribute": attribute}
        if attribute.choose == "many":
            codecs = [YesNoCodec(attribute_id, option, backwards=backwards) for option in labels]
            return tuple(
                self._lettered("read_option", codec, backwards, codec.options, option=labels[codec.option], **asked)
                for codec in codecs
            )
        if len(labels) > len(LETTERS):
            return None
        return (self._read("read_value", attribute_id, labels, backwards, **asked),)

    def _choice(self, category_id: str | None, attribute_id: str | None, backwards: bool, debias: bool) -> LetterChoice:
        """That of a category, where both ids are None, or of a `choose: one`."""
        if category_id is None or attribute_id is None:
            template, labels, about = "read_category", self.taxonomy.labels(self.language), dict[str, object]()
            what = f"taxonomy {self.taxonomy.name}"
        else:
            category = self.taxonomy.categories[category_id]
            attribute = category.details[attribute_id]
            template, labels = "read_value", attribute.labels(self.language)
            about, what = {"category": category, "attribute": attribute}, f"{category_id}.{attribute_id}"
        if len(labels) > MOST_OPTIONS:
            raise too_many(what, len(labels), in_parts=True)
        if len(labels) <= (MOST_PROBABILITIES if debias else len(LETTERS)):
            if category_id is None or attribute_id is None:
                return LetterChoice.of(self.read_category(backwards=backwards))
            return LetterChoice.of(*self.read_attribute(category_id, attribute_id, backwards=backwards))
        key = category_id, attribute_id, backwards
        if key not in self._choices:
            self._choices[key] = self._in_groups(template, attribute_id, labels, backwards, about)
        return self._choices[key]

    def _choices_in_groups(self) -> Iterator[LetterChoice]:
        """Those that have too many options for one question, and not too many for letters."""
        if len(LETTERS) < len(self.taxonomy.categories) <= MOST_OPTIONS:
            yield self.category_choice()
        for category_id, category in self._detailed():
            for attribute_id, attribute in category.details.items():
                if attribute.choose == "one" and len(LETTERS) < len(attribute.options) <= MOST_OPTIONS:
                    yield from self.attribute_choices(category_id, attribute_id)

    def _in_groups(
        self,
        template: str,
        attribute_id: str | None,
        labels: Mapping[str, str],
        backwards: bool,
        about: Mapping[str, object],
    ) -> LetterChoice:
        """The parts of a choice with many options, in the template's words for one with few."""
        way = -1 if backwards else 1
        groups = groups_of(tuple(labels))
        which = GroupCodec(attribute_id, groups[::way])
        codecs: list[Codec] = [which, *(OptionOfGroupCodec(attribute_id, group[::way]) for group in groups)]
        listed = [
            {letter: "/".join(labels[option] for option in group) for letter, group in which.options.items()},
            *(dict(zip(LETTERS, [labels[option] for option in group[::way]], strict=False)) for group in groups),
        ]
        parts = tuple(
            Question(self._templates.render(template, options=options.items(), **about), codec, system=self.system)
            for codec, options in zip(codecs, listed, strict=True)
        )
        return LetterChoice(parts, Question("", GroupedCodec(attribute_id, groups), system=self.system))

    def _read(
        self, template: str, attribute_id: str | None, labels: Mapping[str, str], backwards: bool, **variables: object
    ) -> Question:
        codec = LetterCodec(attribute_id, tuple(labels)[:: -1 if backwards else 1])
        options = {letter: labels[option] for letter, option in codec.options.items()}
        return self._lettered(template, codec, backwards, options, **variables)

    def _lettered(
        self, template: str, codec: Codec, backwards: bool, options: Mapping[str, object], **variables: object
    ) -> Question:
        """The version covers a question once: backwards, its words are the same."""
        text = self._templates.render(template, options=options.items(), **variables)
        if not backwards:
            self._texts.append(text)
        return Question(text, codec, system=self.system)


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
