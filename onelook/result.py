"""What a run returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from pydantic import Field, PrivateAttr

from onelook.errors import SettingsError
from onelook.graph.arms import ArmName
from onelook.ledger.model import Ledger
from onelook.preview import Preview
from onelook.types import Content, ErrorRecord, Frozen, Language, Status, Tag, Usage, Versions


class Shown(Frozen):
    """A picture as the model saw it: its size in pixels, and the content that decided the size, if content did."""

    width: int
    height: int
    content: Content | None = None
    trimmed: float | None = Field(None, description="Share of its area that was plain margin and was cut away.")


class FirstLook(Frozen):
    """The first pass of an adaptive run that made a second one: the reason, the pictures, and the first answer."""

    reason: str
    pictures: tuple[Shown, ...]
    category: Tag
    details: dict[str, tuple[Tag, ...]]


class Escalation(Frozen):
    """The reason for asking the specialist, and the first engine's answer."""

    reason: str
    model: str = Field(description="The engine, or the router, that answered first.")
    category: Tag
    details: dict[str, tuple[Tag, ...]]


FLAT_KEYS = (
    "source",
    "status",
    "category",
    "category_label",
    "category_confidence",
    "least_confidence",
    "model",
    "arm",
    "language",
    "taxonomy",
    "prompts",
    "wall_ms",
    "prompt_tokens",
    "completion_tokens",
    "error_kind",
    "error",
)
"""What every `TagResult.flat()` has; the attributes of its category follow."""

Flat = str | float | int | None
LONGEST_MESSAGE = 100


class SureTags(Frozen):
    """The part of a result that is sure enough; false where not even the category is."""

    category: Tag | None = None
    details: dict[str, tuple[Tag, ...]] = Field({})

    def __bool__(self) -> bool:
        return self.category is not None


class TagResult(Frozen):
    """The answer for one picture.

    `failed` has errors, and the part of the answer that was known before them. `ok` has none. `needs_review` has one
    only if a second pass or the specialist failed; the answer is then the one before it.
    """

    source: str | None = Field(
        None,
        description="The picture's name: its path, its URL without password and query, or what it was; None inside the"
        " graph. Several names are joined with ' + '.",
    )
    status: Status
    category: Tag | None = None
    details: dict[str, tuple[Tag, ...]] = Field({})
    absences: dict[str, tuple[Tag, ...]] = Field(
        {}, description="Options that were asked for one by one (arm reads) and are absent, and how sure that is."
    )
    arm: ArmName
    language: Language
    model: str = Field(description="The engine, or the router, whose answer this is.")
    pictures: tuple[Shown, ...] = Field((), description="As the engine that answered saw them.")
    first_look: FirstLook | None = None
    escalation: Escalation | None = None
    versions: Versions
    ledger: Ledger = Ledger()
    usage: Usage = Usage()
    errors: tuple[ErrorRecord, ...] = ()
    _preview: Preview = PrivateAttr(default_factory=Preview)

    def with_preview(self, preview: Preview) -> TagResult:
        """This result with pictures for `_repr_html_`; nothing else shows or stores them."""
        self._preview = preview
        return self

    def tags_at(self, threshold: float) -> SureTags:
        """The category, and each option of its details, whose confidence is `threshold` or more (0 to 1).

        Details say nothing without their category: where it is not sure, there are none. A tag of unknown confidence is
        not sure.

        Raises:
            SettingsError: `threshold` is not between 0 and 1.
        """
        if not 0 <= threshold <= 1:
            raise SettingsError(f"threshold is {threshold:g}, expected 0 to 1", hint="write 0.9 for 90 %")

        def sure(tag: Tag) -> bool:
            return tag.confidence is not None and tag.confidence >= threshold

        if self.category is None or not sure(self.category):
            return SureTags()
        kept = {name: tuple(filter(sure, tags)) for name, tags in self.details.items()}
        return SureTags(category=self.category, details={name: tags for name, tags in kept.items() if tags})

    def flat(self) -> dict[str, Flat]:
        """Plain values for a table's row: `FLAT_KEYS`, then two keys for each attribute that the category has.

        `details.<attribute>` holds the option's id (several joined with `+`, none as an empty string),
        `details.<attribute>.confidence` the least of their confidences. `least_confidence` is the least of all tags. A
        confidence is None where one of those that it is made from is unknown. `error` and `error_kind` are of the last
        error, which ended the run.
        """
        category, error = self.category, self.errors[-1] if self.errors else None
        row: dict[str, Flat] = {
            "source": self.source,
            "status": self.status,
            "category": category.id if category else None,
            "category_label": category.label if category else None,
            "category_confidence": category.confidence if category else None,
            "least_confidence": least_confidence([*self._tags()]),
            "model": self.model,
            "arm": self.arm,
            "language": self.language,
            "taxonomy": self.versions.taxonomy,
            "prompts": self.versions.prompts,
            "wall_ms": self.ledger.wall_ms,
            "prompt_tokens": self.usage.prompt_tokens,
            "completion_tokens": self.usage.completion_tokens,
            "error_kind": error.kind if error else None,
            "error": error.message if error else None,
        }
        for attribute, tags in self.details.items():
            row[f"details.{attribute}"] = "+".join(tag.id for tag in tags)
            row[f"details.{attribute}.confidence"] = least_confidence(tags)
        return row

    def _tags(self) -> Iterator[Tag]:
        if self.category is not None:
            yield self.category
        for tags in self.details.values():
            yield from tags

    def __repr__(self) -> str:
        """One line: `TagResult(ok, animal 98%, species=cat 97%, 0.21 s)`."""
        parts: list[str] = [self.status]
        if self.category is not None:
            parts.append(self.category.id + _percent((self.category,)))
        for attribute, tags in self.details.items():
            parts.append(f"{attribute}={'+'.join(tag.id for tag in tags) or 'none'}{_percent(tags)}")
        for error in self.errors:
            message = " ".join(error.message.split())
            shortened = message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"
            parts.append(f"{error.kind}: {shortened}")
        if self.ledger.wall_ms is not None:
            parts.append(f"{self.ledger.wall_ms / 1000:.2f} s")
        return f"TagResult({', '.join(parts)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from onelook.result_html import render  # only notebooks need it

        return render(self, self._preview.data_urls())


def model_name(model: str) -> str:
    """The name of a model as a result shows it: a folder by its own name, because results leave this machine."""
    return PurePath(model).name if PurePath(model).is_absolute() else model


def least_confidence(tags: Sequence[Tag]) -> float | None:
    """The least confidence; None where one is unknown, or there are no tags."""
    known = [tag.confidence for tag in tags if tag.confidence is not None]
    return min(known) if known and len(known) == len(tags) else None


def _percent(tags: Sequence[Tag]) -> str:
    confidence = least_confidence(tags)
    return "" if confidence is None else f" {confidence:.0%}"
