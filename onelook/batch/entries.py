"""What a batch's ledger holds: pictures as they are listed, outcomes, versions of the answers, runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, get_args

from onelook import errors
from onelook.errors import EngineError, ImageNotFound, ReplyError
from onelook.images.printable import printable
from onelook.images.source import is_url
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import TagResult

State = Literal["ok", "needs_review", "failed", "may_pass"]
"""An outcome. `may_pass`: it failed, and the same question may be answered later."""

STATES: Final[tuple[State, ...]] = get_args(State)
How = Literal["finished", "stopped", "failures", "limit"]

UNFIT_ENGINE: Final = frozenset(
    name
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, EngineError) and not issubclass(each, ReplyError)
)
"""Kinds of errors that say nothing of the picture: a dead server, a wrong key, a missing package."""


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
    """How many of the pictures that were listed are new, are files with another size or date than before, are as they
    were, and are files that are not there any more. `renamed`: of all of them, those that had another id."""

    new: int = 0
    changed: int = 0
    known: int = 0
    missing: int = 0
    renamed: int = 0


@dataclass(frozen=True, slots=True)
class Todo:
    """`unchecked`: its file has another size or date than when it was hashed."""

    picture: int
    place: bytes
    unchecked: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that is in the ledger."""

    id: int
    result: str


class Row(NamedTuple):
    """A picture, its outcome and the JSON of its result; `first`: the picture that its answer was given for; `sha256`:
    of the bytes that the outcome is about."""

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


def state_of(result: TagResult, *, from_file: bool = False) -> State:
    """The outcome of a picture with this result. `from_file`: it was asked about in a file of questions, where a
    refusal is of this question alone."""
    if result.status != "failed":
        return result.status
    last = result.errors[-1] if result.errors else None
    if last is None:
        return "failed"
    passes = last.retryable or file_is_missing(result) or (last.kind in UNFIT_ENGINE and not from_file)
    return "may_pass" if passes else "failed"


def file_is_missing(result: TagResult) -> bool:
    """Whether it failed because there is no such file, as while a disk is away; a URL with nothing behind is another
    case."""
    kinds = [each.kind for each in result.errors[-1:]]
    return kinds == [ImageNotFound.__name__] and not is_url(result.source or "")


def shown(place: bytes) -> str:
    """A place for people."""
    return printable(place.decode(errors="surrogateescape"))
