"""The columns of an export: the same for every picture, and known before the first, because the taxonomy has them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from onelook.batch.entries import Version
from onelook.batch.records import Record
from onelook.errors import BatchError
from onelook.images.source import is_data_url, is_url
from onelook.prompts.taxonomy.model import Attribute, Taxonomy
from onelook.result import SureTags, least_confidence
from onelook.types import ErrorRecord, Tag

Kind = Literal["text", "texts", "number", "integer", "flag"]
Value = str | list[str] | float | int | bool | None
Status = Literal["ok", "needs_review", "failed", "todo"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture with the tags of it that are sure enough."""

    record: Record
    tags: SureTags

    @classmethod
    def of(cls, record: Record, min_confidence: float | None = None) -> Entry:
        """`min_confidence`: see `TagResult.tags_at`; None keeps every tag, also those of unknown confidence."""
        if record.result is None:
            return cls(record, SureTags())
        if min_confidence is None:
            return cls(record, SureTags(category=record.result.category, details=record.result.details))
        return cls(record, record.result.tags_at(min_confidence))

    @property
    def id(self) -> str:
        return self.record.name or str(self.record.id)

    @property
    def status(self) -> Status:
        return "todo" if self.record.result is None else self.record.result.status

    @property
    def duplicate_of(self) -> str | None:
        """The id of the first picture with the same bytes."""
        record = self.record
        return None if record.duplicate_of is None else record.duplicate_of_name or str(record.duplicate_of)

    @property
    def errors(self) -> tuple[ErrorRecord, ...]:
        return () if self.record.result is None else self.record.result.errors

    @property
    def all_tags(self) -> list[Tag]:
        category = [] if self.tags.category is None else [self.tags.category]
        return [*category, *(tag for tags in self.tags.details.values() for tag in tags)]


@dataclass(frozen=True, slots=True)
class Column:
    """`value` is None, or of `kind`: a str, a list of str, a float, an int or a bool."""

    name: str
    kind: Kind
    value: Callable[[Entry], Value]


@dataclass(frozen=True, slots=True)
class Choices:
    """What an export holds: of the tags those at or above `min_confidence` (0 to 1; None: all), a column for the
    confidence of each attribute, and the columns of time and tokens."""

    min_confidence: float | None = None
    confidences: bool = False
    timing: bool = False


def readable_path(place: str) -> str:
    r"""A path as text: bytes that are no UTF-8 are written as \xe9, as `onelook tag --json` does."""
    return os.fsencode(place).decode(errors="backslashreplace")


def path_uri(place: str) -> str | None:
    """The file URI of a path that text cannot hold: it keeps every byte (`caf%E9.jpg`). None for any other."""
    if readable_path(place) == place:
        return None
    return Path(place).as_uri() if Path(place).is_absolute() else None


FIXED: Final = (
    Column("id", "text", lambda entry: entry.id),
    Column("path", "text", lambda entry: _path(entry.record.place)),
    Column("path_uri", "text", lambda entry: path_uri(entry.record.place)),
    Column("status", "text", lambda entry: entry.status),
    Column("category", "text", lambda entry: None if (tag := entry.tags.category) is None else tag.id),
    Column("category_label", "text", lambda entry: None if (tag := entry.tags.category) is None else tag.label),
    Column(
        "category_confidence", "number", lambda entry: None if (tag := entry.tags.category) is None else tag.confidence
    ),
)

PROVENANCE: Final = (
    Column("least_confidence", "number", lambda entry: least_confidence(entry.all_tags)),
    Column("model", "text", lambda entry: None if (result := entry.record.result) is None else result.model),
    Column(
        "taxonomy", "text", lambda entry: None if (result := entry.record.result) is None else result.versions.taxonomy
    ),
    Column(
        "prompts", "text", lambda entry: None if (result := entry.record.result) is None else result.versions.prompts
    ),
    Column("duplicate_of", "text", lambda entry: entry.duplicate_of),
    Column("sha256", "text", lambda entry: entry.record.sha256),
    Column("errors", "texts", lambda entry: [f"{error.kind}: {error.message}" for error in entry.errors]),
    Column("may_pass", "flag", lambda entry: entry.record.state == "may_pass" if entry.record.state else None),
)


def _timing(name: str, part: str | None = None) -> Callable[[Entry], float | None]:
    """A figure of the run's ledger in milliseconds, or the sum of its `part`s; nothing was spent on a duplicate."""

    def value(entry: Entry) -> float | None:
        if entry.record.result is None or entry.record.duplicate_of is not None:
            return None
        ledger = entry.record.result.ledger
        if part is None:
            figure: float | None = getattr(ledger, name)
            return figure
        found = [ms for each, ms in ledger.parts().items() if each.endswith(f".{part}")]
        return sum(found) if found else None

    return value


def _tokens(name: str) -> Callable[[Entry], int | None]:
    def value(entry: Entry) -> int | None:
        if entry.record.result is None or entry.record.duplicate_of is not None:
            return None
        count: int | None = getattr(entry.record.result.usage, name)
        return count

    return value


TIMING: Final = (
    Column("wall_ms", "number", _timing("wall_ms")),
    Column("busy_ms", "number", _timing("busy_ms")),
    Column("throttle_ms", "number", _timing("throttle_ms", "throttle")),
    Column("queue_ms", "number", _timing("queue_ms", "queue")),
    Column("first_token_ms", "number", _timing("first_token_ms", "first_token")),
    Column("decode_ms", "number", _timing("decode_ms", "decode")),
    Column("prompt_tokens", "integer", _tokens("prompt_tokens")),
    Column("cached_tokens", "integer", _tokens("cached_tokens")),
    Column("image_tokens", "integer", _tokens("image_tokens")),
    Column("completion_tokens", "integer", _tokens("completion_tokens")),
)


def columns_of(taxonomy: Taxonomy, choices: Choices) -> list[Column]:
    """In this order: what the picture is, a column for each attribute as `category.attribute`, what the answer comes
    from, and with `choices.timing` time and tokens.

    An attribute belongs to one category, so two categories may each have a `species` of their own; no id has a dot.
    """
    attributes = []
    for category, described in taxonomy.categories.items():
        for name, attribute in described.details.items():
            attributes.append(_attribute(category, name, attribute))
            if choices.confidences:
                value = partial(_confidence_of, category, name)
                attributes.append(Column(f"{category}.{name}.confidence", "number", value))
    return [*FIXED, *attributes, *PROVENANCE, *(TIMING if choices.timing else ())]


def _attribute(category: str, name: str, attribute: Attribute) -> Column:
    if attribute.choose == "many":
        return Column(f"{category}.{name}", "texts", partial(_options_of, category, name))
    return Column(f"{category}.{name}", "text", partial(_option_of, category, name))


def taxonomy_of(version: Version) -> Taxonomy:
    """Raises `BatchError` where the ledger keeps none."""
    if version.taxonomy is None:
        raise BatchError(
            f"the answers of version @{version.id} are kept without their taxonomy",
            hint="run `onelook batch PICTURES… --out FOLDER` once more with the same choices: it asks nothing again",
        )
    return version.taxonomy


def rows(entries: Iterator[Entry], columns: list[Column]) -> Iterator[list[Value]]:
    """The values of each picture, in the order of `columns`."""
    values = [column.value for column in columns]
    for entry in entries:
        yield [value(entry) for value in values]


def _tags_of(category: str, attribute: str, entry: Entry) -> tuple[Tag, ...] | None:
    """None where nothing is known of it: another category, or none."""
    if entry.tags.category is None or entry.tags.category.id != category:
        return None
    return entry.tags.details.get(attribute)


def _options_of(category: str, attribute: str, entry: Entry) -> list[str] | None:
    tags = _tags_of(category, attribute, entry)
    return None if tags is None else [tag.id for tag in tags]


def _option_of(category: str, attribute: str, entry: Entry) -> str | None:
    tags = _tags_of(category, attribute, entry)
    return tags[0].id if tags else None


def _confidence_of(category: str, attribute: str, entry: Entry) -> float | None:
    return least_confidence(_tags_of(category, attribute, entry) or ())


def _path(place: str) -> str:
    if is_data_url(place):
        return f"{place[:40]}…"
    return place if is_url(place) else readable_path(place)
