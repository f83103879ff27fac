"""Which column of a table of labels holds what: the path, the category, an attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Self

from onelook.errors import LabelsError, SettingsError
from onelook.images.printable import printable
from onelook.lab.label_words import Vocabulary
from onelook.table import PATH_COLUMNS

PATH: Final = "path"
CATEGORY: Final = "category"
CATEGORY_COLUMNS: Final = (CATEGORY, "label", "class")
DETAILS: Final = "details"
CLOSE: Final = 0.8


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """How labels are to be read, beyond what a file says itself.

    `columns`: the column of each label, where it is called otherwise: {"category": "klasse", "species": "art"}. Keys
    are path, category, an attribute, or category.attribute; an empty column means that none has it. `pictures`: the
    folder in which relative paths are looked for first.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    pictures: Path | None = None

    @classmethod
    def of(cls, words: Sequence[str], pictures: Path | None = None) -> Self:
        """From the words of `--label-column NAME=COLUMN`. Raises `SettingsError` for one without `=`."""
        columns: dict[str, str] = {}
        for word in words:
            name, equals, column = word.partition("=")
            if not equals or not name.strip():
                raise SettingsError(
                    f"--label-column {word}: expected NAME=COLUMN",
                    hint=f"--label-column {CATEGORY}=klasse, for example; NAME is {PATH}, {CATEGORY} or an attribute",
                )
            columns[name.strip()] = column.strip()
        return cls(columns, pictures)


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """`attributes`: by column, the words of its category (None: of any) and its attribute."""

    path: str
    category: str
    attributes: Mapping[str, tuple[str | None, str]]
    notes: tuple[str, ...] = ()

    @property
    def category_label(self) -> str:
        """Where `onelook batch export` writes the category in words, beside its id."""
        return f"{self.category}_label"


def label_columns(
    file: Path, names: Sequence[str], options: LabelOptions, vocabulary: Vocabulary | None
) -> LabelColumns:
    """The columns of `file`, which has those called `names`.

    Raises:
        LabelsError: there is no column of paths or of categories, or none that `options` names.
    """
    chosen = {name: column for name, column in options.columns.items() if column}
    if absent := [column for column in chosen.values() if column not in names]:
        raise _wrong(file, f"has no column {absent[0]!r}", names, "correct --label-column NAME=COLUMN")
    attribute_of = _attributes(vocabulary)
    for name in options.columns:
        if name not in (PATH, CATEGORY) and attribute_of(name) is None:
            known = [PATH, CATEGORY, *_attribute_names(vocabulary)]
            near = get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise LabelsError(
                f"--label-column {name}=…: {name!r} is no label; the nearest is {near!r}",
                hint=f"use one of {', '.join(known)}, or CATEGORY.ATTRIBUTE",
            )
    path = _first(file, PATH, (*PATH_COLUMNS, "source"), names, options)
    category = _first(file, CATEGORY, CATEGORY_COLUMNS, names, options)
    attributes: dict[str, tuple[str | None, str]] = {}
    named = {found: column for name, column in options.columns.items() if (found := attribute_of(name))}
    for column in names:
        own = attribute_of(column)
        if own is not None and column not in (path, category) and own not in named:
            attributes[column] = own
    attributes |= {column: found for found, column in named.items() if column}
    unread = [name for name in names if name not in {path, category, *attributes}]
    return LabelColumns(path, category, attributes, tuple(_nearly(unread, vocabulary)))


def _first(file: Path, label: str, usual: Sequence[str], names: Sequence[str], options: LabelOptions) -> str:
    if given := options.columns.get(label):
        return given
    by_lower = {name.strip().lower(): name for name in reversed(names)}
    found = next((by_lower[each] for each in usual if each in by_lower), None)
    if found is None:
        what = "paths" if label == PATH else "categories"
        hint = f"name the column with --label-column {label}=COLUMN"
        raise _wrong(file, f"has no column of {what} ({', '.join(usual)})", names, hint)
    return found


def _attributes(vocabulary: Vocabulary | None) -> Callable[[str], tuple[str | None, str] | None]:
    """From the name of a column to the category and attribute that it is about: `species`, `animal.species`,
    `details.species` (as `TagResult.flat` has it), in ids or labels. None if it is about none."""
    if vocabulary is None:
        return lambda column: None

    def about(column: str) -> tuple[str | None, str] | None:
        before, dot, after = column.rpartition(".")
        if not dot or before == DETAILS:
            known = any(each.ids(after) for each in vocabulary.attributes.values())
            return (None, after.strip()) if known else None
        for category in vocabulary.categories.ids(before):
            for attribute in vocabulary.attributes[category].ids(after):
                return category, attribute
        return None

    return about


def _attribute_names(vocabulary: Vocabulary | None) -> list[str]:
    if vocabulary is None:
        return []
    return list(dict.fromkeys(name for _, name in vocabulary.options))


def _nearly(unread: Sequence[str], vocabulary: Vocabulary | None) -> list[str]:
    known = _attribute_names(vocabulary)
    close = {column: get_close_matches(column, known, n=1, cutoff=CLOSE) for column in unread}
    return [
        f"the column {printable(column)!r} is not read; if it is the attribute {near[0]}: --label-column"
        f" {near[0]}={printable(column)}"
        for column, near in close.items()
        if near
    ]


def _wrong(file: Path, what: str, names: Sequence[Any], hint: str) -> LabelsError:
    found = ", ".join(printable(str(name)) for name in names)
    return LabelsError(f"{printable(str(file))} {what}; it has: {found}", hint=hint)
