"""What a batch's ledger holds: pictures as they are listed, outcomes, versions of the answers, runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, get_args

from onelook.images.printable import printable
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import TagResult

State = Literal["ok", "needs_review", "failed", "may_pass"]
"""An outcome. `may_pass`: it failed, and the same question may be answered later."""

STATES: Final[tuple[State, ...]] = get_args(State)
How = Literal["finished", "stopped", "failures", "limit"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A picture as a source names it. `place`: an absolute path in the system's bytes, or a URL. `size` in bytes, and
    `mtime_ns`, of the file; None for a URL and where there is no file. `where`: its line in a manifest, for messages.
    """

    place: bytes
    name: str | None = None
    size: int | None = None
    mtime_ns: int | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """How many of the pictures that were listed are new, have changed since, and were there before."""

    new: int = 0
    changed: int = 0
    known: int = 0


@dataclass(frozen=True, slots=True)
class Todo:
    picture: int
    place: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that is in the ledger."""

    id: int
    result: str


class Row(NamedTuple):
    """A picture, its outcome and the JSON of its result; `first`: the picture that its answer was given for."""

    picture: int
    place: bytes
    name: str | None
    sha256: bytes | None
    state: State | None
    result: str | None
    first: int | None
    first_name: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """Answers of one fingerprint. `begun`: in seconds since 1970. `taxonomy`: with the labels that it had last."""

    id: int
    fingerprint: str
    made_from: dict[str, Any]
    begun: float
    taxonomy: Taxonomy | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a batch. `ended` is None while it runs, and after it was killed."""

    id: int
    version: int
    process: int
    begun: float
    ended: float | None
    how: How | None
    left_out: dict[str, int]
    progress: dict[str, Any]


def state_of(result: TagResult) -> State:
    """The outcome of a picture with this result."""
    if result.status == "failed" and result.errors and result.errors[-1].retryable:
        return "may_pass"
    return result.status


def shown(place: bytes) -> str:
    """A place for people."""
    return printable(place.decode(errors="surrogateescape"))
