"""What people see where a batch cannot be read, begun or printed: a message and the exit code 2, never a trace."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.batch.ledgers import Case, answer, failure, write_batch
from tests.batch.pictures import paint
from tests.small_disk import fill, small_disk

PAGE = 4096


def onelook(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """`script`: of bash, in which `onelook` is the command."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ONELOOK_")}
    begun = f'onelook() {{ "{sys.executable}" -m onelook "$@"; }}\n{script}'
    return subprocess.run(
        ["bash", "-c", begun], cwd=folder, capture_output=True, text=True, env={**ours, "COLUMNS": "300"}
    )


@pytest.mark.parametrize("first", [100, PAGE, 4 * PAGE], ids=["all", "all pages but the first", "later pages"])
@pytest.mark.parametrize(
    "command", ["status", "watch", "export --to csv --out -", "export --to jsonl --out all.jsonl", "write-xmp", "diff"]
)
def test_a_damaged_ledger_is_named(tmp_path: Path, command: str, first: int) -> None:
    cases = [Case(str(path), answer("animal", species={"cat": 0.9})) for path in paint(tmp_path / "in", 40)]
    for made_from in ({"arm": "fused"}, {"arm": "reads"}):
        write_batch(tmp_path / "tags", cases, made_from=made_from)
    ledger = tmp_path / "tags" / "ledger.sqlite"
    whole = ledger.read_bytes()
    ledger.write_bytes(whole[:first] + hashlib.shake_128(b"noise").digest(len(whole) - first))
    name, *words = command.split()
    done = onelook(tmp_path, f"onelook batch {name} tags {' '.join(words)}")
    assert "Traceback" not in done.stderr
    assert done.returncode == 2, done.stdout
    assert "tags/ledger.sqlite is no ledger, or is damaged" in done.stderr
    assert "--out" not in done.stderr


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 64) as folder:
        (folder / "tags").mkdir()
        fill(folder)
        yield folder


def test_a_disk_that_is_full_at_the_start(full_disk: Path) -> None:
    paint(full_disk.parent / "in", 1)
    done = onelook(full_disk.parent, "onelook batch in --out disk/tags")
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
    assert "No space left on device" in done.stderr


def test_a_standard_output_that_is_closed(tmp_path: Path) -> None:
    paint(tmp_path / "in", 1)
    write_batch(tmp_path / "tags", [Case(str(tmp_path / "in" / "000.jpg"), failure("ImageUnreadable", "no picture"))])
    for words in ("--failed", "", "--json"):
        done = onelook(tmp_path, f"onelook batch status tags {words} >&-")
        assert (done.returncode, done.stderr) == (0, "")


def test_an_export_takes_the_place_of_no_photograph(tmp_path: Path) -> None:
    (photo,) = paint(tmp_path / "in", 1)
    write_batch(tmp_path / "tags", [Case(str(photo), answer("animal"))])
    before = photo.read_bytes()
    for to in ("csv", "jsonl", "sqlite", "parquet", "html"):
        done = onelook(tmp_path, f"onelook batch export tags --to {to} --out in/000.jpg")
        assert done.returncode == 2
        assert f"in/000.jpg is there, and is no {to}" in done.stderr
        again = f"onelook batch export tags --to {to} --out table.{to}.txt"
        assert [onelook(tmp_path, again).returncode for _ in range(2)] == [0, 0], "an export is replaced by the next"
    assert photo.read_bytes() == before


def test_an_export_into_a_pipe_ends_with_its_reader(tmp_path: Path) -> None:
    cases = [Case(f"/photos/{number}.jpg", answer("animal")) for number in range(3000)]
    write_batch(tmp_path / "tags", cases)
    for to in ("csv", "jsonl"):
        done = onelook(tmp_path, f"onelook batch export tags --to {to} --out - | head -1; exit ${{PIPESTATUS[0]}}")
        assert (done.returncode, done.stderr) == (1, "")
        assert len(done.stdout.splitlines()) == 1
