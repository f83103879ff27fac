"""`onelook batch write-xmp` as people run it: a real batch, real pictures, and ExifTool to look at the outcome."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from onelook.settings.process import PHOTOS
from tests.batch.ledgers import Case, answer, failure, write_batch
from tests.batch.sidecars import CAT, DARKTABLE, DOG, lists_of, needs_exiftool, picture, shown
from tests.batch.test_batch_terminal import default_signals

ROOT = Path(__file__).parent.parent.parent
DRAWING = ROOT / "onelook" / "demo" / "drawings" / "heldout-0002.jpg"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def onelook(tmp_path: Path) -> Run:
    """`onelook batch` in an empty folder, with nothing of the caller's own settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONELOOK_")}

    def run(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "onelook", "batch", *map(str, words)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env={**environment, "COLUMNS": "300", **variables}
        )

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Pictures of every fate, and the batch `tags` that knows them."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("cat", "unsure", "failed", "todo", "broken", "locked", "old"):
        picture(folder / f"{name}.jpg")
    (folder / "broken.jpg.xmp").write_bytes(b"<x:xmpmeta")
    (folder / "locked.jpg.xmp").write_text(DARKTABLE)
    (folder / "locked.jpg.xmp").chmod(0o444)
    (folder / "old.jpg.xmp").write_text(DARKTABLE)
    cases = {
        "cat.jpg": CAT,
        "unsure.jpg": answer("animal", 0.5, species={"cat": 0.9}),
        "failed.jpg": failure("EngineUnavailable", "nothing answers", retryable=True),
        "todo.jpg": None,
        "broken.jpg": CAT,
        "locked.jpg": CAT,
        "gone.jpg": CAT,
        "old.jpg": DOG,
    }
    write_batch(
        tmp_path / "tags",
        [
            *(Case(str(folder / name), result) for name, result in cases.items()),
            Case("https://example.org/a.jpg", CAT),
        ],
    )
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_one_refused_sidecar_never_ends_the_others(onelook: Run, photos: Path) -> None:
    before = content(photos)
    done = onelook("write-xmp", "tags")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"refused\t{photos}/broken.jpg.xmp\tit is broken XML: unclosed token (line 1, column 1)",
        f"refused\t{photos}/locked.jpg.xmp\tit is read-only (allow writing (chmod u+w) if its tags may change)",
        f"refused\t{photos}/gone.jpg.xmp\tthe picture is not there any more",
    ]
    assert (
        "1 new sidecars, 1 changed, 1 without tags of ours, 2 without an answer, 1 not on this machine, 3 refused"
        in done.stderr
    )
    after = content(photos)
    assert {name for name, data in after.items() if before.get(name) != data} == {"cat.jpg.xmp", "old.jpg.xmp"}
    again = onelook("write-xmp", "tags")
    assert "2 unchanged" in again.stderr
    assert content(photos) == after


def test_a_dry_run_says_what_each_file_would_get(onelook: Run, photos: Path) -> None:
    before = content(photos)
    done = onelook("write-xmp", "tags", "--dry-run", "--language", "en", "--language", "zh", "--root", "AI")
    assert done.returncode == 1
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert lines[0] == [
        "new",
        f"{photos}/cat.jpg.xmp",
        "+AI/animal",
        "+AI/animal/species/cat",
        "+AI/动物",
        "+AI/动物/物种/猫",
    ]
    assert [line[0] for line in lines] == ["new", "refused", "refused", "refused", "changed"]
    assert lines[-1][2:4] == ["+trip/2024", "+AI/animal"], "the list of another program is copied into every list"
    assert "dry run, nothing is written: 1 new sidecars, 1 changed" in done.stderr
    assert content(photos) == before


def test_what_was_written_is_taken_out_again(onelook: Run, photos: Path) -> None:
    before = content(photos)
    onelook("write-xmp", "tags", "--min-confidence", "0.5")
    assert (photos / "unsure.jpg.xmp").exists()
    done = onelook("write-xmp", "tags", "--remove")
    assert "1 changed, 2 sidecars removed that held nothing else" in done.stderr
    assert content(photos) == before


def test_a_renamed_label_needs_no_new_answers(onelook: Run, photos: Path, tmp_path: Path) -> None:
    onelook("write-xmp", "tags")
    (tmp_path / "renamed.yaml").write_text(PHOTOS.read_text().replace("zh: 狗", "zh: 犬"))
    done = onelook("write-xmp", "tags", "--taxonomy", "renamed.yaml", "--dry-run")
    assert f"changed\t{photos}/old.jpg.xmp\t+onelook/动物/物种/犬\t-onelook/动物/物种/狗\n" in done.stdout
    onelook("write-xmp", "tags", "--taxonomy", "renamed.yaml")
    subject = next(iter(lists_of((photos / "old.jpg.xmp").read_bytes()).values()))
    assert subject == ["2024", "trip", "动物", "犬"]


def test_a_picture_that_the_list_holds_is_counted_and_not_printed(onelook: Run, tmp_path: Path) -> None:
    data = "data:image/jpeg;base64," + "A" * 5000
    write_batch(tmp_path / "tags", [Case(data, CAT)])
    done = onelook("write-xmp", "tags")
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 not on this machine" in done.stderr
    assert "AAAA" not in done.stderr


def test_what_is_left_out_later_is_taken_out(onelook: Run, photos: Path) -> None:
    onelook("write-xmp", "tags")
    assert onelook("write-xmp", "tags", "--leave-out", "species").returncode == 1
    subject = next(iter(lists_of((photos / "cat.jpg.xmp").read_bytes()).values()))
    assert subject == ["动物"]


def test_raw_and_jpeg_share_a_sidecar(onelook: Run, tmp_path: Path) -> None:
    jpeg, raw = picture(tmp_path / "a.jpg"), tmp_path / "a.nef"
    raw.write_bytes(b"raw")
    write_batch(tmp_path / "tags", [Case(str(jpeg), CAT), Case(str(raw), DOG)])
    done = onelook("write-xmp", "tags", "--naming", "photo.xmp")
    assert done.returncode == 0, done.stdout
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.jpg", "a.nef", "a.xmp", "tags"]
    assert "2 unchanged" in onelook("write-xmp", "tags").stderr, "without an option, the one that is there is taken"


def test_answers_without_confidence_are_counted_with_what_to_do(onelook: Run, tmp_path: Path) -> None:
    path = picture(tmp_path / "a.jpg")
    write_batch(tmp_path / "tags", [Case(str(path), answer("animal", None, species={"cat": 0.9}))])
    done = onelook("write-xmp", "tags")
    assert done.returncode == 0
    assert "1 answers have no confidence" in done.stderr
    assert "--min-confidence 0" in done.stderr
    assert "1 new sidecars" in onelook("write-xmp", "tags", "--min-confidence", "0").stderr


def test_without_exiftool_it_works_and_says_what_is_missing(onelook: Run, photos: Path, tmp_path: Path) -> None:
    done = onelook("write-xmp", "tags", PATH=str(tmp_path))
    assert "ExifTool is not installed" in done.stderr
    assert (photos / "cat.jpg.xmp").exists()
    refused = onelook("write-xmp", "tags", "--embed", PATH=str(tmp_path))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--embed needs ExifTool, which is not on the PATH" in refused.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--language", "de"], "the taxonomy has no labels in de: it has zh, en"),
        (["--leave-out", "spcies"], "the taxonomy has no category, attribute or option 'spcies'"),
        (["--root", "a/b"], "the root 'a/b' has a separator"),
        (["--min-confidence", "85"], "'--min-confidence': Input should be less than or equal to 1"),
        (["--naming", "photo.png"], "photo.jpg.xmp"),
        (["--taxonomy", "missing.yaml"], "missing.yaml"),
    ],
)
def test_what_cannot_begin_ends_with_2(onelook: Run, photos: Path, words: list[str], message: str) -> None:
    done = onelook("write-xmp", "tags", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert not (photos / "cat.jpg.xmp").exists()


def test_a_folder_without_a_batch_or_a_version_that_is_not_there(onelook: Run, photos: Path) -> None:
    assert onelook("write-xmp", "photos").returncode == 2
    done = onelook("write-xmp", "tags@7")
    assert done.returncode == 2
    assert "no answers of version @7" in done.stderr


@pytest.mark.parametrize("closed", ["pipe", "full disk", "nothing"])
def test_standard_output_that_takes_no_line_stops_no_picture(photos: Path, tmp_path: Path, closed: str) -> None:
    """`| head -0`, `> /dev/full` and `>&-`."""
    command = [sys.executable, "-m", "onelook", "batch", "write-xmp", "tags"]
    words = {"pipe": '"$@" | exit 0; exit ${PIPESTATUS[0]}', "full disk": '"$@" >/dev/full', "nothing": '"$@" >&-'}
    done = subprocess.run(
        ["bash", "-c", words[closed], "bash", *command], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 1
    assert "1 new sidecars, 1 changed" in done.stderr
    assert "3 refused" in done.stderr
    assert "Traceback" not in done.stderr
    assert ("standard output cannot be written: No space left on device" in done.stderr) is (closed == "full disk")
    assert (photos / "old.jpg.xmp").read_text() != DARKTABLE


def test_a_signal_lets_the_picture_in_hand_be_finished(photos: Path, tmp_path: Path) -> None:
    """ExifTool waits for the picture's first read until the test has sent the signal."""
    tools = tmp_path / "tools"
    tools.mkdir()
    os.mkfifo(tmp_path / "go")
    real = shutil.which("exiftool") or pytest.skip("ExifTool is not installed")
    (tools / "exiftool").write_text(f'#!/bin/sh\nread line < go\nexec {real} "$@"\n')
    (tools / "exiftool").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "COLUMNS": "300"}
    command = [sys.executable, "-m", "onelook", "batch", "write-xmp", "tags"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=default_signals,
    ) as process:
        with (tmp_path / "go").open("w") as go:  # opened when ExifTool reads from it
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            go.write("go\n")
        _, shown_ = process.communicate()
    assert process.returncode == 128 + signal.SIGINT
    assert "stopped: the same command goes on" in shown_
    assert "1 new sidecars" in shown_
    assert (photos / "cat.jpg.xmp").exists()
    assert (photos / "old.jpg.xmp").read_text() == DARKTABLE


@needs_exiftool
def test_a_batch_of_embedded_pictures_does_not_list_their_backups(onelook: Run, tmp_path: Path) -> None:
    """Twice: the pictures have other bytes after the first time, and are asked about again."""
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(DRAWING, folder / "photo.jpg")
    for _ in range(2):
        assert onelook("photos", "--out", "tags").returncode == 0
        done = onelook("write-xmp", "tags", "--embed")
        assert done.returncode == 0, done.stdout
    assert sorted(each.name for each in folder.iterdir()) == ["photo.jpg", "photo.jpg_original"]
    assert (folder / "photo.jpg_original").read_bytes() == DRAWING.read_bytes()
    assert "1 ExifTool's backup of a picture" in onelook("status", "tags").stdout


@needs_exiftool
def test_the_documented_view_is_what_exiftool_prints(onelook: Run, tmp_path: Path) -> None:
    """From the drawing, by the bundled model, to the keywords of the sidecar and of the picture."""
    folder = tmp_path / "photos"
    folder.mkdir()
    photo, sidecar = folder / "photo.jpg", folder / "photo.jpg.xmp"
    shutil.copy(DRAWING, photo)
    for words in (["-IPTC:Keywords=holiday", photo], ["-XMP:Rating=4", "-HierarchicalSubject=Places|Rome", sidecar]):
        subprocess.run(["exiftool", "-q", "-overwrite_original", *map(str, words)], check=True)
    theirs = sidecar.read_bytes()
    before = printed("-Rating", "-HierarchicalSubject", sidecar)
    assert onelook("photos", "--out", "tags").returncode == 0
    done = onelook("write-xmp", "tags", "--language", "en")
    assert (done.returncode, done.stdout) == (0, "")
    after = printed("-Rating", "-HierarchicalSubject", "-Subject", "-TagsList", "-LastKeywordXMP", sidecar)
    for name in ("README.md", "README.zh.md", "docs/metadata.md"):
        text = (ROOT / name).read_text()
        assert before in text
        assert after in text
    assert onelook("write-xmp", "tags", "--remove").returncode == 0
    assert sidecar.read_bytes() == theirs

    embedded = onelook("write-xmp", "tags", "--embed", "--language", "en")
    assert "1 pictures have other bytes now: `onelook batch run` takes them for new ones" in embedded.stderr
    assert shown(photo)["XMP-dc:Subject"] == ["holiday", "animal", "fish"]


def printed(*words: str | Path) -> str:
    """As in the documents, indented."""
    command = ["exiftool", "-G1", "-s", *map(str, words)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return "".join(f"    {line}\n" for line in done.stdout.splitlines())
