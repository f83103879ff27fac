"""Which pictures have other tags in another version of the answers, or in another batch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from onelook.batch.ledger_reader import LedgerReader
from onelook.batch.records import Record, records
from onelook.errors import BatchError
from onelook.images.printable import printable
from onelook.result import TagResult

Tags = dict[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """The labels that differ, by `category` or the attribute's name: before and after, None where there is none."""

    place: str
    labels: dict[str, tuple[str | None, str | None]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`compared`: pictures that have an answer in both. `only_old` and `only_new` have one there alone."""

    compared: int
    only_old: int
    only_new: int
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Side:
    """A batch, and the version of its answers (None: the newest): what people write as `FOLDER` or `FOLDER@2`."""

    folder: Path
    version: int | None

    @classmethod
    def parse(cls, text: str) -> Side:
        found = re.fullmatch(r"(.+)@(\d+)", text)
        if found is not None and not Path(text).exists():
            return cls(Path(found[1]), int(found[2]))
        return cls(Path(text), None)


def newest_two(folder: Path) -> tuple[Side, Side]:
    """The version of the answers before the newest in `folder`, and the newest. Raises `BatchError` for only one."""
    with closing(LedgerReader.read(folder)) as ledger:
        versions = ledger.versions()
    if len(versions) < 2:
        raise BatchError(
            f"{printable(str(folder))} has one version of the answers",
            hint="a run with another taxonomy, model, arm or prompt makes another; or name two folders",
        )
    return Side(folder, versions[-2].id), Side(folder, versions[-1].id)


def compare(old: Side, new: Side) -> Comparison:
    """Pictures are the same if they have the same place; in two batches, if they have the same bytes.

    Raises:
        BatchError: one of them is no batch, has no such version, or both are the same.
    """
    if old == new:
        raise BatchError("both sides are the same", hint="compare FOLDER@1 with FOLDER@2, or two folders")
    within = old.folder.resolve() == new.folder.resolve()
    before = {_key(each, within): each for each in _answered(old)}
    compared, only_new, changes = 0, 0, list[Change]()
    for each in _answered(new):
        earlier = before.pop(_key(each, within), None)
        if earlier is None:
            only_new += 1
            continue
        compared += 1
        if labels := _differences(earlier.result, each.result):
            changes.append(Change(each.place, labels))
    return Comparison(compared, len(before), only_new, changes)


def _answered(side: Side) -> Iterator[Record]:
    return (
        each
        for each in records(side.folder, side.version)
        if each.result is not None and each.result.category is not None and each.result.status != "failed"
    )


def _key(record: Record, within: bool) -> object:
    return record.id if within or record.sha256 is None else record.sha256


def _differences(old: TagResult | None, new: TagResult | None) -> dict[str, tuple[str | None, str | None]]:
    before, after = _labels(old), _labels(new)
    return {
        name: (before.get(name), after.get(name)) for name in {**before, **after} if before.get(name) != after.get(name)
    }


def _labels(result: TagResult | None) -> Tags:
    if result is None or result.category is None:
        return {}
    details = {name: "+".join(tag.id for tag in tags) or "none" for name, tags in result.details.items()}
    return {"category": result.category.id, **details}
