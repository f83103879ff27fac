"""Batches that a run could have left, written straight into a ledger."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from onelook.batch.entries import Listed
from onelook.batch.fingerprint import Fingerprint
from onelook.batch.ledger import Ledger
from onelook.ledger.model import Ledger as Times
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import TagResult
from onelook.settings.process import PHOTOS
from onelook.types import ErrorRecord, Tag, Usage, Versions

TAXONOMY = load_taxonomy(PHOTOS)
VERSIONS = Versions(taxonomy=TAXONOMY.version, prompts="0123456789ab")

Sure = Mapping[str, float]
"""Option id to its confidence."""


@dataclass(frozen=True)
class Case:
    """A picture: its place, and its result; None is still to do. `data`: what its bytes are taken to be."""

    place: str | bytes
    result: TagResult | None
    name: str | None = None
    data: bytes | None = None


def answer(
    category: str,
    confidence: float | None = 0.99,
    /,
    *,
    status: Any = "ok",
    taxonomy: Taxonomy = TAXONOMY,
    **details: Sure,
) -> TagResult:
    """`details`: by attribute, the chosen options with their confidence."""
    described = taxonomy.categories[category]
    return TagResult(
        status=status,
        category=Tag(id=category, label=described.label["zh"], confidence=confidence),
        details={
            name: tuple(
                Tag(id=option, label=described.details[name].options[option]["zh"], confidence=sure)
                for option, sure in chosen.items()
            )
            for name, chosen in details.items()
        },
        arm="fused",
        language="zh",
        model="onelook-demo",
        versions=VERSIONS,
        ledger=Times(wall_ms=120.5),
        usage=Usage(prompt_tokens=100, completion_tokens=20),
    )


def failure(kind: str, message: str, *, retryable: bool = False) -> TagResult:
    error = ErrorRecord(kind=kind, node="prepare", message=message, retryable=retryable)
    return TagResult(
        status="failed", arm="fused", language="zh", model="onelook-demo", versions=VERSIONS, errors=(error,)
    )


def write_batch(
    folder: Path, cases: Iterable[Case], *, taxonomy: Taxonomy = TAXONOMY, made_from: Mapping[str, Any] | None = None
) -> int:
    """The number of the version."""
    cases = list(cases)
    with closing(Ledger.create(folder)) as ledger:
        ledger.add(Listed(os.fsencode(case.place), case.name, 10, 20) for case in cases)
        version = ledger.version(Fingerprint(made_from or {"arm": "fused"}, taxonomy))
        todo = {os.fsdecode(each.place): each.picture for each in ledger.todo(version, after=0, at_most=10**9)}
        for case in cases:
            if case.result is None:
                continue
            place = os.fsdecode(case.place)
            digest = sha256(case.data if case.data is not None else os.fsencode(place)).digest()
            kept = ledger.answer(version, digest)
            if kept is not None and case.result.status != "failed":
                ledger.point(version, todo[place], digest, kept, case.result.status)
            else:
                ledger.record(version, todo[place], digest, case.result)
    return version
