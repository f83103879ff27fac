"""What a question asks for: everything, the category alone, or the details of a category that is known already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from onelook.prompts.taxonomy.model import Attribute, Taxonomy
from onelook.types import Answer, Language

Part = Literal["everything", "category", "details"]


@dataclass(frozen=True, slots=True)
class Scope:
    """The replies to one question: for each category in `categories`, its label and the values of its attributes."""

    taxonomy: Taxonomy
    language: Language
    part: Part
    categories: tuple[str, ...]

    @classmethod
    def everything(cls, taxonomy: Taxonomy, language: Language) -> Scope:
        return cls(taxonomy, language, "everything", tuple(taxonomy.categories))

    @classmethod
    def category(cls, taxonomy: Taxonomy, language: Language) -> Scope:
        return cls(taxonomy, language, "category", tuple(taxonomy.categories))

    @classmethod
    def details(cls, taxonomy: Taxonomy, language: Language, category: str) -> Scope:
        return cls(taxonomy, language, "details", (category,))

    def label(self, category: str) -> str:
        return self.taxonomy.categories[category].label[self.language]

    def attributes(self, category: str) -> Mapping[str, Attribute]:
        """The attributes that a reply gives for this category, in the order in which it gives them."""
        return {} if self.part == "category" else self.taxonomy.categories[category].details

    def values(self, answer: Answer) -> dict[str, tuple[str, ...]]:
        """Per attribute the labels of the chosen options, in taxonomy order: what a reply writes.

        Raises:
            KeyError: a category, attribute or option that is not asked for, or an attribute without its value.
        """
        if answer.category not in self.categories:
            raise KeyError(answer.category)
        attributes = self.attributes(answer.category)
        unknown = set(answer.details) - set(attributes)
        if unknown and self.part != "category":
            raise KeyError(*sorted(unknown))
        labels = {}
        for attribute_id, attribute in attributes.items():
            chosen = attribute.in_order(answer.details[attribute_id])
            if attribute.choose == "one" and len(chosen) != 1:
                raise KeyError(f"{attribute_id}: one option is chosen, not {len(chosen)}")
            labels[attribute_id] = tuple(attribute.options[option][self.language] for option in chosen)
        return labels

    def longest(self) -> Iterable[Answer]:
        """Per category the answer whose reply is longest."""
        for category in self.categories:
            yield Answer(
                category=category,
                details={
                    attribute_id: (
                        tuple(attribute.options)
                        if attribute.choose == "many"
                        else (
                            max(
                                attribute.options,
                                key=lambda option: len(attribute.options[option][self.language].encode()),
                            ),
                        )
                    )
                    for attribute_id, attribute in self.attributes(category).items()
                },
            )
