"""A taxonomy as its document has it: an attribute of several categories may be written once and named in each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from onelook.prompts.taxonomy.model import Attribute, Category, Id, NotKeyword, Taxonomy, line
from onelook.types import Frozen, Language


class WrittenCategory(Category):
    """`shared`: ids of the document's shared attributes, which follow its own `details`."""

    shared: tuple[Id, ...] = ()

    def expanded(self, shared: Mapping[str, Attribute]) -> Category:
        return Category(
            label=self.label,
            when=self.when,
            details={**self.details, **{id_: shared[id_] for id_ in self.shared}},
            specialist=self.specialist,
            content=self.content,
        )


class WrittenTaxonomy(Frozen):
    """`shared`: attributes that several categories have, by id."""

    name: Annotated[str, AfterValidator(line)]
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    categories: Annotated[dict[Id, WrittenCategory], Field(min_length=1)]
    shared: dict[Id, Attribute] = Field(default_factory=dict)
    not_keywords: tuple[NotKeyword, ...] = ()

    def expanded(self) -> Taxonomy:
        """The taxonomy with every attribute in its categories: how it was written makes no difference from here on.

        Raises:
            KeyError: a category names a shared attribute that is not there.
        """
        categories = {id_: category.expanded(self.shared) for id_, category in self.categories.items()}
        return Taxonomy(name=self.name, languages=self.languages, categories=categories, not_keywords=self.not_keywords)
