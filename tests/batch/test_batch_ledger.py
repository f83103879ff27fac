"""The ledger's file: whose it is, what it refuses, and what becomes of it when the disk is full."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from onelook.batch.database import LEDGER
from onelook.batch.entries import Added, Listed
from onelook.batch.fingerprint import Fingerprint
from onelook.batch.ledger import Ledger
from onelook.batch.ledger_reader import LedgerReader
from onelook.batch.lock import is_locked, locked
from onelook.batch.schema import SCHEMA_VERSION
from onelook.errors import BatchError


def listed(count: int) -> list[Listed]:
    return [Listed(f"/photos/{number}.jpg".encode(), None, number, 1) for number in range(count)]


def test_a_ledger_of_another_program_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / LEDGER)) as other:
        other.execute("CREATE TABLE theirs (x)")
    with pytest.raises(BatchError, match="is not a ledger of onelook"):
        Ledger.create(tmp_path)
    (tmp_path / LEDGER).write_bytes(b"no database, but longer than its header" * 100)
    with pytest.raises(BatchError, match="is no ledger, or is damaged"):
        Ledger.create(tmp_path)


def test_a_ledger_of_a_newer_onelook_is_refused(tmp_path: Path) -> None:
    Ledger.create(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / LEDGER)) as newer:
        newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    for opened in (Ledger.create, Ledger.read):
        with pytest.raises(BatchError, match="newer onelook") as refused:
            opened(tmp_path)
        assert "pip install --upgrade onelook" in str(refused.value.hint)


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    with closing(Ledger.create(tmp_path)) as ledger:
        ledger.add(listed(3))
        pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
        ledger._connection.execute(f"PRAGMA max_page_count = {pages + 2}")  # SQLite then reports a full disk
        with pytest.raises(BatchError, match="the disk is full"):
            ledger.add(listed(10_000))
        assert ledger.count(None)["todo"] == 3
        ledger._connection.execute("PRAGMA max_page_count = 100000")
        assert ledger.add(listed(10_000)) == Added(new=9_997, known=3)


def test_an_id_that_is_given_twice_adds_nothing(tmp_path: Path) -> None:
    with closing(Ledger.create(tmp_path)) as ledger:
        twice = [Listed(b"/a.jpg", "7"), Listed(b"/b.jpg", "8"), Listed(b"/c.jpg", "7", where="list.csv, line 4")]
        with pytest.raises(
            BatchError, match=r"two pictures have the id '7': /a\.jpg and /c\.jpg \(list\.csv, line 4\)"
        ):
            ledger.add(twice)
        assert ledger.count(None)["todo"] == 0
        assert ledger.add(twice[:2]) == Added(new=2)
        assert ledger.add([Listed(b"/a.jpg", "7")]) == Added(known=1)


def test_counting_adds_nothing(tmp_path: Path) -> None:
    with closing(Ledger.create(tmp_path)) as ledger:
        assert ledger.add(listed(5), keep=False) == Added(new=5)
        assert ledger.count(None)["todo"] == 0


def test_a_million_pictures_are_listed_in_turn(tmp_path: Path) -> None:
    """Each part of what is to do begins where the last ended."""
    with closing(Ledger.create(tmp_path)) as ledger:
        ledger.add(listed(1000))
        version = ledger.version(Fingerprint({"arm": "fused"}))
        after, places = 0, []
        while rows := ledger.todo(version, after=after, at_most=300):
            places += [row.place for row in rows]
            after = rows[-1].picture
    assert places == [each.place for each in listed(1000)]


def test_a_folder_with_other_files_is_no_place_for_a_batch(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(BatchError, match="holds other files and no batch"), locked(tmp_path):
        pass
    with pytest.raises(BatchError, match="is a file"), locked(tmp_path / "holiday.jpg"):
        pass


def test_one_process_at_a_time(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        assert is_locked(tmp_path)
        with pytest.raises(BatchError, match="is in use by process"), locked(tmp_path):
            pass
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        pass


def test_a_folder_without_a_batch_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="holds no batch"):
        LedgerReader.read(tmp_path)
