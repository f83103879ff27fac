"""What names, folders and lists of names mean: every entry is a picture, or left out with a reason."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from onelook.cli.pictures import name_in_json
from onelook.errors import SettingsError
from onelook.images import walk
from onelook.images.printable import printable
from onelook.images.walk import find_pictures

NOBODY = 65534
LONGEST_NAME = 255  # bytes, of Linux and macOS file systems


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with one picture in it."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (32, 24), "teal").save("a.jpg")
    return tmp_path


def jpeg() -> bytes:
    return Path("a.jpg").read_bytes()


def test_what_systems_put_beside_pictures_is_left_out(folder: Path) -> None:
    for name in ("._a.jpg", ".hidden.png", "Thumbs.db"):
        Path(name).write_bytes(jpeg())
    for name in ("@eaDir", ".thumbnails", "__MACOSX"):
        Path(name).mkdir()
        Path(name, "a.jpg").write_bytes(jpeg())
    found = find_pictures(["."])
    assert (found.pictures, found.left_out) == (["./a.jpg"], {walk.HIDDEN: 6})


def test_the_backup_of_a_picture_is_left_out_beside_it(folder: Path) -> None:
    """As ExifTool leaves it. Where the picture is gone, its backup is all that there is of it."""
    for name in ("a.jpg_original", "b.jpg_original", "c_original.jpg"):
        Path(name).write_bytes(jpeg())
    found = find_pictures(["."])
    assert found.pictures == ["./a.jpg", "./b.jpg_original", "./c_original.jpg"]
    assert found.left_out == {walk.BACKUP: 1}
    assert find_pictures(["a.jpg_original"]).pictures == ["a.jpg_original"]


def test_what_is_named_itself_is_taken_though_it_is_hidden(folder: Path) -> None:
    Path("@eaDir").mkdir()
    Path("@eaDir/b.jpg").write_bytes(jpeg())
    Path(".c.jpg").write_bytes(jpeg())
    assert find_pictures(["@eaDir", ".c.jpg"]).pictures == ["@eaDir/b.jpg", ".c.jpg"]


def test_the_content_decides_where_the_suffix_does_not(folder: Path) -> None:
    for name in ("b.jpe", "c.mpo", "d.hif", "e", "f.jpg_large"):
        Path(name).write_bytes(jpeg())
    Path("g").write_text("BMW: a text that begins like a BMP")
    Path("h.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    Path("i.txt").touch()
    Image.new("RGB", (8, 8)).save("j", "BMP")
    Path("k.jpg").write_text("a picture by its name: it is tried, and its failure gives the reason")
    found = find_pictures(["."])
    assert [Path(each).name for each in found.pictures] == [
        "a.jpg", "b.jpe", "c.mpo", "d.hif", "e", "f.jpg_large", "j", "k.jpg",
    ]  # fmt: skip
    assert found.left_out == {walk.NOT_PICTURES: 3}


def test_links_pipes_and_sockets_are_counted(folder: Path) -> None:
    Path("dangling.jpg").symlink_to("gone.jpg")
    Path("loop").symlink_to(".")
    Path("again.jpg").symlink_to("a.jpg")
    os.mkfifo("pipe.jpg")
    found = find_pictures(["."])
    assert found.pictures == ["./a.jpg"]
    assert found.left_out == {walk.DANGLING: 1, walk.FOLDER_LINK: 1, walk.REPEATED: 1, walk.SPECIAL: 1}


def test_a_link_to_a_folder_that_is_named_is_searched(folder: Path) -> None:
    Path("loop").symlink_to(".")
    assert find_pictures(["loop"]).pictures == ["loop/a.jpg"]


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """Root opens everything."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    yield
    if is_root:
        os.seteuid(0)


@pytest.fixture
def with_closed_folders(folder: Path) -> Path:
    folder.chmod(0o755)
    for name, mode in (("closed", 0o000), ("listed-only", 0o444)):
        Path(name).mkdir()
        Path(name, "b.jpg").write_bytes(jpeg())
        Path(name, "notes").write_text("is it a picture?")
        Path(name).chmod(mode)
    return folder


def test_closed_folders_are_named_and_the_others_go_on(with_closed_folders: Path, as_nobody: None) -> None:
    found = find_pictures([".", "closed/b.jpg"])
    assert found.pictures == ["./a.jpg", "./listed-only/b.jpg", "closed/b.jpg"]  # the named one fails, with the reason
    assert found.left_out == {walk.CLOSED: 2}
    assert found.closed == ["./closed: Permission denied", "./listed-only/notes: Permission denied"]


def test_a_picture_given_twice_is_taken_once(folder: Path) -> None:
    address = "https://host/a.jpg?size=large"
    found = find_pictures(["a.jpg", "./a.jpg", str(folder / "a.jpg"), ".", address, address, "https://host/a.jpg"])
    assert found.pictures == ["a.jpg", address, "https://host/a.jpg"]
    assert found.left_out == {walk.REPEATED: 4}


def test_an_empty_name_is_refused(folder: Path) -> None:
    with pytest.raises(SettingsError, match="empty"):
        find_pictures(["a.jpg", ""])


@pytest.mark.parametrize(
    "names",
    [
        b"a.jpg\nb c.jpg\ncaf\xe9.jpg",
        b"a.jpg\r\nb c.jpg\r\n\r\ncaf\xe9.jpg\r\n",
        b"a.jpg\0b c.jpg\0caf\xe9.jpg\0",
    ],
)
def test_names_come_from_a_list(folder: Path, names: bytes) -> None:
    assert find_pictures(["-"], lambda: names).pictures == ["a.jpg", "b c.jpg", os.fsdecode(b"caf\xe9.jpg")]


def test_in_a_list_of_nul_a_name_may_have_lines(folder: Path) -> None:
    assert find_pictures(["-"], lambda: b"two\nlines.jpg\0").pictures == ["two\nlines.jpg"]


@pytest.mark.parametrize(
    "word",
    ["gone.jpg", "a" * 100_000 + ".jpg", "/".join(["a"] * 50_000), "data:image/png;base64," + "A" * 100_000, "a\0b"],
    ids=["gone", "long name", "deep", "data URL", "NUL"],
)
def test_a_word_that_names_nothing_stays(folder: Path, word: str) -> None:
    assert find_pictures([word, "a.jpg"]).pictures == [word, "a.jpg"]


def test_a_tree_deeper_than_any_path_is_searched_as_far_as_paths_go(folder: Path) -> None:
    top = os.open(".", os.O_RDONLY)
    for _ in range(30):
        Path("d" * 200).mkdir()
        os.chdir("d" * 200)
    os.fchdir(top)
    os.close(top)
    found = find_pictures(["."])
    assert found.pictures == ["./a.jpg"]
    assert found.left_out == {walk.CLOSED: 1}


file_names = st.one_of(
    st.binary(min_size=1, max_size=60),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).map(str.encode),
).filter(lambda name: not {0, ord("/")} & set(name) and name not in (b".", b"..") and len(name) <= LONGEST_NAME)


@given(st.lists(st.tuples(file_names, st.sampled_from([b"", b".jpg", b".txt"])), max_size=5))
@example([(b"caf\xe9", b".jpg"), (b"\x1b]0;title\x07", b".jpg"), ("\u202egpj".encode(), b""), (b"\xed\xa0\x80", b"")])
def test_any_file_name_is_found_shown_and_found_again(names: list[tuple[bytes, bytes]]) -> None:
    top = tempfile.mkdtemp()
    try:
        for stem, suffix in names:
            Path(top, os.fsdecode(stem + suffix)).write_bytes(b"\xff\xd8\xff" + stem)
        found = find_pictures([top])
        assert len(found.pictures) + found.left_out.total() == len(list(Path(top).iterdir()))
        assert set(found.left_out) <= {walk.HIDDEN}
        for picture in found.pictures:
            content = Path(picture).read_bytes()
            named = name_in_json([picture])
            str(named["image"]).encode()  # raises where it is no Unicode
            uris = named.get("image_uris", [Path(str(named["image"])).as_uri()])
            assert isinstance(uris, list)
            again = os.fsdecode(unquote_to_bytes(urlsplit(uris[0]).path))
            assert Path(again).read_bytes() == content
    finally:
        shutil.rmtree(os.fsencode(top))


@given(st.text(st.characters()))
def test_a_printable_name_has_nothing_that_a_terminal_obeys(name: str) -> None:
    shown = printable(name)
    assert not any(ord(each) < 32 or 0x7F <= ord(each) < 0xA0 or each in "\u202e\u2066\u2028" for each in shown)
    shown.encode()


def test_a_name_with_nothing_special_stays(folder: Path) -> None:
    for name in ("café 猫.jpg", "👩\u200d🔬.png", "a\\b.jpg", "x\u3000y"):
        assert printable(name) == name
