"""What travels along the graph. Small and flat; nothing here may hold image bytes that a checkpoint would keep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from langgraph.channels import UntrackedValue
from typing_extensions import TypedDict

from onelook.engines.base import Reply
from onelook.images.original import Original
from onelook.images.picture import Picture
from onelook.ledger.model import NodeTiming
from onelook.result import Escalation, FirstLook, TagResult
from onelook.types import ErrorRecord, Subject, Tag


def followed_by(visits: Iterable[NodeTiming], more: Iterable[NodeTiming]) -> tuple[NodeTiming, ...]:
    """What a cache or a checkpoint gives back comes as lists."""
    return (*visits, *more)


class Input(TypedDict):
    """A picture (path, http(s) URL, data URL or bytes), or a list of up to five of one subject.

    Untracked, so that no checkpoint ever holds it.
    """

    image: Annotated[Subject, UntrackedValue]


class Output(TypedDict):
    result: TagResult


class State(TypedDict, total=False):
    """A run begins with `fresh()`, so a thread can be run again and no earlier picture shines through."""

    image: Annotated[Subject, UntrackedValue]
    origin_ns: int
    run_key: str
    visits: Annotated[tuple[NodeTiming, ...], followed_by]
    pictures: Annotated[tuple[Picture, ...], UntrackedValue]
    originals: Annotated[tuple[Original, ...], UntrackedValue]
    routed: bool

    reply: Annotated[Reply | None, UntrackedValue]
    replies: tuple[str, ...]
    parse_error: str | None

    category: Tag | None
    details: dict[str, tuple[Tag, ...]] | None
    absences: dict[str, tuple[Tag, ...]]
    needs_review: bool
    hard: str | None
    look_again: bool
    first_look: FirstLook | None
    escalation: Escalation | None
    failed: bool
    errors: tuple[ErrorRecord, ...]

    result: TagResult


def fresh() -> State:
    """What a run begins with, the visits apart; also clears what an earlier run on the same thread left."""
    return {
        **unanswered(),
        "replies": (),
        "routed": False,
        "first_look": None,
        "escalation": None,
        "errors": (),
        "failed": False,
    }


def unanswered() -> State:
    """What is known of a picture that no engine has been asked about."""
    return {
        "reply": None,
        "parse_error": None,
        "category": None,
        "details": None,
        "absences": {},
        "needs_review": False,
        "hard": None,
        "look_again": False,
    }
