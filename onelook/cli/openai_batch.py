"""`onelook batch export --openai-batch` and `onelook batch import --openai-batch`, and what they say."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from onelook.batch.ledger import Ledger
from onelook.batch.ledger_reader import LedgerReader
from onelook.batch.lock import locked
from onelook.batch.manifest import Columns
from onelook.batch.openai_batch.offline import Offline
from onelook.batch.openai_batch.read import Imported, Named, import_answers
from onelook.batch.openai_batch.write import FileLimits, Written, total, write_requests
from onelook.batch.sources import listed_pictures
from onelook.cli.bug_traces import keep_bug_traces
from onelook.cli.notes import print_note
from onelook.cli.pictures import left_out_line
from onelook.cli.stopping import run_until_stopped
from onelook.images.printable import printable
from onelook.images.walk import Found


def export_questions(
    questions: Offline,
    folder: Path,
    out: Path | None,
    pictures: Sequence[str],
    limits: tuple[int, int],
    *,
    again: bool,
) -> None:
    """Raises `BatchError` where a file or the ledger cannot be written."""
    from onelook.cli.console import progress

    keep_bug_traces()
    with locked(folder), closing(Ledger.create(folder)) as ledger:
        if pictures:
            found = Found()
            ledger.add(listed_pictures(pictures, found, columns=Columns(), read_list=sys.stdin.buffer.read))
            if found.left_out:
                print_note(left_out_line(found.left_out))
        counts = ledger.count(None)
        if not counts["todo"]:
            print_note("the batch lists no pictures: add some with --pictures FOLDER")
            return
        with progress() as bar:
            task = bar.add_task("writing questions", total=counts["todo"])
            written = run_until_stopped(
                write_requests(
                    questions,
                    ledger,
                    out or folder / "openai-batch",
                    FileLimits(*limits),
                    again=again,
                    on_picture=lambda: bar.advance(task),
                )
            )
    for note in _notes(written, folder):
        print_note(note)
    for file in written.files:
        sys.stdout.write(f"{printable(str(file))}\n")


def _notes(written: Written, folder: Path) -> list[str]:
    notes = []
    if written.asked:
        files = f"{len(written.files):,} file{'s' if len(written.files) > 1 else ''}"
        notes.append(f"{written.asked:,} questions in {files}, {total(written.files) / 1e6:,.1f} MB")
    if written.same:
        notes.append(f"the same bytes as a picture that is asked about: {written.same:,}")
    if written.answered:
        notes.append(f"the same bytes as a picture that is answered: {written.answered:,}")
    if written.pending:
        notes.append(f"{written.pending:,} wait for the answers to earlier files: import these, or add --again")
    if written.failed:
        shown = printable(str(folder))
        notes.append(f"{written.failed:,} cannot be sent: `onelook batch status {shown} --failed` has the reasons")
    return notes or ["every picture has its answer: nothing to ask"]


def import_files(questions: Offline, folder: Path, files: Sequence[Path]) -> Literal[0, 1]:
    """The exit code. Raises `BatchError` where a file cannot be read, or the questions were others."""
    from onelook.cli.console import err

    LedgerReader.read(folder).close()  # no batch is begun by a mistyped name
    with locked(folder), closing(Ledger.create(folder)) as ledger, err.status("reading answers") as status:
        lines = 0

        def on_line() -> None:
            nonlocal lines
            lines += 1
            if lines % 100 == 0:
                status.update(f"reading answers: {lines:,}")

        imported = run_until_stopped(import_answers(questions, ledger, files, on_line=on_line))
    _report(imported)
    useless = imported.broken.count or imported.unknown.count
    return 1 if useless or imported.failed or imported.missing else 0


def _report(imported: Imported) -> None:
    new = imported.ok + imported.needs_review + imported.failed
    print_note(
        f"{new:,} pictures: {imported.ok:,} ok, {imported.needs_review:,} to review, {imported.failed:,} failed"
        + (f"; {imported.known:,} were answered before" if imported.known else "")
    )
    _name("lines of no use", imported.broken)
    _name("answers to no question of this batch", imported.unknown)
    _name("answers that came more than once, of which the first was taken", imported.duplicate)
    for file, missing in imported.missing.items():
        _name(f"pictures in {printable(file)} without an answer", missing)


def _name(what: str, named: Named) -> None:
    if not named.count:
        return
    print_note(f"{what}: {named.count:,}")
    for each in named.first:
        print_note(f"  {printable(each)}")
    if named.count > len(named.first):
        print_note(f"  and {named.count - len(named.first):,} more")
