"""Labelled pictures, with labels from a taxonomy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from onelook.errors import UserError
from onelook.lab.album import Labelled, read_labels
from onelook.prompts.taxonomy.model import Attribute, Taxonomy
from onelook.types import Answer, Language


def read_labelled(labels: Path, taxonomy: Taxonomy) -> list[Labelled]:
    """The pictures of `labels`, a folder with labels.jsonl or such a file, in its order.

    Categories, attributes and options can be written as ids or as labels in any language of the taxonomy; ids are
    returned. Every attribute of the category must be present.

    Raises:
        ImageNotFound: a line names a picture that does not exist.
        UserError: the file is missing, empty or malformed, or a label is not in the taxonomy.
    """
    return [
        Labelled(each.path, _in_ids(each.truth, taxonomy, each.where), each.seed, each.where)
        for each in read_labels(labels)
    ]


def _in_ids(truth: Answer, taxonomy: Taxonomy, where: str) -> Answer:
    category = _id(truth.category, {id_: each.label for id_, each in taxonomy.categories.items()}, "category", where)
    attributes = taxonomy.categories[category].details
    found: dict[str, tuple[str, ...]] = {}
    for name, options in truth.details.items():
        attribute = _id(name, {id_: each.label for id_, each in attributes.items()}, f"attribute of {category}", where)
        found[attribute] = _options(options, attribute, attributes[attribute], where)
    if missing := [attribute for attribute in attributes if attribute not in found]:
        raise UserError(
            f"{where}: {category} without {', '.join(missing)}",
            hint="write an empty list for an attribute without any option",
        )
    return Answer(category=category, details={attribute: found[attribute] for attribute in attributes})


def _options(options: Iterable[str], name: str, attribute: Attribute, where: str) -> tuple[str, ...]:
    chosen = {_id(option, attribute.options, f"option of {name}", where) for option in options}
    if attribute.choose == "one" and len(chosen) != 1:
        raise UserError(f"{where}: {name} has {len(chosen)} options, and is one of {', '.join(attribute.options)}")
    return attribute.in_order(chosen)


def _id(word: str, known: Mapping[str, Mapping[Language, str]], kind: str, where: str) -> str:
    ids = {name: id_ for id_, label in known.items() for name in (id_, *label.values())}
    if word in ids:
        return ids[word]
    nearest = get_close_matches(word, ids, n=1, cutoff=0.0)
    raise UserError(
        f"{where}: {word!r} is no {kind}" + (f"; the nearest is {nearest[0]!r}" if nearest else ", which has none"),
        hint=f"use one of {', '.join(known)}" if known else "remove it",
    )
