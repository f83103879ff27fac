"""What travels along the graph. Small and flat; no picture is in a channel that a checkpoint keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from langgraph.channels import UntrackedValue
from typing_extensions import TypedDict

from onelook.engines.base import Reply
from onelook.graph.ways import Way
from onelook.images.original import Original
from onelook.images.picture import Picture
from onelook.ledger.model import NodeTiming
from onelook.result import Escalation, FirstLook, TagResult
from onelook.types import ErrorRecord, Subject, Tag

Known = Literal["nothing", "category", "answer"]


def append(node_spans: Iterable[NodeTiming], more: Iterable[NodeTiming]) -> tuple[NodeTiming, ...]:
    """The reducer of `node_spans`. A checkpoint restores tuples as lists."""
    return (*node_spans, *more)


class Input(TypedDict):
    """One picture, or a list of one to five pictures of one subject. Untracked: no checkpoint holds it."""

    image: Annotated[Subject, UntrackedValue]


class Output(TypedDict):
    result: TagResult


class State(TypedDict, total=False):
    """The state of one run. `prepare` begins it with `fresh()`, so a thread can run again and keeps nothing."""

    image: Annotated[Subject, UntrackedValue]
    """The picture as the caller gave it."""
    originals: Annotated[tuple[Original, ...], UntrackedValue]
    """The decoded pictures; empty where no node can ask for another size."""
    pictures: Annotated[tuple[Picture, ...], UntrackedValue]
    """The encoded pictures that the engine sees."""

    way: Way | Literal[""]
    """The edge to take, written by the node that decides. `graph.build` names the node that it leads to."""
    why: str
    """The reason for `way`, for people."""
    then: Way | Literal[""]
    """The edge to take after `enlarge`, written by the node that leads there."""
    enlarged: bool
    """Whether `enlarge` has run; it runs at most once."""

    reply: Annotated[Reply, UntrackedValue]
    """The reply that `parse` reads next."""
    replies: tuple[str, ...]
    """The texts of all replies, in order."""
    parse_error: str
    """Why the last free-text reply was unreadable; empty if it was not."""

    known: Known
    """How much of the answer is known: it says which of the next three fields are valid."""
    category: Tag | None
    details: dict[str, tuple[Tag, ...]]
    absences: dict[str, tuple[Tag, ...]]
    """Options that the arm `reads` asked for one by one and read as absent."""
    answered_by: str
    """The model that gave what is known; empty while nothing is known."""

    first_look: FirstLook | None
    """The unsure answer that a second pass on a larger picture replaces."""
    escalation: Escalation | None
    """The answer that the specialist's replaces."""
    errors: tuple[ErrorRecord, ...]

    origin_ns: int
    """Start of the run, in nanoseconds of `time.perf_counter_ns`."""
    node_spans: Annotated[tuple[NodeTiming, ...], append]
    result: TagResult


def category_of(state: State) -> Tag:
    """The category, in a state in which it is known."""
    category = state["category"]
    if category is None:
        raise RuntimeError("this node runs after the category is known")
    return category


def fresh() -> State:
    """The start of a run, without its node spans. It also clears what an earlier run on the same thread left."""
    return {
        **unanswered(),
        "way": "",
        "why": "",
        "then": "",
        "enlarged": False,
        "replies": (),
        "first_look": None,
        "escalation": None,
        "errors": (),
    }


def unanswered() -> State:
    """What is known of pictures that no engine has been asked about."""
    return {"parse_error": "", "known": "nothing", "category": None, "details": {}, "absences": {}, "answered_by": ""}
