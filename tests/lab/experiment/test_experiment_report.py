"""The report: verdicts that follow from the outcomes, deviations, and files that can be written again."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from onelook.engines.scripted import Scripted
from onelook.errors import EngineRefused, ExperimentError
from onelook.lab.experiment import Experiment, ExperimentArm
from onelook.lab.experiment.outcomes import FILE
from onelook.lab.experiment.report.model import Report
from onelook.lab.experiment.report.write import FILES, write_report
from tests.graph.replies import BUILDING, sure
from tests.lab.experiment.albums import arm, draw_album, engine
from tests.warm_process import run_module

MANY = 42


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_album(tmp_path_factory.mktemp("album"), MANY, ["one", "two", "three"])


async def compare(
    album: Path, out: Path, baseline: ExperimentArm, candidate: ExperimentArm, **choices: object
) -> Report:
    return await Experiment(album, {"old": baseline, "new": candidate}, out=out, **choices).run()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "margin", "verdict"),
    [
        (range(20), [], 0.02, "better"),
        ([], range(20), 0.02, "worse"),
        ([], [3], 0.3, "not worse"),
        ([], [3], 0.02, "not known yet"),
    ],
)
async def test_the_verdict_follows_from_the_outcomes(
    old: list[int], new: list[int], margin: float, verdict: str, album: Path, tmp_path: Path
) -> None:
    report = await compare(album, tmp_path / "out", arm(old), arm(new), margin=margin, aa=False)
    (found,) = report.verdicts
    assert found.primary == verdict
    records = next(each for each in report.accuracy if each.metric == "record")
    assert (records.won, records.lost) == (len(set(old) - set(new)), len(set(new) - set(old)))
    assert records.difference.value == pytest.approx((len(old) - len(new)) / MANY)
    assert report.arms[0].accuracy["record"].value == pytest.approx(1 - len(old) / MANY)
    assert ("these 42 pictures" in found.sentence["en"]) == (verdict == "not known yet")
    assert ("42 张图片" in found.sentence["zh"]) == (verdict == "not known yet")


async def test_too_few_pictures_say_what_they_could_have_seen(tmp_path: Path) -> None:
    album = draw_album(tmp_path / "album", 3)
    report = await compare(album, tmp_path / "out", arm(), arm([1]))
    assert "these 3 pictures cannot show a difference of any size" in report.verdicts[0].sentence["en"]
    assert "the margin of 2 needs about" in report.verdicts[0].sentence["en"]
    assert any("too few" in note for note in report.notes)


async def test_failures_are_wrong_answers_and_have_no_latency(album: Path, tmp_path: Path) -> None:
    def reply(number: int) -> Scripted:
        return EngineRefused("HTTP 400") if number % 2 and number < 30 else sure(BUILDING)

    report = await compare(album, tmp_path / "out", arm(), ExperimentArm(engine=engine(reply=reply)))
    _, new = report.arms
    assert (new.failed, new.errors) == (15, {"EngineRefused": 15})
    assert new.accuracy["category"].value == pytest.approx(1 - 15 / MANY)
    assert report.latency[0].left_out == 15
    assert report.verdicts[0].primary == "worse"
    assert report.verdicts[0].together == "worse"


async def test_the_parts_of_the_latency_add_up_to_its_difference(album: Path, tmp_path: Path) -> None:
    report = await compare(album, tmp_path / "out", arm(), arm(arm="legacy"))
    (compared,) = report.latency
    old, new = (each.latency["apart"] for each in report.arms)
    assert sum(part.difference.value for part in compared.parts.values()) == pytest.approx(new.mean - old.mean)
    assert sum(new.parts.values()) == pytest.approx(new.mean)
    assert {"analyze.engine", "scheduling"} <= compared.parts.keys()


async def test_clusters_make_intervals_wider(album: Path, tmp_path: Path) -> None:
    one_folder = range(0, 36, 3)
    plain = await compare(album, tmp_path / "plain", arm(), arm(one_folder))
    report = await compare(album, tmp_path / "clustered", arm(), arm(one_folder), cluster="folder")
    assert report.clusters == 3
    narrow, wide = (
        next(each for each in one.accuracy if each.metric == "record").difference for one in (plain, report)
    )
    assert (wide.low or 0) < (narrow.low or 0)
    assert (plain.verdicts[0].primary, report.verdicts[0].primary) == ("worse", "not known yet")


async def test_anytime_stops_as_soon_as_the_verdict_is_known(album: Path, tmp_path: Path) -> None:
    report = await compare(album, tmp_path / "out", arm(), arm(range(MANY)), stop="anytime")
    assert report.pictures < MANY
    assert report.verdicts[0].primary == "worse"
    assert report.as_designed
    assert report.anytime[0].different >= report.anytime[0].wanted == 20
    assert any(note.startswith(f"stopped after {report.pictures} pictures") for note in report.notes)
    again = arm(range(MANY))
    await compare(album, tmp_path / "out", arm(), again, stop="anytime")
    assert getattr(again.engine, "asked", None) == []


async def test_more_than_two_arms_are_corrected_for_their_number(album: Path, tmp_path: Path) -> None:
    arms = {"old": arm(), "new": arm(range(7)), "other": arm(range(7))}
    report = await Experiment(album, arms, out=tmp_path / "out", aa=False).run()
    records = [each for each in report.accuracy if each.metric == "record"]
    assert [each.family for each in records] == [2, 2]
    assert [each.p_value for each in records] == pytest.approx([2 * each.exact_p for each in records])
    assert report.cochran_q_p is not None
    assert report.cochran_q_p < 0.05


async def test_pictures_without_labels_have_a_latency_and_an_agreement(tmp_path: Path) -> None:
    album = draw_album(tmp_path / "album", 8)
    (album / "labels.jsonl").unlink()
    report = await compare(album, tmp_path / "out", arm(), arm([1, 2]), primary="latency")
    assert report.accuracy == ()
    assert report.agreement[0].records.value == 0.75
    assert report.verdicts[0].together is None
    assert report.verdicts[0].sentence["en"].startswith("new: ")


async def test_a_report_is_written_again_with_equal_bytes(album: Path, tmp_path: Path) -> None:
    await compare(album, tmp_path / "out", arm([1]), arm(range(9)), caches="both")
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "out", copy)
    for name in FILES:
        (copy / name).unlink()
    done = run_module(
        "onelook", "experiment", "report", copy, environment={**os.environ, "LC_ALL": "C.UTF-8"}, folder=tmp_path
    )
    assert done.returncode == 0
    assert "as designed" in done.stdout
    for name in FILES:
        assert (copy / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    text = (copy / "report.md").read_text()
    assert "As designed." in text
    assert "caches shared" in text


async def test_the_exit_code_says_what_a_ci_must_know(album: Path, tmp_path: Path) -> None:
    await compare(album, tmp_path / "out", arm(), arm(range(20)))

    def code(*words: str) -> int:
        here = {**os.environ, "LC_ALL": "C.UTF-8"}
        done = run_module(
            "onelook", "experiment", "report", tmp_path / "out", *words, environment=here, folder=tmp_path
        )
        return done.returncode

    assert [code(), code("--fail-if", "worse"), code("--fail-if", "unknown")] == [0, 1, 0]
    suite = ET.parse(tmp_path / "out" / "junit.xml").getroot()  # noqa: S314 - our own file
    assert suite.get("failures") == "1"
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "new: worse than old" in str(failure.get("message"))


async def test_each_deviation_from_the_design_is_listed(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = await compare(album, out, arm(), arm())
    assert (report.as_designed, report.deviations) == (True, ())
    lines = (out / FILE).read_text().splitlines(keepends=True)
    (out / FILE).write_text("".join(lines[:-5]))
    document = json.loads((out / "design.json").read_text())
    document["design"]["margin"] = 0.2
    (out / "design.json").write_text(json.dumps(document))
    report = write_report(out)
    assert not report.as_designed
    assert report.deviations == (
        "design.json was changed after it was hashed",
        f"5 of {MANY * 3} questions have no outcome: the run is not finished",
    )
    assert "Deviations from the design:" in (out / "report.md").read_text()


async def test_another_model_after_an_interruption_is_a_deviation(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    await compare(album, out, arm(), arm())
    lines = (out / FILE).read_text().splitlines(keepends=True)
    (out / FILE).write_text("".join(lines[:-5]).replace('"model":{"name":"scripted"}', '"model":{"name":"before"}'))
    report = await compare(album, out, arm(), arm())
    assert report.deviations == ("arm old went on with another model", "arm new went on with another model")
    assert "the run went on 1 times after an interruption" in report.notes


def test_a_folder_without_an_experiment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"holds no experiment: it has no design\.json"):
        write_report(tmp_path)
    (tmp_path / "design.json").write_text('{"sha256": "1", "design": {}}')
    with pytest.raises(ExperimentError, match=r"design\.json is no design: Field required"):
        write_report(tmp_path)
