"""The ledger's file: whose it is, what it refuses, and what becomes of it when the disk is full."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from onelook.batch.database import LEDGER
from onelook.batch.entries import Added, Listed
from onelook.batch.export.columns import Entry
from onelook.batch.fingerprint import Fingerprint
from onelook.batch.ledger import Ledger
from onelook.batch.ledger_reader import LedgerReader
from onelook.batch.lock import is_locked, locked
from onelook.batch.records import records
from onelook.batch.schema import SCHEMA_VERSION
from onelook.errors import BatchError
from tests.batch.ledgers import Case, write_batch


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


LEDGER_1 = Path(__file__).parent / "ledger_1.sql"


def of_version_1(folder: Path) -> None:
    """A ledger as the first schema has it: a picture with an answer, one that failed, one that is still to do."""
    folder.mkdir()
    with closing(sqlite3.connect(folder / LEDGER)) as old:
        old.executescript(LEDGER_1.read_text())
        old.executescript(
            """
            INSERT INTO picture VALUES (1, X'2F612E6A7067', 'a', 10, 20, X'AA'),
                (2, X'2F622E6A7067', NULL, 10, 20, X'BB'), (3, X'2F632E6A7067', NULL, 10, 20, NULL);
            INSERT INTO version VALUES (1, 'f1', '{}', NULL, 0.0);
            INSERT INTO answer VALUES (1, 1, X'AA', '{"status":"ok"}');
            INSERT INTO outcome VALUES (1, 1, 'ok', 1, NULL), (1, 2, 'failed', NULL, '{"status":"failed"}');
            INSERT INTO request VALUES (1, X'CC', 3, 'requests.jsonl', 8, 8);
            """
        )


def test_a_ledger_of_the_first_schema_is_read_as_it_is(tmp_path: Path) -> None:
    of_version_1(tmp_path / "old")
    before = (tmp_path / "old" / LEDGER).read_bytes()
    with closing(LedgerReader.read(tmp_path / "old")) as ledger:
        assert ledger.count(1) == {"ok": 1, "failed": 1, "todo": 1}
        assert [(row.picture, row.state, row.sha256) for row in ledger.rows(1)] == [
            (1, "ok", b"\xaa"),
            (2, "failed", b"\xbb"),
            (3, None, None),
        ]
        assert [each.picture for each in ledger.todo(1, after=0, at_most=9)] == [3]
    assert (tmp_path / "old" / LEDGER).read_bytes() == before


def test_a_run_brings_a_ledger_of_the_first_schema_to_the_newest_and_loses_nothing(tmp_path: Path) -> None:
    of_version_1(tmp_path / "old")
    with closing(LedgerReader.read(tmp_path / "old")) as ledger:
        before = list(ledger.rows(1))
    with closing(Ledger.create(tmp_path / "old")) as ledger:
        assert list(ledger.rows(1)) == before
        assert [each.picture for each in ledger.todo(1, after=0, at_most=9)] == [3]
        assert ledger.connection.execute("SELECT file FROM request").fetchall() == [("requests.jsonl",)]
        assert ledger.connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert ledger.add([Listed(b"/a.jpg", "another", 10, 20), Listed(b"/a.jpg", "a", 10, 20)]) == Added(
            new=1, known=1
        )
    with closing(Ledger.create(tmp_path / "old")) as again:
        assert (again.count(1)["ok"], again.count(1)["todo"]) == (1, 2)


def test_a_picture_may_have_two_ids_and_is_listed_under_both(tmp_path: Path) -> None:
    both = [Listed(b"/x.jpg", "1", 5, 5), Listed(b"/x.jpg", "2", 5, 5), Listed(b"/y.jpg", "3", 5, 5)]
    with closing(Ledger.create(tmp_path)) as ledger:
        assert ledger.add(both) == Added(new=3)
        version = ledger.version(Fingerprint({"arm": "fused"}))
        assert [(row.place, row.name) for row in ledger.rows(version)] == [
            (b"/x.jpg", "1"),
            (b"/x.jpg", "2"),
            (b"/y.jpg", "3"),
        ]
        assert ledger.add(both) == Added(known=3)
        assert ledger.add([Listed(b"/x.jpg", None, 5, 5)]) == Added(known=1), "without an id it is there already"


def names(ledger: Ledger) -> dict[str, bytes]:
    return {str(row.name): row.place for row in ledger.rows(1)}


def test_two_pictures_may_exchange_their_ids(tmp_path: Path) -> None:
    with closing(Ledger.create(tmp_path)) as ledger:
        ledger.add([Listed(b"/a.jpg", "1"), Listed(b"/b.jpg", "2"), Listed(b"/c.jpg", "3")])
        assert ledger.add([Listed(b"/b.jpg", "1"), Listed(b"/a.jpg", "2")]) == Added(known=2, renamed=2)
        assert names(ledger) == {"1": b"/b.jpg", "2": b"/a.jpg", "3": b"/c.jpg"}
        with pytest.raises(
            BatchError, match=r"two pictures have the id '3': /c\.jpg and /a\.jpg \(list\.csv, line 2\)"
        ):
            ledger.add([Listed(b"/a.jpg", "3", where="list.csv, line 2")])
        assert names(ledger) == {"1": b"/b.jpg", "2": b"/a.jpg", "3": b"/c.jpg"}


def test_a_picture_gets_its_id_from_a_later_list(tmp_path: Path) -> None:
    with closing(Ledger.create(tmp_path)) as ledger:
        ledger.add([Listed(b"/a.jpg"), Listed(b"/b.jpg")])
        listed_both = [Listed(b"/a.jpg"), Listed(b"/a.jpg", "1"), Listed(b"/c.jpg"), Listed(b"/c.jpg", "3")]
        assert ledger.add(listed_both) == Added(new=1, known=3)
        assert names(ledger) == {"1": b"/a.jpg", "None": b"/b.jpg", "3": b"/c.jpg"}


def test_no_two_pictures_have_one_id_in_an_export(tmp_path: Path) -> None:
    """The number of one is the id of the other."""
    cases = [Case("/x.jpg", None, name="2"), Case("/many/0.jpg", None), Case("/many/1.jpg", None)]
    write_batch(tmp_path, cases)
    assert [Entry.of(each).id for each in records(tmp_path)] == ["2", "#2", "3"]


def test_an_empty_ledger_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / LEDGER).write_bytes(b"")
    with locked(tmp_path), closing(Ledger.create(tmp_path)) as ledger:
        assert ledger.add(listed(1)) == Added(new=1)


def test_a_ledger_without_its_tables_is_begun_anew(tmp_path: Path) -> None:
    """Earlier releases left one when the disk was full."""
    with closing(sqlite3.connect(tmp_path / LEDGER)) as begun:
        begun.execute("PRAGMA journal_mode = WAL")
    assert (tmp_path / LEDGER).stat().st_size > 0
    with closing(Ledger.create(tmp_path)) as ledger:
        assert ledger.add(listed(1)) == Added(new=1)


def test_a_disk_that_is_full_when_the_ledger_is_made_leaves_none(tmp_path: Path) -> None:
    """The system lets this process write no file of more than some bytes."""
    for most in (0, 4096, 8192):
        script = (
            f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}));"
            "from pathlib import Path; from onelook.batch.ledger import Ledger;"
            f"Ledger.create(Path({str(tmp_path / 'out')!r}))"
        )
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert "BatchError" in ended.stderr
        assert list((tmp_path / "out").iterdir()) == []
    with closing(Ledger.create(tmp_path / "out")) as ledger:
        assert ledger.add(listed(1)) == Added(new=1)
