"""A batch as an export reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path

import orjson

from onelook.batch.entries import Version
from onelook.batch.export.columns import Choices, Entry
from onelook.batch.ledger_reader import LedgerReader
from onelook.batch.records import choose_version, records


@dataclass(frozen=True, slots=True)
class Batch:
    """One version of the answers of the batch in `folder`, as an export reads it: beside a run, or after it.

    `listed`: how many pictures there are, `todo` of them still without an outcome.
    """

    folder: Path
    version: Version
    listed: int
    todo: int

    @classmethod
    def read(cls, folder: Path, version: int | None = None) -> Batch:
        """`version`: the number that people write as `FOLDER@2`; None: the newest.

        Raises:
            BatchError: no batch is there, or it has no such version.
        """
        with closing(LedgerReader.read(folder)) as ledger:
            chosen = choose_version(ledger, version)
            counts = ledger.count(chosen.id)
        return cls(folder, chosen, counts.total(), counts["todo"])

    def entries(self, choices: Choices, on_entry: Callable[[], None] = lambda: None) -> Iterator[Entry]:
        """Each picture in the order of listing; `on_entry` is called for each."""
        for record in records(self.folder, self.version.id):
            yield Entry.of(record, choices.min_confidence)
            on_entry()

    def metadata(self) -> dict[str, str]:
        """What the answers come from, for formats that have room for it."""
        return {
            "onelook": version_of("onelook"),
            "onelook.fingerprint": self.version.fingerprint,
            "onelook.made_from": orjson.dumps(self.version.made_from).decode(),
        }
