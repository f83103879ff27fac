"""How far a batch is, in numbers: each version of its answers, its last run, and why pictures failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson

from onelook.batch.entries import Run, Version
from onelook.batch.fingerprint import changed_parts
from onelook.batch.ledger_reader import LedgerReader
from onelook.batch.lock import is_locked
from onelook.batch.progress import Progress


@dataclass(frozen=True, slots=True)
class VersionStatus:
    """`counts`: pictures by outcome, and `todo`. `changed`: what differs from the version before. `of_other_bytes`: so
    many outcomes are about files that have, or may have, other bytes now."""

    version: Version
    counts: Counter[str]
    changed: list[str]
    of_other_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """So many pictures failed with an error of this kind; `example` is one of the messages."""

    kind: str
    count: int
    example: str
    may_pass: bool


@dataclass(frozen=True, slots=True)
class Status:
    """`running`: a process works on it now. `reasons` are those of the newest version."""

    listed: int
    versions: list[VersionStatus]
    running: bool
    last_run: Run | None
    reasons: list[Reason]

    @property
    def progress(self) -> Progress | None:
        """Of the last run, as it was written last."""
        return None if self.last_run is None else Progress.from_json(self.last_run.progress)


def read_status(folder: Path) -> Status:
    """Raises `BatchError` where there is no batch."""
    with closing(LedgerReader.read(folder)) as ledger:
        versions = ledger.versions()
        each_with_earlier = zip(versions, [None, *versions], strict=False)
        return Status(
            listed=ledger.count(None)["todo"],
            versions=[
                VersionStatus(
                    version,
                    counts := ledger.count(version.id),
                    [] if earlier is None else changed_parts(earlier.made_from, version.made_from),
                    ledger.count_todo(version.id) - counts["todo"],
                )
                for version, earlier in each_with_earlier
            ],
            running=is_locked(folder),
            last_run=ledger.last_run(),
            reasons=_reasons(ledger, versions[-1].id) if versions else [],
        )


def _reasons(ledger: LedgerReader, version: int) -> list[Reason]:
    """The most frequent first."""
    counts, examples = Counter[tuple[str, bool]](), dict[tuple[str, bool], str]()
    for state, failure in ledger.failures(version):
        errors = orjson.loads(failure).get("errors", [])
        kind, message = (errors[-1]["kind"], errors[-1]["message"]) if errors else ("unknown", "")
        key = kind, state == "may_pass"
        counts[key] += 1
        examples.setdefault(key, message)
    return [Reason(kind, count, examples[kind, passes], passes) for (kind, passes), count in counts.most_common()]


def failed_pictures(folder: Path, version: int) -> Iterator[tuple[bytes, str]]:
    """Place and last message of each failed picture, in the order of listing."""
    with closing(LedgerReader.read(folder)) as ledger:
        for row in ledger.rows(version):
            if row.state in ("failed", "may_pass") and row.result is not None:
                errors = orjson.loads(row.result).get("errors", [])
                yield row.place, errors[-1]["message"] if errors else ""
