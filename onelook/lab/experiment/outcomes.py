"""`runs.jsonl`: a line for each outcome, written as it comes, so that whatever ends a run costs only what was asked."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Final, Literal, Self

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from onelook.errors import ExperimentError
from onelook.lab.experiment.design import Caches
from onelook.ledger.model import Ledger
from onelook.result import TagResult
from onelook.types import Answer, ErrorRecord, Frozen, Status, Usage

FILE: Final = "runs.jsonl"
SYNC_S: Final = 1.0
"""A killed process loses nothing that was written; a power cut loses at most so many seconds."""


class Session(Frozen):
    """A start of the run: the first line, and one more each time that it goes on.

    `fingerprints`: by arm, what its answers depend on, as it was found after the start. `cut_off`: whether the line
    before was. `without_cache_salt`: the arms whose server cannot keep their caches apart, though the design wants it.
    """

    kind: Literal["session"] = "session"
    design: str
    album: str
    began: float
    onelook: str
    machine: str
    fingerprints: dict[str, dict[str, Any]] = Field({})
    cut_off: bool = False
    without_cache_salt: tuple[str, ...] = ()
    notes: tuple[str, ...] = Field((), description="The last two in words, as earlier versions wrote them.")
    deviations: tuple[str, ...] = Field((), description="The same of changed fingerprints; they are compared again.")


class Outcome(Frozen):
    """What one arm answered about one picture. `began`: seconds since 1970. Times are in milliseconds.

    `confidences`: of the category under "category", then the least one of each attribute under its name.
    """

    kind: Literal["outcome", "warm_up"] = "outcome"
    picture: str
    arm: str
    caches: Caches
    place: int = 0
    began: float
    status: Status
    answer: Answer | None = None
    confidences: dict[str, float | None] = Field({})
    least_confidence: float | None = None
    latency_ms: float
    parts: dict[str, float] = Field({})
    usage: Usage = Usage()
    model: str
    prompts: str
    errors: tuple[ErrorRecord, ...] = ()

    @property
    def key(self) -> tuple[Caches, str, str]:
        return self.caches, self.picture, self.arm


class LoadOutcome(Frozen):
    """One picture under load. Times are seconds since the level began: when it was due, was sent, and was answered.

    The latency is counted from `due`, so that a late start is not left out.
    """

    kind: Literal["load"] = "load"
    mode: Literal["closed", "open"]
    level: float
    arm: str
    number: int
    picture: str
    due_s: float
    sent_s: float
    answered_s: float
    status: Status

    @property
    def latency_ms(self) -> float:
        return (self.answered_s - self.due_s) * 1000


class Stopped(Frozen):
    """The run ended before all pictures, as its stopping rule allows."""

    kind: Literal["stopped"] = "stopped"
    pictures: int
    reason: str


class FailedStart(Frozen):
    """A start that ended before its questions: an arm could not start, or answered no warm-up picture."""

    kind: Literal["failed_start"] = "failed_start"
    began: float
    reason: str


AnyLine = Session | Outcome | LoadOutcome | Stopped | FailedStart
Line = Annotated[AnyLine, Field(discriminator="kind")]
_LINE: TypeAdapter[AnyLine] = TypeAdapter(Line)


@dataclass(slots=True)
class Runs:
    """All lines of a `runs.jsonl`. `torn`: a last line that is cut off begins at this byte."""

    sessions: list[Session] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    warm_ups: list[Outcome] = field(default_factory=list)
    load: list[LoadOutcome] = field(default_factory=list)
    stopped: Stopped | None = None
    failed_starts: list[FailedStart] = field(default_factory=list)
    torn: int | None = None


def read_runs(folder: Path, design: str) -> Runs:
    """The lines of the experiment in `folder`; none if it has not begun.

    Raises:
        ExperimentError: a line that is not the last is broken, the run is of another design, or an outcome is there
            twice.
    """
    file, runs = folder / FILE, Runs()
    data = file.read_bytes() if file.exists() else b""
    start, number, seen = 0, 0, set()
    while start < len(data):
        number += 1
        end = data.find(b"\n", start)
        if end < 0:
            runs.torn = start
            break
        try:
            line = _LINE.validate_json(data[start:end])
        except ValidationError as error:
            if end + 1 == len(data):
                runs.torn = start
                break
            raise ExperimentError(
                f"{file}, line {number} is broken: {error.errors(include_url=False)[0]['msg']}",
                hint="only a last line can be cut off by a kill; restore the file, or begin again with another --out",
            ) from None
        _keep(runs, line)
        if isinstance(line, Session) and line.design != design:
            raise ExperimentError(
                f"{file}, line {number} is of another design ({line.design[:12]}, not {design[:12]})",
                hint="use another --out FOLDER for another design; the same options go on with this one",
            )
        if isinstance(line, Outcome) and line.kind == "outcome":
            if line.key in seen:
                raise ExperimentError(
                    f"{file}, line {number}: {line.arm} on {line.picture} is there twice",
                    hint="remove one of the lines",
                )
            seen.add(line.key)
        start = end + 1
    return runs


def _keep(runs: Runs, line: AnyLine) -> None:
    match line:
        case Session():
            runs.sessions.append(line)
        case Outcome(kind="warm_up"):
            runs.warm_ups.append(line)
        case Outcome():
            runs.outcomes.append(line)
        case LoadOutcome():
            runs.load.append(line)
        case Stopped():
            runs.stopped = line
        case FailedStart():
            runs.failed_starts.append(line)


class RunsFile:
    """Writes lines to the end of `runs.jsonl`; what was torn there is cut off first."""

    def __init__(self, folder: Path, torn: int | None = None) -> None:
        self._file = (folder / FILE).open("ab")
        if torn is not None:
            self._file.truncate(torn)
        self._synced_s = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sync()
        self._file.close()

    def write(self, line: AnyLine) -> None:
        """Write one line whole, and hand it to the system before returning."""
        self._file.write(orjson.dumps(line.model_dump(mode="json")) + b"\n")
        self._file.flush()
        if time.monotonic() - self._synced_s > SYNC_S:
            self._sync()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced_s = time.monotonic()


def outcome_of(
    result: TagResult, *, picture: str, arm: str, caches: Caches, place: int, began: float, warm_up: bool
) -> Outcome:
    """The outcome that `result` is."""
    details = {name: tuple(tag.id for tag in tags) for name, tags in result.details.items()}
    confidences: dict[str, float | None] = {}
    if result.category is not None:
        confidences["category"] = result.category.confidence
    for name, tags in result.details.items():
        known = [tag.confidence for tag in (*tags, *result.absences.get(name, ())) if tag.confidence is not None]
        confidences[name] = min(known) if known else None
    known = [each for each in confidences.values() if each is not None]
    ledger: Ledger = result.ledger
    return Outcome(
        kind="warm_up" if warm_up else "outcome",
        picture=picture,
        arm=arm,
        caches=caches,
        place=place,
        began=began,
        status=result.status,
        answer=None if result.category is None else Answer(category=result.category.id, details=details),
        confidences=confidences,
        least_confidence=min(known) if known and len(known) == len(confidences) else None,
        latency_ms=ledger.wall_ms or 0.0,
        parts=ledger.parts(),
        usage=result.usage,
        model=result.model,
        prompts=result.versions.prompts,
        errors=result.errors,
    )
