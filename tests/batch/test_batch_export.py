"""What other programs read of a batch: the columns, their types, and that a file is whole or not there."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import pandas
import pyarrow
import pyarrow.parquet
import pytest

from onelook.batch.export.batch import Batch
from onelook.batch.export.columns import FIXED, PROVENANCE, TIMING, Choices, columns_of, readable_path
from onelook.batch.export.formats import write_table
from onelook.batch.ledger import Ledger
from onelook.errors import BatchError
from tests.batch.ledgers import TAXONOMY, Case, answer, failure, write_batch

DOCUMENTATION = Path(__file__).parent.parent.parent / "docs" / "batch-results.md"

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
Table = Literal["parquet", "csv", "jsonl", "sqlite"]
TABLES: tuple[Table, ...] = ("parquet", "csv", "jsonl", "sqlite")

PORTRAIT = answer(
    "portrait",
    0.97,
    gender={"female": 0.91},
    composition={"selfie": 0.95, "half_body": 0.6},
    mood={"happy": 0.99},
    scene={"indoor": 0.88},
)
CAT = answer("animal", species={"cat": 0.98}, count={"one": 0.97})

ALL = Choices()

CASES = [
    Case("/photos/自拍.jpg", PORTRAIT, name="first"),
    Case("/photos/cat.jpg", CAT, data=b"cat"),
    Case("/photos/copy of cat.jpg", CAT, data=b"cat"),
    Case("/photos/water.jpg", answer("landscape", 0.4, status="needs_review", terrain={}, time={"dusk": 0.3})),
    Case("/photos/broken.jpg", failure("ImageUnreadable", "broken.jpg: broken or truncated JPEG file")),
    Case("/photos/later.jpg", failure("EngineUnavailable", "nothing answers", retryable=True)),
    Case("/photos/todo.jpg", None),
    Case("https://example.org/a.jpg?size=1", answer("food", kind={"cake": 0.9}), name="=HYPERLINK(1)"),
    Case(b"/photos/caf\xe9\n.jpg", answer("document", None)),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_batch(tmp_path / "tags", CASES)
    return tmp_path / "tags"


@pytest.fixture
def onelook(tmp_path: Path) -> Run:
    """The command in an empty folder, with nothing of the caller's own settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONELOOK_")}

    def run(*words: str | Path) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "onelook", "batch", *map(str, words)]
        return subprocess.run(command, capture_output=True, cwd=tmp_path, env={**environment, "COLUMNS": "200"})

    return run


def written(folder: Path, to: Table, choices: Choices = ALL, *, bom: bool = True) -> Path:
    out = folder.parent / f"out.{to}"
    write_table(Batch.read(folder), to, out, choices, bom=bom)
    return out


def lines(folder: Path, choices: Choices = ALL) -> dict[str, dict[str, Any]]:
    """The rows of JSONL by id."""
    read = [json.loads(line) for line in written(folder, "jsonl", choices).read_bytes().splitlines()]
    return {row["id"]: row for row in read}


def test_every_picture_has_a_row_with_its_outcome(folder: Path) -> None:
    rows = lines(folder)
    assert [row["status"] for row in rows.values()] == [
        "ok",
        "ok",
        "ok",
        "needs_review",
        "failed",
        "failed",
        "todo",
        "ok",
        "ok",
    ]
    first = rows["first"]
    assert first["path"] == "/photos/自拍.jpg"
    assert (first["category"], first["category_label"], first["category_confidence"]) == ("portrait", "人像", 0.97)
    assert first["portrait.gender"] == "female"
    assert first["portrait.composition"] == ["selfie", "half_body"]
    assert first["animal.species"] is None
    assert first["least_confidence"] == 0.6
    assert (first["model"], first["taxonomy"]) == ("onelook-demo", TAXONOMY.version)
    assert rows["4"]["landscape.terrain"] == []
    assert rows["5"]["errors"] == ["ImageUnreadable: broken.jpg: broken or truncated JPEG file"]
    assert (rows["5"]["may_pass"], rows["6"]["may_pass"], rows["7"]["may_pass"]) == (False, True, None)
    assert {key for key, value in rows["7"].items() if value not in (None, [])} == {"id", "path", "status"}


def test_a_duplicate_names_the_first_picture_with_its_bytes(folder: Path) -> None:
    rows = lines(folder, Choices(timing=True))
    assert (rows["2"]["duplicate_of"], rows["3"]["duplicate_of"]) == (None, "2")
    assert rows["2"]["sha256"] == rows["3"]["sha256"]
    assert (rows["2"]["prompt_tokens"], rows["3"]["prompt_tokens"]) == (100, None), "nothing was spent on it"
    assert (rows["2"]["wall_ms"], rows["3"]["wall_ms"]) == (120.5, None)


def test_a_path_that_text_cannot_hold_is_kept_whole_in_its_uri(folder: Path) -> None:
    row = lines(folder)["9"]
    assert row["path"] == "/photos/caf\\xe9\n.jpg"
    assert row["path_uri"] == "file:///photos/caf%E9%0A.jpg"
    assert lines(folder)["first"]["path_uri"] is None
    assert readable_path("/photos/caf\udce9.jpg") == "/photos/caf\\xe9.jpg"


def test_tags_that_are_not_sure_enough_are_left_out(folder: Path) -> None:
    rows = lines(folder, Choices(min_confidence=0.9, confidences=True))
    assert rows["first"]["portrait.composition"] == ["selfie"]
    assert rows["first"]["portrait.composition.confidence"] == 0.95
    assert rows["first"]["portrait.scene"] is None
    assert rows["first"]["least_confidence"] == 0.91
    assert (rows["4"]["status"], rows["4"]["category"]) == ("needs_review", None)
    assert rows["9"]["category"] is None, "an unknown confidence is not a high one"


def test_the_documentation_has_every_column() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([a-z0-9_]+)` \| (?:text|number|flag|list of texts) \|", text, re.MULTILINE)
    assert documented == [column.name for column in (*FIXED, *PROVENANCE)]
    for column in TIMING:
        assert f"`{column.name}`" in text


@pytest.mark.parametrize("timing", [False, True])
def test_the_columns_are_those_of_the_taxonomy_whatever_pictures_there_are(tmp_path: Path, timing: bool) -> None:
    choices = Choices(timing=timing)
    expected = [column.name for column in columns_of(TAXONOMY, choices)]
    assert ("wall_ms" in expected) is timing
    for number, cases in enumerate(([], CASES[4:7], CASES)):
        folder = tmp_path / str(number)
        write_batch(folder, cases)
        assert pyarrow.parquet.read_schema(written(folder, "parquet", choices)).names == expected
        heading = written(folder, "csv", choices).read_text(encoding="utf-8-sig").splitlines()[0]
        assert heading.split(",") == expected


def test_no_column_of_parquet_is_without_a_type(tmp_path: Path) -> None:
    write_batch(tmp_path / "tags", CASES[6:7])
    table = pyarrow.parquet.read_table(written(tmp_path / "tags", "parquet", Choices(timing=True)))
    types = {field.name: field.type for field in table.schema}
    assert not any(pyarrow.types.is_null(each) for each in types.values())
    assert types["portrait.gender"] == pyarrow.string()
    assert types["portrait.composition"] == types["errors"] == pyarrow.list_(pyarrow.string())
    assert types["least_confidence"] == types["wall_ms"] == pyarrow.float64()
    assert types["prompt_tokens"] == pyarrow.int64()


def test_all_formats_say_the_same(folder: Path) -> None:
    expected = list(lines(folder).values())
    table = pyarrow.parquet.read_table(written(folder, "parquet"))
    assert table.to_pylist() == expected
    assert json.loads(table.schema.metadata[b"onelook.made_from"]) == {"arm": "fused"}
    text = written(folder, "csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["portrait.composition"] for row in rows][:2] == ["selfie+half_body", ""]
    assert [row["path"] for row in rows] == [row["path"] for row in expected]
    with closing(sqlite3.connect(written(folder, "sqlite"))) as database:
        found = database.execute('SELECT path, "animal.species" FROM pictures WHERE category = ?', ("animal",))
        assert found.fetchall() == [("/photos/cat.jpg", "cat"), ("/photos/copy of cat.jpg", "cat")]
        tags = database.execute(
            "SELECT option, label, confidence FROM tags JOIN pictures USING (picture)"
            " WHERE id = 'first' AND attribute = 'portrait.composition' ORDER BY tags.rowid"
        )
        assert tags.fetchall() == [("selfie", "自拍", 0.95), ("half_body", "半身", 0.6)]


def test_pandas_reads_the_csv_and_its_chinese(folder: Path) -> None:
    read = pandas.read_csv(written(folder, "csv"))
    assert list(read["category_label"])[:2] == ["人像", "动物"]
    assert list(read["category_confidence"])[:2] == [0.97, 0.99]


def test_a_spreadsheet_takes_no_text_for_a_formula(folder: Path) -> None:
    rows = list(csv.reader(io.StringIO(written(folder, "csv").read_bytes().decode("utf-8-sig"), newline="")))
    assert "'=HYPERLINK(1)" in [row[0] for row in rows]
    assert "=HYPERLINK(1)" in lines(folder), "other formats have the id as it is"


@pytest.mark.parametrize(("bom", "begins"), [(True, b"\xef\xbb\xbfid,"), (False, b"id,")])
def test_the_mark_for_excel_can_be_left_out(folder: Path, bom: bool, begins: bytes) -> None:
    assert written(folder, "csv", bom=bom).read_bytes().startswith(begins)


@pytest.mark.parametrize("to", TABLES)
def test_a_file_that_was_there_stays_whole_until_the_new_one_is(to: Table, folder: Path) -> None:
    out = folder.parent / "out"
    out.write_bytes(b"old")

    def fail() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(BatchError, match="the disk is full; the file that was there is as it was"):
        write_table(Batch.read(folder), to, out, Choices(), on_entry=fail)
    assert out.read_bytes() == b"old"
    assert sorted(each.name for each in folder.parent.iterdir()) == ["out", "tags"]


def test_a_killed_export_leaves_the_old_file_and_the_next_one_tidies_up(folder: Path) -> None:
    out = folder.parent / "out.csv"
    out.write_bytes(b"old")
    script = f"""
import time
from pathlib import Path
from onelook.batch.export.columns import Choices
from onelook.batch.export.batch import Batch
from onelook.batch.export.formats import write_table
def wait():
    print("writing", flush=True)
    time.sleep(600)
write_table(Batch.read(Path({str(folder)!r})), "csv", Path({str(out)!r}), Choices(), on_entry=wait)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"writing\n"
        killed.send_signal(signal.SIGKILL)
    assert out.read_bytes() == b"old"
    assert len(list(folder.parent.glob(".out.csv.*.part"))) == 1
    written(folder, "csv")
    assert out.read_bytes() != b"old"
    assert list(folder.parent.glob(".out.csv.*.part")) == []


def test_a_place_that_cannot_be_written_is_named(folder: Path) -> None:
    batch = Batch.read(folder)
    for out, words in [
        (folder, "is a folder"),
        (folder / "ledger.sqlite", "belongs to the batch itself"),
        (folder / "missing" / "out.csv", "its folder does not exist"),
        (Path("/proc/out.csv"), "/proc/out.csv"),
    ]:
        with pytest.raises(BatchError, match=words):
            write_table(batch, "csv", out, Choices())


def test_a_ledger_without_the_taxonomy_says_how_to_add_it(tmp_path: Path) -> None:
    write_batch(tmp_path / "tags", CASES)
    with closing(sqlite3.connect(tmp_path / "tags" / "ledger.sqlite")) as ledger:
        ledger.execute("UPDATE version SET taxonomy = NULL")
        ledger.commit()
    with pytest.raises(BatchError, match="without their taxonomy") as refused:
        written(tmp_path / "tags", "csv")
    assert "asks nothing again" in str(refused.value.hint)
    write_batch(tmp_path / "tags", [])
    assert len(lines(tmp_path / "tags")) == len(CASES)


def test_a_batch_is_exported_as_it_is_while_a_run_writes_to_it(folder: Path) -> None:
    with closing(Ledger.create(folder)) as ledger:
        (todo,) = ledger.todo(1, after=0, at_most=9)
        seen: list[int] = []

        def answered() -> None:
            if not seen:
                ledger.record(1, todo.picture, b"s" * 32, CAT)
            seen.append(1)

        out = folder.parent / "out.jsonl"
        write_table(Batch.read(folder), "jsonl", out, Choices(), on_entry=answered)
        assert len(seen) == len(CASES)
    rows = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert rows[6]["status"] == "todo"
    assert lines(folder)["7"]["status"] == "ok"


def test_the_command_writes_a_file_and_says_what_is_missing(folder: Path, onelook: Run) -> None:
    done = onelook("export", "tags", "--to", "parquet")
    assert (done.returncode, done.stdout) == (0, b"tags/tags.parquet\n")
    assert b"1 of 9 pictures have no answer yet" in done.stderr
    assert pyarrow.parquet.read_table(folder / "tags.parquet").num_rows == 9
    assert onelook("export", "tags", "--out", "mine.db").stdout == b"mine.db\n"


def test_the_command_writes_to_a_pipe(folder: Path, onelook: Run) -> None:
    done = onelook("export", "tags", "--to", "jsonl", "--out", "-")
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()].count("ok") == 5


def test_the_command_writes_the_version_that_is_meant(tmp_path: Path, onelook: Run) -> None:
    write_batch(tmp_path / "tags", CASES[:1], made_from={"arm": "fused", "model": "old"})
    write_batch(tmp_path / "tags", [Case(CASES[0].place, CAT, name="first")], made_from={"arm": "fused"})
    for words, category in [
        (["tags"], "animal"),
        (["tags@1"], "portrait"),
        (["tags", "--version", "1"], "portrait"),
    ]:
        done = onelook("export", *words, "--to", "jsonl", "--out", "-")
        assert [json.loads(line)["category"] for line in done.stdout.splitlines()] == [category]
    refused = onelook("export", "tags@3", "--to", "csv")
    assert refused.returncode == 2
    assert b"it has @1 to @2" in refused.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tags"], b"--to parquet, csv, jsonl, sqlite or html"),
        (["tags", "--out", "tags.xlsx"], b"tags.xlsx does not say which format is meant"),
        (["tags", "--out", "-"], b"--to jsonl"),
        (["nothing", "--to", "csv"], b"nothing holds no batch"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: list[str], message: bytes, folder: Path, onelook: Run) -> None:
    refused = onelook("export", *words)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert message in refused.stderr


def test_without_pyarrow_the_command_names_the_extra(folder: Path, tmp_path: Path) -> None:
    code = "import sys; sys.modules['pyarrow'] = None; from onelook.cli.app import main; main()"
    words = ["batch", "export", str(folder), "--to", "parquet"]
    refused = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=tmp_path)
    assert refused.returncode == 2
    assert "pip install 'onelook[batch]'" in refused.stderr
    assert not list(folder.glob("*.parquet"))
