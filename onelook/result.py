"""What a run returns."""

from __future__ import annotations

from pydantic import Field

from onelook.graph.arms import ArmName
from onelook.ledger.model import Ledger
from onelook.types import Content, ErrorRecord, Frozen, Language, Status, Tag, Usage, Versions


class Shown(Frozen):
    """A picture as the model saw it: its size in pixels, and what it was taken for where that decided the size."""

    width: int
    height: int
    content: Content | None = None


class FirstLook(Frozen):
    """Why an adaptive run looked again, at which pictures it had looked, and what it had said of them."""

    reason: str
    pictures: tuple[Shown, ...]
    category: Tag
    details: dict[str, tuple[Tag, ...]]


class Escalation(Frozen):
    """Why a specialist was asked, and what the first engine had said."""

    reason: str
    model: str = Field(description="The engine, or the router, that answered first.")
    category: Tag
    details: dict[str, tuple[Tag, ...]]


class TagResult(Frozen):
    """The answer for one picture.

    `failed` has errors, and of the answer what was known before them. `ok` has none. `needs_review` has one only where
    a second look or the specialist failed: then the answer before it stands, unsure as it is.
    """

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
