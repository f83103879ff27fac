"""Sidecars as files: which one belongs to a picture, and that each is whole, whatever ends the writing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from onelook.batch.xmp.exiftool import ExifTool
from onelook.batch.xmp.names import HIERARCHICAL, PATH_LISTS, SUBJECT
from onelook.batch.xmp.write import WriteChoices, Writer
from onelook.errors import MetadataError
from tests.batch.ledgers import TAXONOMY, failure
from tests.batch.sidecars import CAT, DARKTABLE, DOG, lists_of, needs_exiftool, picture, write

NOBODY = 65534


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return picture(tmp_path / "photo.jpg")


@pytest.fixture
def as_nobody(tmp_path: Path) -> Iterator[None]:
    """Root may write everything."""
    is_root = os.geteuid() == 0
    if is_root:
        for each in (tmp_path, *tmp_path.iterdir()):
            os.chown(each, NOBODY, NOBODY)
        for each in tmp_path.parents:
            if each.stat().st_uid == 0 and each.is_relative_to(tmp_path.parent.parent.parent):
                each.chmod(each.stat().st_mode | 0o055)
        os.seteuid(NOBODY)
    yield
    if is_root:
        os.seteuid(0)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def subject(sidecar: Path) -> list[str]:
    return lists_of(sidecar.read_bytes())[SUBJECT]


def test_a_second_run_does_not_touch_the_file(photo: Path) -> None:
    sidecar = photo.with_name("photo.jpg.xmp")
    assert write(photo).what == "new"
    before = sidecar.stat()
    assert write(photo).what == "unchanged"
    after = sidecar.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert write(photo, DOG).what == "changed"
    assert subject(sidecar) == ["动物", "狗"]
    assert write(photo, remove=True).what == "removed"
    assert names(photo.parent) == ["photo.jpg"]
    assert write(photo, remove=True).what == "nothing"


def test_a_foreign_sidecar_is_left_as_it_was_when_ours_are_removed(photo: Path) -> None:
    sidecar = photo.with_name("photo.jpg.xmp")
    sidecar.write_text(DARKTABLE)
    sidecar.chmod(0o640)
    assert write(photo).what == "changed"
    assert sidecar.stat().st_mode & 0o777 == 0o640
    assert write(photo, remove=True).what == "changed"
    assert sidecar.read_text() == DARKTABLE


def test_a_failed_answer_changes_nothing(photo: Path) -> None:
    write(photo)
    assert write(photo, failure("EngineUnavailable", "nothing answers")).what == "unanswered"
    assert subject(photo.with_name("photo.jpg.xmp")) == ["动物", "猫"]


def test_a_dry_run_writes_nothing_and_says_what_it_would(photo: Path) -> None:
    assert write(photo, dry_run=True).what == "new"
    assert names(photo.parent) == ["photo.jpg"]
    write(photo)
    sidecar = photo.with_name("photo.jpg.xmp")
    before = sidecar.read_bytes()
    assert write(photo, DOG, dry_run=True).what == "changed"
    assert write(photo, remove=True, dry_run=True).what == "removed"
    sidecar.chmod(0o444)
    refused = write(photo, DOG, dry_run=True)
    assert (refused.what, refused.error and refused.error.message) == ("refused", "it is read-only")
    assert sidecar.read_bytes() == before


def test_raw_and_jpeg_share_one_sidecar_by_option(tmp_path: Path) -> None:
    raw, jpeg = tmp_path / "photo.cr2", picture(tmp_path / "photo.jpg")
    raw.write_bytes(b"raw")
    sidecar = tmp_path / "photo.xmp"
    assert write(raw, DOG, sidecar_name="photo.xmp").file == sidecar
    assert b"<photoshop:SidecarForExtension>CR2</photoshop:SidecarForExtension>" in sidecar.read_bytes()
    assert write(jpeg, CAT, sidecar_name="photo.xmp").what == "changed"
    assert subject(sidecar) == ["动物", "狗", "猫"]
    assert write(raw, DOG, sidecar_name="photo.xmp").what == "unchanged"
    assert write(raw, remove=True).what == "changed"
    assert subject(sidecar) == ["动物", "猫"]
    jpeg.unlink()
    assert write(jpeg, remove=True).what == "removed", "the mark of the raw file is ours, and goes too"
    assert not sidecar.exists()


def test_the_raw_file_s_mark_stays_beside_what_another_program_has_put_in(tmp_path: Path) -> None:
    raw, sidecar = tmp_path / "photo.cr2", tmp_path / "photo.xmp"
    raw.write_bytes(b"raw")
    sidecar.write_text(
        DARKTABLE.replace(
            "<dc:subject>",
            '<photoshop:SidecarForExtension xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">CR2'
            "</photoshop:SidecarForExtension><dc:subject>",
        )
    )
    before = sidecar.read_bytes()
    assert write(raw, DOG).what == "changed"
    assert write(raw, remove=True).what == "changed"
    assert sidecar.read_bytes() == before


def test_a_sidecar_of_the_other_name_is_not_hidden(photo: Path) -> None:
    """Programs read one of the two: what only the other one has would be lost to them."""
    short, full = photo.with_name("photo.xmp"), photo.with_name("photo.jpg.xmp")
    short.write_text(DARKTABLE)
    outcome = write(photo)
    assert (outcome.file, outcome.unasked) == (short, True)
    assert write(photo, remove=True).what == "changed"
    outcome = write(photo, sidecar_name="photo.jpg.xmp")
    assert (outcome.file, outcome.other) == (full, short)
    assert set(subject(full)) == {"2024", "trip", "动物", "猫"}
    assert lists_of(full.read_bytes())[HIERARCHICAL][0] == "trip|2024"
    assert short.read_text() == DARKTABLE
    short.write_text("<broken")
    outcome = write(photo, DOG, sidecar_name="photo.jpg.xmp")
    assert outcome.error is not None
    assert "the keywords in photo.xmp belong into it too, and it is broken XML" in outcome.error.message


def test_an_ending_in_capitals_is_the_same_sidecar(photo: Path) -> None:
    capitals = photo.with_name("photo.jpg.XMP")
    capitals.write_text(DARKTABLE)
    assert write(photo).file == capitals
    assert names(photo.parent) == ["photo.jpg", "photo.jpg.XMP"]


def test_a_link_to_another_folder_is_refused_and_one_within_it_stays(photo: Path) -> None:
    outside, sidecar = photo.parent / "elsewhere" / "a.xmp", photo.with_name("photo.jpg.xmp")
    outside.parent.mkdir()
    outside.write_text(DARKTABLE)
    sidecar.symlink_to(outside)
    outcome = write(photo)
    assert outcome.error is not None
    assert f"it is a link to {outside}, in another folder" in outcome.error.message
    assert outside.read_text() == DARKTABLE
    sidecar.unlink()
    real = photo.with_name("real.xmp")
    real.write_text(DARKTABLE)
    sidecar.symlink_to("real.xmp")
    assert write(photo).what == "changed"
    assert sidecar.is_symlink()
    assert subject(real) == ["2024", "trip", "动物", "猫"]


def test_what_is_no_file_is_refused(photo: Path) -> None:
    photo.with_name("photo.jpg.xmp").mkdir()
    outcome = write(photo)
    assert (outcome.what, outcome.error and outcome.error.message) == ("refused", "it is no regular file")
    gone = write(photo.with_name("gone.jpg"))
    assert gone.error is not None
    assert gone.error.message == "the picture is not there any more"


def test_a_folder_that_is_read_only(photo: Path, as_nobody: None) -> None:
    photo.parent.chmod(0o555)
    outcome = write(photo)
    photo.parent.chmod(0o755)
    assert outcome.error is not None
    assert outcome.error.message == "it cannot be read or written: Permission denied"
    assert names(photo.parent) == ["photo.jpg"]


@pytest.mark.parametrize(
    "name",
    [
        "-r.jpg",
        "new\nline $@.jpg",
        "emoji 🐈 \\ ' \".jpg",
        " spaces .jpg ",
        "#[CSTR]a.jpg",
        "\ufffe\uffff.jpg",
        os.fsdecode(b"\xe9.jpg"),
    ],
)
def test_pictures_of_any_name(tmp_path: Path, name: str) -> None:
    path = picture(tmp_path / "a.jpg").rename(tmp_path / name)
    outcome = write(path)
    assert (outcome.what, outcome.unread) == ("new", False)
    assert subject(path.with_name(f"{name}.xmp")) == ["动物", "猫"]
    assert write(path).what == "unchanged"


def test_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = picture(tmp_path / f"{'a' * 247}.jpg")
    assert write(path).what == "new"
    refused = write(picture(tmp_path / f"{'a' * 251}.jpg"))
    assert refused.error is not None
    assert "File name too long" in refused.error.message


def test_killed_between_writing_and_renaming_the_old_file_is_whole(photo: Path) -> None:
    sidecar = photo.with_name("photo.jpg.xmp")
    sidecar.write_text(DARKTABLE)
    script = f"""
import time
from pathlib import Path
from tests.batch.sidecars import write
def wait(*_):
    print("written", flush=True)
    time.sleep(600)
Path.replace = wait
write(Path({str(photo)!r}))
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"written\n"
        killed.send_signal(signal.SIGKILL)
    assert sidecar.read_text() == DARKTABLE
    (part,) = photo.parent.glob(".*.onelook-part")
    assert write(photo).what == "changed"
    assert part.exists(), "another machine may be writing it"
    os.utime(part, (0, 0))
    assert write(photo).what == "unchanged"
    assert names(photo.parent) == ["photo.jpg", "photo.jpg.xmp"]


def test_what_another_program_writes_in_between_is_not_lost(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sidecar = photo.with_name("photo.jpg.xmp")
    sidecar.write_text(DARKTABLE)
    fsync, writes = os.fsync, iter([DARKTABLE.replace("2024", "2025")])

    def meanwhile(descriptor: int) -> None:
        fsync(descriptor)
        for each in writes:
            sidecar.write_text(each)

    monkeypatch.setattr(os, "fsync", meanwhile)
    assert write(photo).what == "changed"
    assert set(subject(sidecar)) == {"2025", "trip", "动物", "猫"}


@needs_exiftool
@pytest.mark.parametrize("exiftool", ["with ExifTool", "without"])
def test_keywords_inside_of_the_picture_are_in_every_list(tmp_path: Path, exiftool: str) -> None:
    inside = ["-IPTC:Keywords=holiday", "-XMP-dc:Subject=007", "-XMP-lr:HierarchicalSubject=Places|Rome"]
    path = picture(tmp_path / "photo.jpg", *inside, "-EXIF:XPKeywords=sea;true")
    with Writer(TAXONOMY, exiftool=ExifTool.find() if exiftool == "with ExifTool" else None) as writer:
        (outcome,) = writer.write(path, CAT)
    assert (outcome.what, outcome.unread) == ("new", False)
    lists = lists_of(outcome.file.read_bytes())
    assert set(lists[SUBJECT]) == {"holiday", "007", "Rome", "sea", "true", "动物", "猫"}
    paths = {"holiday", "007", "Places/Rome", "sea", "true", "onelook/动物", "onelook/动物/物种/猫"}
    for each in PATH_LISTS:
        assert {entry.replace(each.separator or "", "/") for entry in lists[each]} == paths


def test_without_exiftool_a_raw_file_is_written_and_reported_as_not_looked_into(tmp_path: Path) -> None:
    raw = tmp_path / "photo.cr3"
    raw.write_bytes(b"raw")
    with Writer(TAXONOMY, exiftool=None) as writer:
        (outcome,) = writer.write(raw, CAT)
    assert (outcome.what, outcome.unread) == ("new", True)


def test_embedding_without_exiftool_says_how_to_get_it() -> None:
    with pytest.raises(MetadataError, match="--embed needs ExifTool") as refused:
        Writer(TAXONOMY, WriteChoices(embed=True), exiftool=None)
    assert "libimage-exiftool-perl" in (refused.value.hint or "")
