"""What a batch knows of each picture, for exports: read beside a run or after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from onelook.batch.entries import State, Version
from onelook.batch.ledger_reader import LedgerReader
from onelook.errors import BatchError
from onelook.images.printable import printable
from onelook.images.source import describe
from onelook.result import TagResult


@dataclass(frozen=True, slots=True)
class Record:
    """A picture and its outcome. `id`: its number in the list. `place`: the absolute path as Python opens it
    (`os.fsdecode`), or the URL. `name`: the id of a manifest, or `#2` where it has none and its number is the id of
    another picture. `sha256`: of the bytes that the outcome is about. `state` and `result` are None while it is still
    to do; a failed one has a result with its errors. `duplicate_of`: the number of the first picture with the same
    bytes, and `duplicate_of_name` its name.
    """

    id: int
    place: str
    name: str | None
    sha256: str | None
    state: State | None
    result: TagResult | None
    duplicate_of: int | None = None
    duplicate_of_name: str | None = None


def records(folder: Path, version: int | None = None) -> Iterator[Record]:
    """Each picture of the batch in `folder`, in the order of listing, with its outcome under `version`, the number that
    people write as `@2` (None: the newest).

    Raises:
        BatchError: no batch is there, or it has no such version.
    """
    with closing(LedgerReader.read(folder)) as ledger:
        chosen = choose_version(ledger, version)
        named = ledger.has_names()
        for row in ledger.rows(chosen.id):
            path = row.place.decode(errors="surrogateescape")
            result = None if row.result is None else TagResult.model_validate_json(row.result)
            twin = row.first not in (None, row.picture)
            yield Record(
                id=row.picture,
                place=path,
                name=_name(ledger, row.picture, row.name) if named else None,
                sha256=None if row.sha256 is None else row.sha256.hex(),
                state=row.state,
                result=None if result is None else result.model_copy(update={"source": describe(path)}),
                duplicate_of=row.first if twin else None,
                duplicate_of_name=_name(ledger, row.first, row.first_name) if twin and named else None,
            )


def _name(ledger: LedgerReader, picture: int | None, name: str | None) -> str | None:
    """So that no two pictures of an export have one id."""
    if name is not None or picture is None or not ledger.is_name(str(picture)):
        return name
    own = f"#{picture}"
    while ledger.is_name(own):
        own = f"#{own}"
    return own


def choose_version(ledger: LedgerReader, version: int | None) -> Version:
    """Raises `BatchError` where there is none."""
    versions = ledger.versions()
    if not versions:
        raise BatchError(
            f"{printable(str(ledger.folder))} has no answers yet",
            hint="`onelook batch PICTURES… --out FOLDER` makes some",
        )
    for each in versions:
        if each.id == version:
            return each
    if version is None:
        return versions[-1]
    raise BatchError(
        f"{printable(str(ledger.folder))} has no answers of version @{version}",
        hint=f"it has @1 to @{len(versions)}: `onelook batch status FOLDER` lists them",
    )
