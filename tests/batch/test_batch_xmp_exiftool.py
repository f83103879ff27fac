"""The real ExifTool reads what was written, and what it writes itself is no obstacle."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image

from onelook.batch.xmp.labels import clean
from tests.batch.sidecars import CAT, DOG, FOREIGN, labelled, needs_exiftool, picture, shown, write
from tests.patience import HANG_S

pytestmark = needs_exiftool

NASTY = [
    "a/b|c",
    "Smith, John; Sons",
    "two\nlines\r\n and\ttabs",
    "<b> & \"quotes\" 'single' &amp; ]]>",
    "🐈‍⬛ 猫 é e\u0301",
    "bell\x07 nul\0 \ud800 \uffff",
    "#1 {brace} $dollar ${x} %d \\n",
    "007",
    "1e5",
    "true",
    "=-",
]


def test_exiftool_reads_every_property_as_it_was_written(tmp_path: Path) -> None:
    write(picture(tmp_path / "photo.jpg"), languages=("zh", "en"))
    view = shown(tmp_path / "photo.jpg.xmp")
    paths = ["onelook/动物", "onelook/动物/物种/猫", "onelook/animal", "onelook/animal/species/cat"]
    assert view["XMP-dc:Subject"] == ["动物", "猫", "animal", "cat"]
    assert view["XMP-digiKam:TagsList"] == view["XMP-microsoft:LastKeywordXMP"] == paths
    assert view["XMP-lr:HierarchicalSubject"] == [each.replace("/", "|") for each in paths]
    assert view["XMP-onelook:Results"] == [
        {"Picture": "photo.jpg", "Model": "onelook-demo", "Taxonomy": CAT.versions.taxonomy}
    ]
    assert view["XMP-onelook:Keywords"][1] == {
        "Picture": "photo.jpg",
        "Id": "animal.species.cat",
        "Path": "onelook|动物|物种|猫",
        "Confidence": "0.9800",
    }


def test_exiftool_finds_no_fault_in_a_new_sidecar(tmp_path: Path) -> None:
    write(picture(tmp_path / "photo.jpg"))
    command = ["exiftool", "-validate", "-warning", "-error", "-a", str(tmp_path / "photo.jpg.xmp")]
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    faults = [line for line in printed.splitlines() if not line.startswith("Validate")]
    # ExifTool knows the namespace without the slash that Microsoft's programs and digiKam write.
    assert all("MicrosoftPhoto" in line for line in faults), printed


@pytest.mark.parametrize("label", NASTY)
def test_any_label_comes_back_as_one_keyword(tmp_path: Path, label: str) -> None:
    write(picture(tmp_path / "photo.jpg"), labelled(label, f"{label}+"))
    view = shown(tmp_path / "photo.jpg.xmp")
    name = clean(label)
    assert name
    assert not set(name) & set("/|,\n\r\0\x07")
    assert view["XMP-dc:Subject"] == [name, f"{name}+"]
    assert view["XMP-digiKam:TagsList"] == [f"onelook/{name}", f"onelook/{name}/kind/{name}+"]
    assert view["XMP-lr:HierarchicalSubject"] == [f"onelook|{name}", f"onelook|{name}|kind|{name}+"]


@pytest.mark.parametrize("name", ["darktable", "Lightroom"])
def test_exiftool_sees_all_that_it_saw_before(tmp_path: Path, name: str) -> None:
    sidecar = tmp_path / "photo.jpg.xmp"
    sidecar.write_bytes(FOREIGN[name].encode())
    before = shown(sidecar)
    write(picture(tmp_path / "photo.jpg"))
    after = shown(sidecar)
    assert "XMP-onelook:Results" in after
    for key, value in before.items():
        if not key.startswith("XMP"):
            continue  # the file's own size and times
        if isinstance(value, list):
            assert set(value) <= set(after[key])
        else:
            assert after[key] == value


def test_a_sidecar_that_exiftool_has_written_anew_is_still_ours(tmp_path: Path) -> None:
    photo, sidecar = picture(tmp_path / "photo.jpg"), tmp_path / "photo.jpg.xmp"
    write(photo)
    change = [
        "exiftool",
        "-q",
        "-q",
        "-m",
        "-overwrite_original",
        "-XMP-dc:Subject+=mine",
        "-XMP:Rating=3",
        str(sidecar),
    ]
    subprocess.run(change, check=True)
    assert write(photo, DOG).what == "changed"
    assert set(shown(sidecar)["XMP-digiKam:TagsList"]) == {"mine", "onelook/动物", "onelook/动物/物种/狗"}
    assert write(photo, DOG).what == "unchanged"
    assert write(photo, remove=True).what == "changed"
    left = {name: value for name, value in shown(sidecar).items() if name.startswith("XMP") and "Toolkit" not in name}
    assert left == {"XMP-dc:Subject": ["mine"], "XMP-xmp:Rating": "3"}


def test_embedding_goes_into_the_picture_and_comes_out_again(tmp_path: Path) -> None:
    photo = picture(tmp_path / "photo.jpg", "-IPTC:Keywords=holiday", "-XMP-dc:Title=Title", "-EXIF:Artist=Ann")
    before = photo.read_bytes()
    assert write(photo, embed=True).what == "changed"
    view = shown(photo)
    assert view["XMP-digiKam:TagsList"] == ["holiday", "onelook/动物", "onelook/动物/物种/猫"]
    assert (view["IPTC:Keywords"], view["XMP-dc:Title"], view["IFD0:Artist"]) == ("holiday", "Title", "Ann")
    assert (tmp_path / "photo.jpg_original").read_bytes() == before
    assert write(photo, embed=True).what == "unchanged"
    assert write(photo, DOG, embed=True).what == "changed"
    assert write(photo, embed=True, remove=True).what == "changed"
    assert {name: value for name, value in shown(photo).items() if name.startswith(("XMP", "IPTC", "IFD0"))} == {
        name: value
        for name, value in view.items()
        if name in ("XMP-dc:Title", "XMP-x:XMPToolkit", "IPTC:Keywords", "IFD0:Artist")
        or name.startswith(("IFD0", "IPTC"))
    }


def test_the_backup_is_the_picture_as_it_was_before_the_first_embedding(tmp_path: Path) -> None:
    photo, backup = picture(tmp_path / "photo.jpg"), tmp_path / "photo.jpg_original"
    before = photo.read_bytes()
    assert write(photo, embed=True).what == "changed"
    assert write(photo, DOG, embed=True).what == "changed"
    assert write(backup, DOG, embed=True).what == "backup"
    assert write(backup, DOG, embed=True, remove=True).what == "nothing"
    assert backup.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["photo.jpg", "photo.jpg_original"]


@pytest.mark.parametrize("ending", ["png", "webp", "gif", "tif", "avif"])
def test_embedding_into_other_formats(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"drawing.{ending}"
    Image.new("RGB", (64, 64), "teal").save(path)
    assert write(path, embed=True).what == "changed"
    assert shown(path)["XMP-digiKam:TagsList"] == ["onelook/动物", "onelook/动物/物种/猫"]
    assert write(path, embed=True).what == "unchanged"
    assert write(path, embed=True, remove=True).what == "changed"
    assert not [name for name in shown(path) if name.startswith("XMP")]


def test_embedding_into_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    outcome = write(broken, embed=True)
    assert outcome.error is not None
    assert "ExifTool did not write it: " in outcome.error.message
    assert broken.read_bytes() == b"no picture"
    real = picture(tmp_path / "real.jpg")
    (tmp_path / "in").mkdir()
    link = tmp_path / "in" / "link.jpg"
    link.symlink_to(real)
    outcome = write(link, embed=True)
    assert outcome.error is not None
    assert "in another folder" in outcome.error.message
    real.chmod(0o444)
    outcome = write(real, embed=True)
    assert (outcome.what, outcome.error and outcome.error.message) == ("refused", "it is read-only")
    raw = tmp_path / "photo.cr2"
    raw.write_bytes(b"raw")
    assert write(raw, embed=True).file == tmp_path / "photo.cr2.xmp", "raw files keep their sidecar"


def test_exiftool_ends_when_the_process_that_began_it_is_killed() -> None:
    script = """
import psutil
from onelook.batch.xmp.exiftool import ExifTool
ExifTool.find().run("-ver")
print(*(each.pid for each in psutil.Process().children(recursive=True)), flush=True)
input()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        begun = [psutil.Process(int(each)) for each in killed.stdout.readline().split()]
        killed.send_signal(signal.SIGKILL)
    assert begun
    _, left = psutil.wait_procs(begun, timeout=HANG_S)
    assert left == []
