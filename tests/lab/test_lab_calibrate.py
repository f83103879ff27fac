"""From labelled pictures to a file, and from the file to what a run believes: on a scripted engine, and for real."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import pytest
from PIL import Image

from onelook.calibration.fits import Calibration, Curve, Fit, RouterFit, load_calibration
from onelook.demo.checkpoint import with_demo_models
from onelook.engines.scripted import ScriptedEngine, ScriptedReply
from onelook.errors import EngineUnavailable, SettingsError, UserError
from onelook.graph.arms import ArmName
from onelook.lab.calibrate import calibrate
from onelook.prompts.zero_shot import zero_shot_version
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tests.graph.replies import BUILDING, PORTRAIT, routed, sure
from tools.demo_model import HELDOUT

SAID = 0.98
RIGHT = 0.75
MANY = 80


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """80 pictures, of which three quarters show a building."""
    lines = []
    for number in range(MANY):
        Image.new("RGB", (224, 224), (number, 0, 0)).save(tmp_path / f"{number}.png")
        category = "plant" if number % 4 == 3 else "building"
        lines.append(json.dumps({"file": f"{number}.png", "category": category}))
    (tmp_path / "labels.jsonl").write_text("\n".join(lines))
    return tmp_path


def boastful() -> ScriptedEngine:
    """Always says building, and is 98 % sure of it."""
    return ScriptedEngine(lambda _: sure(BUILDING, {"建": SAID}))


def fit(tagger: Tagger, **given: object) -> Fit:
    services = tagger.services
    key = {"arm": "fused", "reply_format": "json", "language": "zh", "debias": False}
    version = services.prompts["zh"].version
    return Fit.model_validate({**key, "model": services.engine.model, "prompts": version, "pictures": 9, **given})


async def test_an_over_confident_model_is_believed_as_often_as_it_is_right(album: Path) -> None:
    told: list[tuple[str, int, int]] = []
    (outcome,), router = await calibrate(
        load_settings(),
        album,
        [Context()],
        accuracy=0.9,
        target="category",
        engine=boastful(),
        on_progress=lambda *progress: told.append(progress),
    )
    assert router is None
    assert outcome.fit.category(SAID) == pytest.approx(RIGHT, abs=0.03)
    assert (outcome.line, outcome.fit.threshold) == (None, None)
    assert outcome.best is not None
    assert outcome.best.accuracy == RIGHT
    assert told[0] == ("fused", MANY, 0)
    assert told[-1] == ("fused", MANY, MANY)


async def test_the_wanted_accuracy_draws_the_line_between_sure_and_unsure(album: Path) -> None:
    """Pictures are asked about in order, one at a time; of those that are plants it is less sure."""
    turn = itertools.count()
    engine = ScriptedEngine(lambda _: sure(BUILDING, {"建": 0.6 if next(turn) % 4 == 3 else 0.9}))
    (outcome,), _ = await calibrate(
        load_settings(concurrency=1), album, [Context()], accuracy=0.98, target="category", engine=engine
    )
    assert outcome.line is not None
    assert (outcome.line.accuracy, outcome.line.escalated) == (1.0, 0.25)
    below, above = outcome.fit.category(0.6), outcome.fit.category(0.9)
    assert below < (outcome.fit.threshold or 0) < above


async def test_the_arm_hybrid_learns_its_router_too(album: Path, tmp_path: Path) -> None:
    settings = load_settings(router={"threshold": 0.5})
    (outcome,), router = await calibrate(
        settings,
        album,
        [Context(arm="hybrid")],
        accuracy=0.7,
        target="category",
        engine=ScriptedEngine([]),
        router=routed("building", SAID),
    )
    assert router is not None
    assert router.fit.temperature > 1.5
    assert router.after[0][0] == pytest.approx(RIGHT, abs=0.03)
    assert router.line is not None
    file = tmp_path / "calibration.json"
    Calibration(router=router.fit.model_copy(update={"threshold": 0.5})).save(file)
    picture = str(album / "0.png")
    async with Tagger(load_settings(calibration=file), ScriptedEngine([]), router=routed("building", SAID)) as tagger:
        result = await tagger.tag(picture, Context(arm="hybrid"))
    assert result.category is not None
    assert result.category.confidence == pytest.approx(RIGHT, abs=0.03)
    assert outcome.fit.arm == "hybrid"


@pytest.mark.parametrize(("setting", "calls"), [({}, 1), ({"router": {"threshold": 0.1}}, 0)])
async def test_a_routers_threshold_is_the_learnt_one_unless_it_is_set(
    setting: dict[str, object], calls: int, album: Path, tmp_path: Path
) -> None:
    engine = boastful()
    plain = Tagger(load_settings(), engine, router=routed("building", 0.9))
    learnt = RouterFit(
        model=plain.services.router.model, texts=zero_shot_version(plain.services.routes), pictures=9, threshold=0.95
    )
    file = tmp_path / "calibration.json"
    Calibration(router=learnt).save(file)
    settings = load_settings(calibration=file, **setting)
    async with Tagger(settings, engine, router=routed("building", 0.9)) as tagger:
        await tagger.tag(str(album / "0.png"), Context(arm="hybrid"))
    assert len(engine.asked) == calls


async def test_a_run_believes_what_was_learnt_and_its_threshold(tmp_path: Path, album: Path) -> None:
    line = sure(PORTRAIT, {"像": 0.9, "内": 0.95})
    plain = Tagger(load_settings(), ScriptedEngine(lambda _: line))
    learnt = fit(plain, category=Curve(temperature=2), details=Curve(bias=-1), threshold=0.2)
    file = tmp_path / "calibration.json"
    Calibration(fits=(learnt,)).save(file)
    tagger = Tagger(load_settings(calibration=file), ScriptedEngine(lambda _: line))
    picture = str(album / "0.png")
    result = await tagger.tag(picture)
    assert result.category is not None
    assert result.category.confidence == pytest.approx(1 / (1 + math.sqrt(0.1 / 0.9)))
    assert result.details["scene"][0].confidence == pytest.approx(1 / (1 + math.e / 19))
    assert (result.status, tagger.calibration_note()) == ("ok", None)
    assert (await tagger.tag(picture, Context(confidence_threshold=0.9))).status == "needs_review"
    by_settings = Tagger(load_settings(calibration=file, run={"confidence_threshold": 0.9}), tagger.services.engine)
    assert (await by_settings.tag(picture)).status == "needs_review"


@pytest.mark.parametrize(
    ("change", "context", "told"),
    [
        ({"model": "another"}, Context(), "made for the model another, not scripted"),
        ({"prompts": "older"}, Context(), "other prompts or another taxonomy"),
        ({}, Context(arm="reads"), "has no fit for reads json zh"),
    ],
)
async def test_what_was_learnt_of_something_else_is_not_used_and_that_is_told(
    change: dict[str, str], context: Context, told: str, tmp_path: Path, album: Path
) -> None:
    plain = Tagger(load_settings(), boastful())
    file = tmp_path / "calibration.json"
    Calibration(fits=(fit(plain, category=Curve(temperature=9), **change),)).save(file)
    tagger = Tagger(load_settings(calibration=file), boastful())
    assert told in (tagger.calibration_note(context) or "")
    if context.arm == "fused":
        result = await tagger.tag(str(album / "0.png"), context)
        assert result.category is not None
        assert result.category.confidence == pytest.approx(SAID)


def test_a_file_keeps_what_it_has_on_other_arms() -> None:
    tagger = Tagger(load_settings(), boastful())
    known = Calibration(fits=(fit(tagger), fit(tagger, arm="reads")))
    newer = known.with_fit(fit(tagger, pictures=99))
    assert [(each.arm, each.pictures) for each in newer.fits] == [("reads", 9), ("fused", 99)]


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "does not exist"), ("{}x", "Invalid JSON"), ('{"fits": [{"arm": "magic"}]}', "fits.0.arm")],
)
def test_a_file_that_is_no_calibration_is_refused_at_start(text: str | None, told: str, tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match=told) as refused:
        load_calibration(file)
    assert "onelook calibrate" in (refused.value.hint or "")


async def test_an_engine_without_probabilities_cannot_be_calibrated(album: Path) -> None:
    with pytest.raises(UserError, match="gives no probabilities"):
        await calibrate(
            load_settings(),
            album,
            [Context()],
            accuracy=0.9,
            target="category",
            engine=ScriptedEngine(lambda _: ScriptedReply(BUILDING)),
        )


async def test_an_engine_that_is_down_ends_it(album: Path) -> None:
    down = ScriptedEngine(lambda _: EngineUnavailable("nothing answers", hint="start it"))
    settings = load_settings(max_attempts=1)
    with pytest.raises(Exception, match="nothing answers"):
        await calibrate(settings, album, [Context()], accuracy=0.9, target="category", engine=down)


async def test_a_picture_that_is_none_is_told_with_its_line(album: Path) -> None:
    (album / "1.png").write_text("not a picture")
    with pytest.raises(UserError, match=r"labels.jsonl, line 2: .*1\.png: not a picture"):
        await calibrate(load_settings(), album, [Context()], accuracy=0.9, target="category", engine=boastful())


@pytest.mark.parametrize("arm", ["fused", "reads"])
async def test_the_bundled_model_on_the_bundled_album(arm: ArmName) -> None:
    (outcome,), _ = await calibrate(
        with_demo_models(load_settings()), HELDOUT, [Context(arm=arm)], accuracy=0.5, target="category", limit=24
    )
    category, details = outcome.labels
    assert (len(category.sure), outcome.failed) == (24, 0)
    assert len(details.sure) > 24
    assert outcome.line is not None
    if arm == "reads":  # options that are read as absent are labels too
        assert len(details.sure) > 60
