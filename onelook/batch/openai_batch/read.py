"""Takes answers from files into the ledger, read and judged as those of a run are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from langgraph.runtime import Runtime

from onelook.answering.failure import failed_result
from onelook.answering.reading import read_whole_answer
from onelook.batch.entries import Kept, State, shown
from onelook.batch.ledger import Ledger
from onelook.batch.openai_batch.answers import AnswerLine, BrokenLine, read_answers
from onelook.batch.openai_batch.offline import Offline
from onelook.batch.openai_batch.requests import Asked, Requests, custom_id, read_custom_id
from onelook.engines.base import Reply
from onelook.errors import BatchError, OnelookError
from onelook.graph.state import fresh
from onelook.nodes.review import review
from onelook.result import Shown, TagResult

MOST_NAMED = 10

Status = Literal["ok", "needs_review", "failed", "known"]


@dataclass(slots=True)
class Named:
    """How many there are, and the first few by name."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.first) < MOST_NAMED:
            self.first.append(name)


@dataclass(slots=True)
class Imported:
    """Pictures by what became of them, and lines that are of no use. `known`: their answer was in the ledger already.

    `missing`: by the name of the file with the question, the pictures that still have no answer.
    """

    ok: int = 0
    needs_review: int = 0
    failed: int = 0
    known: int = 0
    broken: Named = field(default_factory=Named)
    unknown: Named = field(default_factory=Named)
    duplicate: Named = field(default_factory=Named)
    missing: dict[str, Named] = field(default_factory=dict)


async def import_answers(
    offline: Offline, ledger: Ledger, files: Iterable[Path], *, on_line: Callable[[], None] = lambda: None
) -> Imported:
    """Keep the answers in `files`, result files and error files alike. To do so twice changes nothing.

    Raises:
        BatchError: a file cannot be read, or these choices have asked nothing.
    """
    made = offline.fingerprint
    version = next((each for each in ledger.versions() if each.fingerprint == made.digest), None)
    if version is None:
        newest = ledger.versions()[-1:]
        changed = ", ".join(made.changed_since(newest[0].made_from)) if newest else ""
        raise BatchError(
            "no question was exported with these choices" + (f": {changed} is not as it was" if changed else ""),
            hint="give the same options as to `onelook batch export --openai-batch`",
        )
    requests, imported, became = Requests(ledger, version.id), Imported(), dict[bytes, tuple[Status, int]]()
    for file in files:
        for line in read_answers(file):
            on_line()
            if isinstance(line, BrokenLine):
                imported.broken.add(f"{line.where} {line.why}")
                continue
            asked = _asked(line, made.digest, requests, imported)
            if not asked:
                continue
            sha256 = asked[0].sha256
            if sha256 in became:
                imported.duplicate.add(f"{line.where}: {line.custom_id}")
                if became[sha256][0] != "failed" or not isinstance(line.outcome, Reply):
                    continue  # the first answer counts; an answer counts more than a failure
            elif (kept := ledger.answer(version.id, sha256)) is not None:
                _point(ledger, version.id, asked, kept)
                became[sha256] = ("known", len(asked))
                continue
            result = await _result(offline, line.outcome, asked[0])
            _keep(ledger, version.id, asked, result)
            became[sha256] = (result.status, len(asked))
    for status, pictures in became.values():
        setattr(imported, status, getattr(imported, status) + pictures)
    for name, sha256, place in requests.unanswered():
        of_file = imported.missing.setdefault(name, Named())
        of_file.add(f"{custom_id(made.digest, sha256)} ({shown(place)})")
    return imported


def _asked(line: AnswerLine, fingerprint: str, requests: Requests, imported: Imported) -> list[Asked]:
    """The pictures that a line answers; none for an id that nothing was asked under."""
    read = read_custom_id(line.custom_id)
    if read is None:
        imported.unknown.add(f"{line.where}: {line.custom_id[:100]!r} is not an id of onelook")
    elif read[0] != fingerprint:
        imported.unknown.add(f"{line.where}: {line.custom_id} was asked with other choices ({read[0]})")
    elif asked := requests.asked(read[1]):
        return asked
    else:
        imported.unknown.add(f"{line.where}: {line.custom_id} was not asked from this folder, or its file has changed")
    return []


def _point(ledger: Ledger, version: int, asked: list[Asked], kept: Kept) -> None:
    status = TagResult.model_validate_json(kept.result).status
    for each in asked:
        state: State = "ok" if status == "ok" else "needs_review"
        ledger.point(version, each.picture, each.sha256, kept, state, from_file=True)


def _keep(ledger: Ledger, version: int, asked: list[Asked], result: TagResult) -> None:
    """The first of the pictures with these bytes gets the answer, the others are its duplicates."""
    first, *others = asked
    ledger.record(version, first.picture, first.sha256, result, from_file=True)
    kept = ledger.answer(version, first.sha256)
    if kept is not None:
        _point(ledger, version, others, kept)
        return
    for each in others:
        ledger.record(version, each.picture, each.sha256, result, from_file=True)


async def _result(offline: Offline, outcome: Reply | OnelookError, asked: Asked) -> TagResult:
    """As a run would have it, without its times, which nobody took."""
    services, context = offline.services, offline.context
    if isinstance(outcome, OnelookError):
        return failed_result(services, context, outcome, "analyze")
    try:
        answer = read_whole_answer(services, outcome, context)
    except OnelookError as error:
        result = failed_result(services, context, error, "analyze")
    else:
        reviewed = await review(services, {**fresh(), **answer}, Runtime(context=context))
        result = reviewed["result"]
    picture = Shown(width=asked.width, height=asked.height)
    return result.model_copy(update={"pictures": (picture,), "usage": outcome.usage})
