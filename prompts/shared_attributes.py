"""Attributes that several categories have with the same words: the system prompt can write them once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from onelook.prompts.taxonomy.model import Attribute, Category, Taxonomy


@dataclass(frozen=True, slots=True)
class SharedAttributes:
    """`attributes`: those that are written above the categories, by id; a category then only names them."""

    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    def lines(self, category: Category) -> Iterator[tuple[tuple[str, ...], Attribute | None]]:
        """The lines of a category in the order of its attributes: the id of one attribute, and the attribute; or the
        ids of shared ones that follow each other, and None."""
        for named, group in groupby(category.details.items(), key=lambda entry: self._has(*entry)):
            if named:
                yield tuple(id_ for id_, _ in group), None
            else:
                yield from (((id_,), attribute) for id_, attribute in group)

    def _has(self, id_: str, attribute: Attribute) -> bool:
        return self.attributes.get(id_) == attribute


def shared_attributes(taxonomy: Taxonomy) -> SharedAttributes:
    """The attributes that at least two categories have under the same id with the same content.

    However the document says so: by its `shared`, by a YAML anchor, or by writing them twice. Of two that have one id,
    the one that more categories have.
    """
    counts: dict[str, Counter[str]] = {}
    found: dict[str, Attribute] = {}
    for category in taxonomy.categories.values():
        for id_, attribute in category.details.items():
            content = attribute.model_dump_json()
            counts.setdefault(id_, Counter())[content] += 1
            found.setdefault(f"{id_} {content}", attribute)
    most = ((id_, *count.most_common(1)[0]) for id_, count in counts.items())
    return SharedAttributes({id_: found[f"{id_} {content}"] for id_, content, count in most if count > 1})
