"""A run over an archive, with a scripted model: what is asked, what is kept, and what the next run has to do."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from onelook.batch.entries import Added, How, Listed, State
from onelook.batch.fingerprint import Fingerprint, fingerprint
from onelook.batch.ledger import Ledger
from onelook.batch.manifest import Columns
from onelook.batch.progress import Progress
from onelook.batch.records import Record, records
from onelook.batch.runner import BatchRun, Plan
from onelook.batch.sources import listed_pictures
from onelook.batch.status import read_status
from onelook.batch.stopping_rules import MaxFailures
from onelook.cli.commands.batch.status import lines
from onelook.engines.scripted import ScriptedEngine, ScriptedReply
from onelook.errors import EngineError, EngineFailed, EngineIncapable, EngineRefused, EngineUnavailable
from onelook.images.walk import Found
from onelook.result import TagResult
from onelook.settings.choices import complete
from onelook.settings.process import PHOTOS, load_settings
from onelook.tagger import Tagger
from onelook.types import Context, Subject
from tests.batch.pictures import paint, scripted
from tests.graph.replies import BUILDING, PORTRAIT


async def run(
    tagger: Tagger,
    out: Path,
    *sources: Path | str,
    context: Context | None = None,
    again: Sequence[State] = ("may_pass",),
    limit: int | None = None,
    max_failures: MaxFailures | None = None,
) -> tuple[Added, How, BatchRun]:
    """One run, as the terminal makes it."""
    with closing(Ledger.create(out)) as ledger:
        added = ledger.add(listed_pictures(map(str, sources), Found(), columns=Columns()))
        made = fingerprint(tagger.services, complete(context, tagger.services.run))
        version = ledger.version(made)
        plan = Plan(version, again, limit, max_failures)
        batch = BatchRun(tagger, ledger, plan, ledger.begin_run(version, 1, Found().left_out), context)
        return added, await batch.run(), batch


def outcomes(out: Path, version: int | None = None) -> dict[str, str | None]:
    return {Path(each.place).name: each.state for each in records(out, version)}


def by_name(out: Path) -> dict[str, Record]:
    return {Path(each.place).name: each for each in records(out)}


async def test_what_is_done_is_not_asked_again(tmp_path: Path) -> None:
    paint(tmp_path / "in", 5)
    tagger, engine = scripted()
    added, how, _ = await run(tagger, tmp_path / "out", tmp_path / "in", limit=3)
    assert (added, how, len(engine.asked)) == (Added(new=5), "limit", 3)
    assert list(outcomes(tmp_path / "out").values()).count(None) == 2

    added, how, _ = await run(tagger, tmp_path / "out", tmp_path / "in")
    assert (added, how, len(engine.asked)) == (Added(known=5), "finished", 5)
    added, how, batch = await run(tagger, tmp_path / "out")  # nothing named: what is listed
    assert (added, how, len(engine.asked), batch.progress().todo) == (Added(), "finished", 5, 0)
    assert {each.result.category.id for each in records(tmp_path / "out") if each.result and each.result.category} == {
        "building"
    }


async def test_a_run_with_nothing_to_do_leaves_the_figures_of_the_last(tmp_path: Path) -> None:
    paint(tmp_path / "in", 2)
    tagger, _ = scripted()
    out = tmp_path / "out"
    await run(tagger, out, tmp_path / "in")
    await run(tagger, out)
    status = read_status(out)
    assert (status.progress is None, status.progress and status.progress.done) == (False, 2)


async def test_the_end_of_a_killed_run_does_not_move(tmp_path: Path) -> None:
    """It is when the run was last heard of."""
    with closing(Ledger.create(tmp_path)) as ledger:
        ledger.add([Listed(b"/a.jpg")])
        killed = ledger.begin_run(ledger.version(Fingerprint({})), 1, Counter())
        assert "the last run was killed: start it again, it goes on" in lines(read_status(tmp_path))
        ledger.renew_run(killed, Progress(todo=9, done=3, seconds=10).to_json())
    assert "the last run was killed 10 s after its first picture: start it again, it goes on" in lines(
        read_status(tmp_path)
    )


async def test_the_same_bytes_are_asked_about_once(tmp_path: Path) -> None:
    first, second = paint(tmp_path / "in", 2)
    for number in range(4):
        shutil.copy(first, tmp_path / "in" / f"copy-{number}.jpg")
    tagger, engine = scripted(lambda _: ScriptedReply(BUILDING, wait_s=0.01), concurrency=8)
    _, _, batch = await run(tagger, tmp_path / "out", tmp_path / "in")
    assert (len(engine.asked), batch.progress().done, batch.progress().pointed) == (2, 6, 4)
    found = by_name(tmp_path / "out")
    assert {found[f"copy-{number}.jpg"].duplicate_of for number in range(4)} == {found["000.jpg"].id}
    assert found["001.jpg"].duplicate_of is None
    assert found["copy-3.jpg"].result is not None
    assert str(found["copy-3.jpg"].result.source).endswith("copy-3.jpg")

    second.rename(tmp_path / "in" / "moved.jpg")  # another name in a later run
    await run(tagger, tmp_path / "out", tmp_path / "in")
    assert len(engine.asked) == 2


async def test_a_broken_picture_that_is_there_twice_fails_under_both_names(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        tmp_path.joinpath(name).write_bytes(b"\xff\xd8\xff\xe0 no picture")
    tagger, _ = scripted()
    await run(tagger, tmp_path / "out", tmp_path / "a.jpg", tmp_path / "b.jpg")
    for name, each in by_name(tmp_path / "out").items():
        assert each.state == "failed"
        assert each.result is not None
        assert name in each.result.errors[0].message


async def test_a_file_that_has_changed_is_to_do_again(tmp_path: Path) -> None:
    first, _ = paint(tmp_path / "in", 2)
    tagger, engine = scripted()
    await run(tagger, tmp_path / "out", tmp_path / "in")
    paint(tmp_path / "other", 1, first=77)
    first.write_bytes((tmp_path / "other" / "077.jpg").read_bytes() + b"more")
    added, _, _ = await run(tagger, tmp_path / "out", tmp_path / "in")
    assert (added, len(engine.asked)) == (Added(changed=1, known=1), 3)

    first.touch()  # the same bytes at another time
    added, _, _ = await run(tagger, tmp_path / "out", tmp_path / "in")
    assert (added.changed, len(engine.asked)) == (1, 3)


async def test_the_bytes_decide_what_a_version_keeps(tmp_path: Path) -> None:
    """Files that were touched keep the answers of all versions; one with other bytes is asked about again where it is
    needed, and the older version keeps what it said about the bytes of then."""
    pictures = paint(tmp_path / "in", 3)
    tagger, engine = scripted(lambda _: BUILDING)
    out, small = tmp_path / "out", Context(long_edge=512)
    await run(tagger, out, tmp_path / "in")
    await run(tagger, out, tmp_path / "in", context=small)
    assert len(engine.asked) == 6
    before = {version: list(records(out, version)) for version in (1, 2)}

    for each in pictures:
        each.touch()
    added, _, batch = await run(tagger, out, tmp_path / "in", context=small)
    assert (added.changed, batch.progress().pointed, len(engine.asked)) == (3, 3, 6)
    assert {version: list(records(out, version)) for version in (1, 2)} == before
    _, _, batch = await run(tagger, out)
    assert (batch.progress().todo, len(engine.asked)) == (0, 6)

    engine.script = lambda _: PORTRAIT
    paint(tmp_path / "other", 1, first=77)[0].replace(pictures[0])
    await run(tagger, out, tmp_path / "in", context=small)
    assert len(engine.asked) == 7
    assert list(records(out, 1)) == before[1], "the answer about the bytes of then"
    assert category(out, 2, "000.jpg") == "portrait"
    _, _, batch = await run(tagger, out)
    assert (batch.progress().todo, len(engine.asked)) == (1, 8), "under the first choices it is new too"
    assert category(out, 1, "000.jpg") == "portrait"


def category(out: Path, version: int, name: str) -> str | None:
    (found,) = (each for each in records(out, version) if each.place.endswith(name))
    return None if found.result is None or found.result.category is None else found.result.category.id


async def test_files_that_are_away_for_a_run_keep_their_answers(tmp_path: Path) -> None:
    """A manifest whose pictures are on a disk that is not mounted for once."""
    paint(tmp_path / "disk", 3)
    manifest = tmp_path / "list.csv"
    manifest.write_text("path\n" + "".join(f"disk/{number:03}.jpg\n" for number in range(3)))
    tagger, engine = scripted()
    out = tmp_path / "out"
    await run(tagger, out, manifest, limit=2)
    before = outcomes(out)

    (tmp_path / "disk").rename(tmp_path / "away")
    added, _, batch = await run(tagger, out, manifest)
    assert (added.missing, batch.progress().todo, len(engine.asked)) == (3, 1, 2)
    assert outcomes(out) == {**before, "002.jpg": "may_pass"}
    added, _, batch = await run(tagger, out, manifest)
    assert (added.missing, batch.progress().todo) == (3, 1), "it is tried again"

    (tmp_path / "away").rename(tmp_path / "disk")
    added, _, _ = await run(tagger, out, manifest)
    assert (added, len(engine.asked)) == (Added(known=3), 3)
    assert set(outcomes(out).values()) == {"needs_review"}


async def test_a_file_that_is_gone_when_its_turn_comes_keeps_its_answer(tmp_path: Path) -> None:
    (path,) = paint(tmp_path / "in", 1)
    tagger, _ = scripted()
    out = tmp_path / "out"
    await run(tagger, out, path)
    path.touch()
    with closing(Ledger.create(out)) as ledger:
        assert ledger.add(listed_pictures([str(path)], Found(), columns=Columns())) == Added(changed=1)
    path.unlink()
    await run(tagger, out)
    assert outcomes(out) == {"000.jpg": "needs_review"}


async def test_one_picture_under_two_ids_is_asked_about_once(tmp_path: Path) -> None:
    paint(tmp_path, 1)
    manifest = tmp_path / "list.csv"
    manifest.write_text("id,path\n1,000.jpg\n2,000.jpg\n")
    tagger, engine = scripted()
    await run(tagger, tmp_path / "out", manifest)
    assert len(engine.asked) == 1
    assert [(each.name, each.state, each.duplicate_of_name) for each in records(tmp_path / "out")] == [
        ("1", "needs_review", None),
        ("2", "needs_review", "1"),
    ]


class ReplacedInBetween(Tagger):
    """The file is replaced after it was hashed and before the tagger reads it, so many `times`."""

    def __init__(self, engine: ScriptedEngine, new: list[Path]) -> None:
        super().__init__(load_settings(), engine=engine)
        self._new = new

    async def tag_or_report(
        self, image: Subject, context: Context | None = None, *, name: str | None = None
    ) -> TagResult:
        if self._new:
            self._new.pop().replace(str(image))
        return await super().tag_or_report(image, context, name=name)


@pytest.mark.parametrize(("times", "state"), [(1, "needs_review"), (3, "may_pass")])
async def test_a_file_that_is_replaced_while_it_is_read_gives_no_other_bytes_its_tags(
    times: int, state: State, tmp_path: Path
) -> None:
    path, *new = paint(tmp_path / "in", 1 + times)
    (tmp_path / "other").mkdir()
    new = [each.rename(tmp_path / "other" / each.name) for each in new]
    bytes_of_last = new[0].read_bytes()
    engine = ScriptedEngine(lambda _: BUILDING)
    await run(ReplacedInBetween(engine, new), tmp_path / "out", path)
    (found,) = records(tmp_path / "out")
    assert found.state == state
    if state == "needs_review":
        assert found.sha256 == sha256(bytes_of_last).hexdigest()
    else:
        assert found.result is not None
        assert "it changes while it is read" in found.result.errors[0].message


async def test_other_choices_are_a_new_version_and_the_old_answers_stay(tmp_path: Path) -> None:
    paint(tmp_path / "in", 2)
    tagger, engine = scripted(lambda request: PORTRAIT if request.max_tokens else BUILDING)
    out = tmp_path / "out"
    await run(tagger, out, tmp_path / "in")
    await run(tagger, out, tmp_path / "in", context=Context(long_edge=512))
    assert len(engine.asked) == 4
    await run(tagger, out, tmp_path / "in")  # the first choices again: all is there
    assert len(engine.asked) == 4
    assert outcomes(out, 1) == outcomes(out, 2) == dict.fromkeys(["000.jpg", "001.jpg"], "needs_review")


async def test_where_the_folder_and_the_server_are_changes_no_answer(tmp_path: Path) -> None:
    """Nor do choices that do not reach the model, or what is a keyword of the taxonomy."""
    unmarked = tmp_path / "photos.yaml"
    unmarked.write_text(re.sub("^not_keywords: .*$", "", PHOTOS.read_text(), flags=re.MULTILINE))
    here, _ = scripted(base_url="http://one/v1", concurrency=2)
    there, _ = scripted(base_url="http://two/v1", timeout_s=9, taxonomy=unmarked)
    assert there.services.taxonomy.not_keywords != here.services.taxonomy.not_keywords
    choices = [Context(), Context(debias=True), Context(escalate=False)]
    assert (
        len(
            {
                fingerprint(each.services, complete(c, each.services.run)).digest
                for each in (here, there)
                for c in choices
            }
        )
        == 1
    )
    changed = fingerprint(here.services, complete(Context(arm="reads"), here.services.run))
    same = fingerprint(here.services, complete(None, here.services.run))
    assert set(changed.changed_since(same.made_from)) == {"arm", "prompts", "debias"}


async def test_what_may_work_the_next_time_is_taken_again_and_other_failures_when_asked(tmp_path: Path) -> None:
    paint(tmp_path / "in", 2)
    (tmp_path / "in" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    tagger, engine = scripted(lambda _: EngineUnavailable("nothing answers"), max_attempts=1, concurrency=1)
    out = tmp_path / "out"
    await run(tagger, out, tmp_path / "in")
    assert outcomes(out) == {"000.jpg": "may_pass", "001.jpg": "may_pass", "broken.jpg": "failed"}

    engine.script = lambda _: BUILDING
    _, _, batch = await run(tagger, out)
    assert batch.progress().done == 2
    assert outcomes(out) == {"000.jpg": "needs_review", "001.jpg": "needs_review", "broken.jpg": "failed"}
    _, _, batch = await run(tagger, out, again=("may_pass", "failed"))
    assert (batch.progress().done, batch.progress().failed) == (1, 1)


@pytest.mark.parametrize(
    "error",
    [EngineRefused("HTTP 401: no key"), EngineIncapable("this is no chat completion"), EngineFailed("HTTP 500")],
)
async def test_a_failure_of_the_server_says_nothing_of_the_picture(error: EngineError, tmp_path: Path) -> None:
    """A wrong key is corrected, and the same command goes on."""
    paint(tmp_path / "in", 3)
    tagger, engine = scripted(lambda _: error, max_attempts=1)
    out = tmp_path / "out"
    await run(tagger, out, tmp_path / "in")
    assert set(outcomes(out).values()) == {"may_pass"}
    engine.script = lambda _: BUILDING
    await run(tagger, out, tmp_path / "in")
    assert set(outcomes(out).values()) == {"needs_review"}


async def test_a_dead_engine_stops_the_run(tmp_path: Path) -> None:
    paint(tmp_path / "in", 60)
    tagger, engine = scripted(lambda _: EngineRefused("HTTP 401: no key"), max_attempts=1, concurrency=2)
    _, how, batch = await run(tagger, tmp_path / "out", tmp_path / "in")
    assert how == "failures"
    assert batch.reason is not None
    assert "in a row" in batch.reason
    assert "no key" in batch.reason
    assert 20 <= len(engine.asked) <= 22


@pytest.mark.parametrize(("most", "asked"), [("5", 12), ("10%", 50)])
async def test_too_many_failures_stop_the_run(most: str, asked: int, tmp_path: Path) -> None:
    """Every other one fails. A share is looked at once 50 are done."""
    paint(tmp_path / "in", 80)
    replies = (EngineRefused("no") if number % 2 else BUILDING for number in range(1000))
    tagger, engine = scripted(lambda _: next(replies), max_attempts=1, concurrency=1)
    _, how, batch = await run(tagger, tmp_path / "out", tmp_path / "in", max_failures=MaxFailures.parse(most))
    assert (how, len(engine.asked)) == ("failures", asked)
    assert "--max-failures" in str(batch.reason)
    assert list(outcomes(tmp_path / "out").values()).count(None) == 80 - asked


async def test_every_tenth_is_broken_and_each_has_its_reason(tmp_path: Path) -> None:
    for number, path in enumerate(paint(tmp_path / "in", 60)):
        if number % 10 == 0:
            path.write_bytes(path.read_bytes()[:200])
    tagger, engine = scripted()
    _, how, batch = await run(tagger, tmp_path / "out", tmp_path / "in")
    assert (how, batch.progress().failed, len(engine.asked)) == ("finished", 6, 54)
    reasons = [
        each.result.errors[0].message for each in records(tmp_path / "out") if each.state == "failed" and each.result
    ]
    assert len(reasons) == 6
    assert all("broken or truncated" in reason for reason in reasons)


async def test_a_bug_fails_its_picture_alone(tmp_path: Path) -> None:
    paint(tmp_path / "in", 4)
    asked = 0

    def reply(_: object) -> str:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise ZeroDivisionError("a bug")
        return BUILDING

    tagger, _ = scripted(reply, concurrency=1)
    await run(tagger, tmp_path / "out", tmp_path / "in")
    assert sorted(map(str, outcomes(tmp_path / "out").values())) == ["failed"] + ["needs_review"] * 3


async def test_a_stopped_run_finishes_what_is_in_flight(tmp_path: Path) -> None:
    paint(tmp_path / "in", 20)
    tagger, engine = scripted(concurrency=3)
    out = tmp_path / "out"
    with closing(Ledger.create(out)) as ledger:
        ledger.add(listed_pictures([str(tmp_path / "in")], Found(), columns=Columns()))
        version = ledger.version(fingerprint(tagger.services, tagger.services.run))
        batch = BatchRun(
            tagger,
            ledger,
            Plan(version),
            ledger.begin_run(version, 1, Found().left_out),
            on_outcome=lambda *_: batch.stop(),
        )
        assert await batch.run() == "stopped"
    assert 1 <= len(engine.asked) <= 4
    assert sum(state is not None for state in outcomes(out).values()) == len(engine.asked)
