"""An album on disk: written, read again, refused when it is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onelook.errors import LabelsError, UserError
from onelook.lab.album import read_labels
from tools.demo_model.album import CATEGORIES, draw, seeds, write_album
from tools.demo_model.album.sheet import WIDTH, contact_sheet

ROUND = len(CATEGORIES)


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("album")
    write_album(folder, "validation", 4 * ROUND)
    return folder


def test_what_is_written_is_read_with_its_truth(album: Path) -> None:
    read = read_labels(album)
    assert [labelled.seed for labelled in read] == [*seeds("validation", 4 * ROUND)]
    for labelled in read:
        assert labelled.seed is not None
        drawn = draw(labelled.seed)
        assert labelled.truth == drawn.truth
        with Image.open(labelled.path) as image:
            assert image.size == drawn.image.size
            error = np.asarray(image.convert("RGB"), dtype=float) - np.asarray(drawn.image, dtype=float)
        assert np.abs(error).mean() < 8


def test_formats_are_mixed_and_names_do_not_tell_the_truth(album: Path) -> None:
    names = [file.name for file in album.iterdir() if file.name != "labels.jsonl"]
    assert {name.rsplit(".")[-1] for name in names} == {"jpg", "png", "webp"}
    assert not [name for name in names for category in CATEGORIES if category in name]


def test_240_pictures_fit_in_10_megabytes(album: Path) -> None:
    sizes = [labelled.path.stat().st_size for labelled in read_labels(album)]
    assert sum(sizes) / len(sizes) * 240 <= 10e6


def test_an_interrupted_album_can_be_written_again(tmp_path: Path) -> None:
    class Interrupted(Exception):
        pass

    def stop(_: object) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        write_album(tmp_path, "train", 3, each=stop)
    with pytest.raises(LabelsError, match="no labels of pictures"):
        read_labels(tmp_path)
    write_album(tmp_path, "train", 3)
    assert len(read_labels(tmp_path)) == 3


def test_a_whole_album_and_a_folder_of_something_else_are_left_alone(album: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="already holds an album"):
        write_album(album, "train", 1)
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(UserError, match=r"diary\.txt"):
        write_album(tmp_path, "train", 1)
    with pytest.raises(UserError, match="not a folder"):
        write_album(tmp_path / "diary.txt", "train", 1)


def picture(folder: Path, name: str = "a.png") -> str:
    Image.new("RGB", (8, 8)).save(folder / name)
    return json.dumps({"file": name, "category": "plant"})


@pytest.mark.parametrize(
    ("lines", "parse_error"),
    [
        (lambda line: "", "names no picture"),
        (lambda line: f"{line}\n{line}\n", r"line 2: a\.png is named twice"),
        (lambda line: f"{line}\n{{oops\n", "line 2: is no JSON"),
        (lambda line: '{"file": "a.png"}\n', "has no column of categories"),
        (lambda line: '{"file": "a.png", "category": "plant", "details": ["cat"]}\n', "line 1: details: "),
        (lambda line: '{"file": "../gone.png", "category": "plant"}\n', r"line 1: no picture \.\./gone\.png"),
        (lambda line: b"\xff\xfe", "not UTF-8"),
    ],
)
def test_broken_labels_are_refused_with_their_line(
    tmp_path: Path, lines: Callable[[str], str | bytes], parse_error: str
) -> None:
    text = lines(picture(tmp_path))
    (tmp_path / "labels.jsonl").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=parse_error) as caught:
        read_labels(tmp_path)
    assert caught.value.hint


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "labels.jsonl").write_text('{"file": "gone.png", "category": "plant"}\n')
    with pytest.raises(LabelsError, match=r"line 1: no picture .*gone\.png"):
        read_labels(tmp_path)


def test_an_own_album_may_have_other_categories_and_no_seeds(tmp_path: Path) -> None:
    picture(tmp_path)
    line = '{"file": "a.png", "category": "贺卡", "details": {"对象": ["家人", "朋友"]}}\n\n'
    (tmp_path / "labels.jsonl").write_text(line, encoding="utf-8")
    (only,) = read_labels(tmp_path)
    assert only.truth.category == "贺卡"
    assert only.truth.details == {"对象": ("家人", "朋友")}
    assert only.seed is None


@pytest.mark.parametrize("captions", [True, False])
def test_a_contact_sheet_shows_every_drawing_uncropped(captions: bool) -> None:
    drawings = [draw(seed, long_side=224) for seed in range(7)]
    sheet = contact_sheet(drawings, 3, captions=captions)
    assert sheet.width == WIDTH
    blank = (np.asarray(sheet) >= 250).all(axis=(1, 2))
    rows = np.flatnonzero(np.diff(blank.astype(int)) == -1)
    assert len(rows) >= 3, "three rows, with white between"


def test_the_command_draws_an_album_and_refuses_to_draw_over_it(tmp_path: Path) -> None:
    folder, sheet = tmp_path / "new" / "album", tmp_path / "sheet.png"
    command = [sys.executable, "-m", "tools.demo_model.album", str(folder), "--split", "heldout", "--n", str(ROUND)]
    wide = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [*command, "--contact-sheet", str(sheet)], env=wide, capture_output=True, text=True, check=True
    )
    assert f"{ROUND} pictures and labels.jsonl in {folder}" in done.stdout
    assert {labelled.truth.category for labelled in read_labels(folder)} == {*CATEGORIES}
    with Image.open(sheet) as image:
        assert image.width == WIDTH
    again = subprocess.run(command, env=wide, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "already holds an album" in again.stderr
    assert "empty" in again.stderr
