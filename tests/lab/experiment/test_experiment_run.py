"""From a design to its outcomes: what is fixed first, in which order arms are asked, and how a run goes on."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from onelook.engines.base import AskRequest
from onelook.engines.scripted import Scripted, ScriptedEngine
from onelook.errors import EngineRefused, EngineUnavailable, ExperimentError
from onelook.lab.experiment import Design, Experiment, ExperimentArm
from onelook.lab.experiment.order import ask_order
from onelook.lab.experiment.outcomes import Runs, read_runs
from onelook.lab.experiment.report.compute import read_report
from onelook.lab.label_columns import LabelOptions
from onelook.types import Context
from tests.graph.replies import BUILDING, sure
from tests.lab.experiment.albums import arm, draw_album, engine

WAYS = ("apart", "shared")


@pytest.fixture
def album(tmp_path: Path) -> Path:
    return draw_album(tmp_path / "album", 8)


async def recorded(experiment: Experiment) -> Runs:
    """What is on disk after a run."""
    await experiment.run()
    return read_runs(experiment.folder, experiment.design.digest)


def test_the_order_alternates_two_arms_and_finishes_a_picture_before_the_next(album: Path) -> None:
    design = Experiment(album, {"a": arm(), "b": arm()}, aa=False, seed=3).design
    order = ask_order(design)
    blocks = [[ask.arm for ask in order[place : place + 2]] for place in range(0, 16, 2)]
    assert all(block == other[::-1] for block, other in zip(blocks[::2], blocks[1::2], strict=True))
    assert [ask.picture for ask in order[::2]] == [ask.picture for ask in order[1::2]]
    assert sorted(ask.picture for ask in order[::2]) == list(range(8))
    assert order == ask_order(design)
    assert order != ask_order(design.model_copy(update={"seed": 4}))


def test_the_a_a_copy_of_the_baseline_is_asked_about_every_picture(album: Path) -> None:
    order = ask_order(Experiment(album, {"a": arm(), "b": arm(), "c": arm()}, caches="both").design)
    asked = Counter((ask.arm, ask.caches) for ask in order)
    assert set(asked.values()) == {8}
    assert {name for name, _ in asked} == {"a", "b", "c", "a (again)"}


async def test_the_design_is_on_disk_and_hashed_before_the_first_question(album: Path, tmp_path: Path) -> None:
    seen: list[str] = []

    def script(request: AskRequest) -> Scripted:
        seen.append((tmp_path / "out" / "design.json").read_text())
        return sure(BUILDING)

    arms = {"a": ExperimentArm(engine=ScriptedEngine(script)), "b": arm()}
    experiment = Experiment(album, arms, out=tmp_path / "out", margin=0.03)
    await experiment.run()
    assert json.loads(seen[0])["sha256"] == experiment.design.digest
    design, digest = Design.read(tmp_path / "out")
    assert digest == design.digest
    assert design.margin == 0.03
    assert {each.truth.category for each in design.pictures if each.truth} == {"building"}
    assert design.labels is not None
    assert all(len(each.sha256) == 64 for each in design.pictures)


async def test_a_run_that_was_cut_off_asks_only_what_has_no_outcome(album: Path, tmp_path: Path) -> None:
    arms = {"a": arm(), "b": arm([2])}
    whole = await recorded(Experiment(album, arms, out=tmp_path / "whole"))
    await Experiment(album, arms, out=tmp_path / "cut").run()
    file = tmp_path / "cut" / "runs.jsonl"
    data = file.read_bytes()
    lines = data.splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:12]) + lines[12][:40])  # as a kill in the middle of a line leaves it
    kept = sum(b'"kind":"outcome"' in line for line in lines[:12])
    again = {"a": arm(), "b": arm([2])}
    runs = await recorded(Experiment(album, again, out=tmp_path / "cut"))
    asked = sum(len(each.engine.asked) for each in again.values() if isinstance(each.engine, ScriptedEngine))
    assert asked == 8 * 3 - kept + 2 * 2  # the pictures that are left, and the warm-up of both arms
    assert [each.key for each in runs.outcomes] == [each.key for each in whole.outcomes]
    assert [each.answer for each in runs.outcomes] == [each.answer for each in whole.outcomes]
    assert [each.cut_off for each in runs.sessions] == [False, True]
    assert "the last line was cut off, so its question was asked again" in read_report(tmp_path / "cut")[0].notes
    done = await recorded(Experiment(album, again, out=tmp_path / "cut"))
    assert len(done.outcomes) == 24
    assert sum(len(each.engine.asked) for each in again.values() if isinstance(each.engine, ScriptedEngine)) == asked


async def test_failures_and_unreadable_replies_are_outcomes(album: Path, tmp_path: Path) -> None:
    def reply(number: int) -> Scripted:
        if number == 4:
            return EngineRefused("HTTP 400")
        return "no JSON at all" if number == 5 else sure(BUILDING)

    arms = {"a": arm(), "b": ExperimentArm(engine=engine(reply=reply))}
    runs = await recorded(Experiment(album, arms, out=tmp_path / "out"))
    failed = {each.picture: each.errors[-1].kind for each in runs.outcomes if each.status == "failed"}
    assert failed == {"04.png": "EngineRefused", "05.png": "ReplyInvalid"}
    assert Counter(each.arm for each in runs.outcomes) == {"a": 8, "b": 8, "a (again)": 8}
    assert len(runs.warm_ups) == 4


async def test_an_arm_that_answers_no_warm_up_picture_ends_the_experiment_with_the_reason(
    album: Path, tmp_path: Path
) -> None:
    broken = ExperimentArm(engine=engine(reply=lambda number: EngineRefused("HTTP 400", hint="start it")))
    experiment = Experiment(album, {"a": arm(), "b": broken}, out=tmp_path / "out")
    with pytest.raises(ExperimentError, match="arm b answers none of the 2 warm-up pictures: EngineRefused") as refused:
        await experiment.run()
    assert refused.value.hint == "start it"


async def test_an_arm_that_cannot_start_is_named_before_any_question(album: Path, tmp_path: Path) -> None:
    first = engine()

    class Down(ScriptedEngine):
        async def start(self, constraints: object = "schema") -> None:
            raise EngineUnavailable("nothing answers", hint="start the server")

    arms = {"a": ExperimentArm(engine=first), "b": ExperimentArm(engine=Down([]))}
    with pytest.raises(ExperimentError, match="arm b cannot start: nothing answers"):
        await Experiment(album, arms, out=tmp_path / "out").run()
    assert first.asked == []


async def test_another_design_does_not_go_on_in_the_same_folder(album: Path, tmp_path: Path) -> None:
    arms = {"a": arm(), "b": arm()}
    await Experiment(album, arms, out=tmp_path / "out").run()
    with pytest.raises(ExperimentError, match="holds an experiment of another design: margin, seed") as refused:
        await Experiment(album, arms, margin=0.1, seed=5, out=tmp_path / "out").run()
    assert "another --out FOLDER" in str(refused.value.hint)
    file = tmp_path / "out" / "runs.jsonl"
    file.write_text(file.read_text().replace('{"kind":"session","design":"', '{"kind":"session","design":"0'))
    with pytest.raises(ExperimentError, match="line 1 is of another design"):
        await Experiment(album, arms, out=tmp_path / "out").run()


async def test_a_broken_line_that_is_not_the_last_is_reported_with_its_number(album: Path, tmp_path: Path) -> None:
    arms = {"a": arm(), "b": arm()}
    await Experiment(album, arms, out=tmp_path / "out").run()
    file = tmp_path / "out" / "runs.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:3], lines[3][:20] + "\n", *lines[4:]]))
    with pytest.raises(ExperimentError, match="line 4 is broken"):
        await Experiment(album, arms, out=tmp_path / "out").run()
    file.write_text("".join([*lines, lines[-1]]))
    with pytest.raises(ExperimentError, match="is there twice"):
        await Experiment(album, arms, out=tmp_path / "out").run()


def test_what_cannot_be_compared_is_refused_with_what_to_do(album: Path, tmp_path: Path) -> None:
    two = {"a": arm(), "b": arm()}

    def refused(words: str, hint: str, *, where: Path = album, arms: object = two, **choices: object) -> None:
        with pytest.raises(ExperimentError, match=words) as error:
            _ = Experiment(where, arms, **choices).design  # type: ignore[arg-type]
        assert hint in str(error.value.hint)

    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "00.png").write_bytes((album / "00.png").read_bytes())
    refused("at least two arms, and has a", "--arm fused --arm reads", arms={"a": arm()})
    refused("has no labels, and accuracy", "--primary latency", where=plain)
    refused("no such metric; did you mean category", "attribute:gender", primary="catgory")
    refused("all 8 pictures are in one cluster", "or none", cluster="folder")
    refused("each of the 8 pictures is a cluster", "--cluster none", cluster="day")
    refused("have no trip in", "for each picture", cluster="column:trip")
    refused("--stop anytime decides by accuracy", "--primary record", stop="anytime", primary="latency")
    refused("margin: Input should be greater than 0", "lists the choices", margin=0)
    refused("stop: Input should be 'fixed' or 'anytime'", "lists the choices", stop="never")
    refused("arm b: language: the taxonomy has labels in", "labels", arms={"a": arm(), "b": Context(language="fr")})


def test_clusters_come_from_folders(tmp_path: Path) -> None:
    album = draw_album(tmp_path, 8, ["alps/day1", "alps/day2", "sea"])
    arms = {"a": arm(), "b": arm()}

    def clusters(cluster: str) -> set[str | None]:
        return {each.cluster for each in Experiment(album, arms, cluster=cluster).design.pictures}

    assert clusters("album") == {"alps", "sea"}
    assert clusters("folder") == {"alps/day1", "alps/day2", "sea"}


def test_clusters_come_from_a_column_of_any_table(tmp_path: Path) -> None:
    album = draw_album(tmp_path, 6)
    (album / "labels.jsonl").unlink()
    rows = [f"{number:02}.png;building;{'alps' if number < 4 else 'sea'}" for number in range(6)]
    (album / "trips.csv").write_text("\n".join(["bild;class;trip", *rows]), encoding="utf-8-sig")
    design = Experiment(
        album / "trips.csv",
        {"a": arm(), "b": arm()},
        cluster="column:trip",
        labels=LabelOptions.of(["path=bild"]),
    ).design
    assert design.clusters == ["alps"] * 4 + ["sea"] * 2
    lists = tmp_path / "lists"
    lists.mkdir()
    (album / "trips.csv").rename(lists / "trips.csv")
    elsewhere = Experiment(
        lists / "trips.csv",
        {"a": arm(), "b": arm()},
        cluster="column:trip",
        labels=LabelOptions.of(["path=bild"], pictures=album),
    ).design
    assert elsewhere.pictures == design.pictures
    assert {each.truth.category for each in design.pictures if each.truth} == {"building"}


def test_a_folder_for_each_category_is_an_album(tmp_path: Path) -> None:
    album = draw_album(tmp_path, 6, ["building/1", "building/2", "动物"])
    (album / "labels.jsonl").unlink()
    found = Experiment(album, {"a": arm(), "b": arm()}, primary="category")
    truths = {each.name.split("/")[0]: each.truth.category for each in found.design.pictures if each.truth}
    assert truths == {"building": "building", "动物": "animal"}
    assert any("only categories are labelled" in note for note in found.pictures.notes)


def test_pictures_without_labels_are_enough_for_latency(tmp_path: Path) -> None:
    album = draw_album(tmp_path, 3)
    (album / "labels.jsonl").unlink()
    design = Experiment(album, {"a": arm(), "b": arm()}, primary="latency").design
    assert [each.name for each in design.pictures] == ["00.png", "01.png", "02.png"]
    assert design.labels is None


async def test_caches_are_apart_unless_they_are_shared(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """The second copy of an arm asks the same: shared caches have its picture, its own have its instructions only."""
    album = draw_album(tmp_path / "album", 2)
    arms = {
        name: ExperimentArm(Context(reply_format=form), {"model": str(tiny_checkpoint)})
        for name, form in (("a", "json"), ("b", "compact"))
    }
    runs = await recorded(Experiment(album, arms, caches="both", warm_up=0, out=tmp_path / "out"))
    cached = {(each.caches, each.arm): each.usage.cached_tokens for each in reversed(runs.outcomes)}
    assert [cached["apart", name] for name in ("a", "b", "a (again)")] == [0, 0, 0]  # the first question of each
    most = {way: max(each.usage.cached_tokens or 0 for each in runs.outcomes if each.caches == way) for way in WAYS}
    assert most["shared"] > most["apart"] + 50  # the tokens of a picture
