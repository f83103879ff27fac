"""report.html as a file: what it keeps of the pictures, and what it says where there is little or nothing to report."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from onelook.errors import EngineRefused, ExperimentError
from onelook.lab.experiment import Experiment, ExperimentArm
from onelook.lab.experiment.outcomes import FILE
from onelook.lab.experiment.report.write import PAGE, write_report
from tests.lab.experiment.albums import STEP, arm, draw_album, engine


async def test_a_picture_that_is_gone_or_changed_is_said_and_a_stored_thumbnail_stays(tmp_path: Path) -> None:
    album, out = draw_album(tmp_path / "album", 4), tmp_path / "out"
    await Experiment(album, {"old": arm(), "new": arm([1])}, out=out).run()
    before = (out / PAGE).read_bytes()
    shutil.rmtree(album)
    write_report(out)
    assert (out / PAGE).read_bytes() == before, "thumbnails are kept beside the outcomes"
    shutil.rmtree(out / "thumbnails")
    draw_album(tmp_path / "album", 2)
    Image.new("RGB", (8, 8), (STEP, 0, 0)).save(album / "01.png")
    write_report(out)
    pictures = json.loads(block((out / PAGE).read_text(encoding="utf-8"), "pictures"))
    assert [row[2] for row in pictures] == [0, "changed", "moved", "moved"]


def block(text: str, name: str) -> str:
    (found,) = re.findall(rf'id="data-{name}">(.*?)</script>', text, re.DOTALL)
    return str(found)


async def test_an_album_of_three_pictures_has_a_page_that_says_so(tmp_path: Path) -> None:
    album, out = draw_album(tmp_path / "album", 3), tmp_path / "out"
    await Experiment(album, {"old": arm(), "new": arm([1])}, out=out).run()
    text = (out / PAGE).read_text(encoding="utf-8")
    assert "3 pictures are too few for anything but large differences" in text
    assert "these 3 pictures cannot show a difference of any size" in text


async def test_pictures_without_labels_are_sorted_by_agreement(tmp_path: Path) -> None:
    album, out = draw_album(tmp_path / "album", 8), tmp_path / "out"
    (album / "labels.jsonl").unlink()
    await Experiment(album, {"old": arm(), "new": arm([1, 2])}, primary="latency", out=out).run()
    text = (out / PAGE).read_text(encoding="utf-8")
    assert json.loads(block(text, "about"))["metrics"] == []
    assert "Are the confidences true?" not in text


async def test_the_page_does_not_outlive_outcomes_that_cannot_be_read(tmp_path: Path) -> None:
    album, out = draw_album(tmp_path / "album", 3), tmp_path / "out"
    await Experiment(album, {"old": arm(), "new": arm()}, out=out).run()
    file = out / FILE
    file.write_text(file.read_text().replace('{"kind":"session","design":"', '{"kind":"session","design":"0'))
    with pytest.raises(ExperimentError, match="line 1 is of another design"):
        write_report(out)
    text = (out / PAGE).read_text(encoding="utf-8")
    assert "line 1 is of another design" in text
    assert "use another --out FOLDER for another design" in text
    assert "Against old" not in text


async def test_an_arm_that_fails_at_the_start_is_in_the_report_until_the_run_goes_on(tmp_path: Path) -> None:
    album, out = draw_album(tmp_path / "album", 3), tmp_path / "out"
    broken = ExperimentArm(engine=engine(reply=lambda number: EngineRefused("HTTP 400")))
    with pytest.raises(ExperimentError, match="arm new answers none"):
        await Experiment(album, {"old": arm(), "new": broken}, out=out).run()
    assert "the last start failed: arm new answers none of the 2 warm-up" in write_report(out).deviations[1]
    assert "arm new answers none of the 2 warm-up pictures: EngineRefused" in (out / PAGE).read_text(encoding="utf-8")
    report = await Experiment(album, {"old": arm(), "new": arm()}, out=out).run()
    assert report.deviations == ()
    assert "starts that failed before their questions: 1" in report.notes


async def test_a_last_line_that_is_cut_off_is_said(tmp_path: Path) -> None:
    album, out = draw_album(tmp_path / "album", 3), tmp_path / "out"
    await Experiment(album, {"old": arm(), "new": arm()}, out=out).run()
    data = (out / FILE).read_bytes()
    (out / FILE).write_bytes(data[:-40])
    write_report(out)
    text = (out / PAGE).read_text(encoding="utf-8")
    assert "the last line of runs.jsonl is cut off: the same command asks its question again" in text
    assert "1 of 9 questions have no outcome: the run is not finished" in text


async def test_notes_and_deviations_are_in_both_languages(tmp_path: Path) -> None:
    album, out = draw_album(tmp_path / "album", 3), tmp_path / "out"
    await Experiment(album, {"old": arm(), "new": arm()}, out=out).run()
    lines = (out / FILE).read_text().splitlines(keepends=True)
    (out / FILE).write_text("".join(lines[:-2]).replace('"name":"scripted"', '"name":"before"') + lines[-2][:40])
    await Experiment(album, {"old": arm(), "new": arm()}, out=out).run()
    text = (out / PAGE).read_text(encoding="utf-8")
    for en, zh in (
        ("arm old went on with another model", "实验臂 old 继续运行时与首次不同：model"),
        ("the last line was cut off, so its question was asked again", "最后一行被截断，因此重新问了该问题"),
        ("3 pictures are too few for anything but large differences", "3 张图片太少，只能看出很大的差异"),
    ):
        assert f'<li><span class="en" lang="en">{en}</span><span class="zh" lang="zh-CN">{zh}</span></li>' in text


async def test_notes_of_an_earlier_version_are_shown_as_it_wrote_them(tmp_path: Path) -> None:
    album, out = draw_album(tmp_path / "album", 3), tmp_path / "out"
    await Experiment(album, {"old": arm(), "new": arm()}, out=out).run()
    text = (out / FILE).read_text()
    for field in ('"cut_off":false,', '"without_cache_salt":[],'):
        assert field in text
        text = text.replace(field, "")
    note = "the last line was cut off, so its question was asked again"
    (out / FILE).write_text(text.replace('"notes":[]', f'"notes":["{note}"]'))
    assert note in write_report(out).notes
    assert f"<li>{note}</li>" in (out / PAGE).read_text(encoding="utf-8")
