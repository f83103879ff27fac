"""From labelled pictures to a calibration file, and from the file to a run: on a scripted engine and a real one."""

from __future__ import annotations

import itertools
import json
import math
import re
from pathlib import Path

import pytest
from PIL import Image

from onelook.calibration.fits import Calibration, Curve, Fit, RouterFit, load_calibration, refusal
from onelook.demo.checkpoint import with_demo_models
from onelook.engines.scripted import ScriptedEngine, ScriptedReply, ScriptedRouter
from onelook.engines.zero_shot.cached import CachedRouter
from onelook.engines.zero_shot.wrapper import RouterWrapper
from onelook.errors import EngineUnavailable, SettingsError, UserError
from onelook.graph.arms import ArmName
from onelook.lab.calibrate import Outcome, RecordingRouter, calibrate
from onelook.prompts.zero_shot import zero_shot_version
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context, Target
from tests.graph.replies import BUILDING, PORTRAIT, routed, sure
from tools.demo_model import HELDOUT

CONFIDENCE = 0.98
ACCURACY = 0.75
MANY = 80
OLD = """{"fits": [{"arm": "fused", "reply_format": "json", "language": "zh", "debias": false, "model": "m",
 "prompts": "p", "pictures": 9, "threshold": 0.1}]}"""


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


def over_confident() -> ScriptedEngine:
    """Always answers building with a probability of 0.98."""
    return ScriptedEngine(lambda _: sure(BUILDING, {"建": CONFIDENCE}))


def fit(tagger: Tagger, **given: object) -> Fit:
    services = tagger.services
    key = {"arm": "fused", "reply_format": "json", "language": "zh", "debias": False}
    version = services.prompts["zh"].version
    return Fit.model_validate({**key, "model": services.engine.model, "prompts": version, "pictures": 9, **given})


async def test_the_confidence_of_an_over_confident_model_becomes_its_accuracy(album: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    (outcome,), router = await calibrate(
        load_settings(),
        album,
        [Context()],
        accuracy=0.9,
        target="each",
        engine=over_confident(),
        on_progress=lambda *progress: calls.append(progress),
    )
    assert router is None
    assert outcome.fit.category(CONFIDENCE) == pytest.approx(ACCURACY, abs=0.03)
    category, details = outcome.choices
    assert (category.point, outcome.fit.category_threshold) == (None, None)
    assert category.best is not None
    assert category.best.accuracy == ACCURACY
    assert (details.predictions, outcome.fit.details_threshold) == ([], None)  # buildings have none
    assert calls[0] == ("fused", MANY, 0)
    assert calls[-1] == ("fused", MANY, MANY)


async def test_the_required_accuracy_sets_the_threshold(album: Path) -> None:
    """Pictures are tagged in order, one at a time; the confidence is lower for plants."""
    turn = itertools.count()
    engine = ScriptedEngine(lambda _: sure(BUILDING, {"建": 0.6 if next(turn) % 4 == 3 else 0.9}))
    (outcome,), _ = await calibrate(
        load_settings(concurrency=1), album, [Context()], accuracy=0.98, target="each", engine=engine
    )
    point = outcome.choices[0].point
    assert point is not None
    assert (point.accuracy, point.escalated) == (1.0, 0.25)
    below, above = outcome.fit.category(0.6), outcome.fit.category(0.9)
    assert below < (outcome.fit.category_threshold or 0) < above


async def test_the_arm_hybrid_calibrates_its_router_too(album: Path, tmp_path: Path) -> None:
    settings = load_settings(router={"threshold": 0.5})
    (outcome,), router = await calibrate(
        settings,
        album,
        [Context(arm="hybrid")],
        accuracy=0.7,
        target="each",
        engine=ScriptedEngine([]),
        router=routed("building", CONFIDENCE),
    )
    assert router is not None
    assert router.fit.temperature > 1.5
    assert router.after[0][0] == pytest.approx(ACCURACY, abs=0.03)
    assert router.choice.point is not None
    file = tmp_path / "calibration.json"
    Calibration(router=router.fit.model_copy(update={"threshold": 0.5})).save(file)
    picture = str(album / "0.png")
    async with Tagger(
        load_settings(calibration=file), ScriptedEngine([]), router=routed("building", CONFIDENCE)
    ) as tagger:
        result = await tagger.tag(picture, Context(arm="hybrid"))
    assert result.category is not None
    assert result.category.confidence == pytest.approx(ACCURACY, abs=0.03)
    assert outcome.fit.arm == "hybrid"


@pytest.mark.parametrize(("setting", "calls"), [({}, 1), ({"router": {"threshold": 0.1}}, 0)])
async def test_a_routers_threshold_is_the_fitted_one_unless_it_is_set(
    setting: dict[str, object], calls: int, album: Path, tmp_path: Path
) -> None:
    engine = over_confident()
    plain = Tagger(load_settings(), engine, router=routed("building", 0.9))
    fitted = RouterFit(
        model=plain.services.router.model, texts=zero_shot_version(plain.services.routes), pictures=9, threshold=0.95
    )
    file = tmp_path / "calibration.json"
    Calibration(router=fitted).save(file)
    settings = load_settings(calibration=file, **setting)
    async with Tagger(settings, engine, router=routed("building", 0.9)) as tagger:
        await tagger.tag(str(album / "0.png"), Context(arm="hybrid"))
    assert len(engine.asked) == calls


async def test_a_run_uses_the_fitted_curves_and_threshold(tmp_path: Path, album: Path) -> None:
    line = sure(PORTRAIT, {"像": 0.9, "内": 0.95})
    plain = Tagger(load_settings(), ScriptedEngine(lambda _: line))
    fitted = fit(
        plain, category=Curve(temperature=2), details=Curve(bias=-1), category_threshold=0.2, details_threshold=0.2
    )
    file = tmp_path / "calibration.json"
    Calibration(fits=(fitted,)).save(file)
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
    ("change", "context", "message"),
    [
        ({"model": "another"}, Context(), "made for the model another, not scripted"),
        ({"prompts": "older"}, Context(), "other prompts or another taxonomy"),
        ({}, Context(arm="reads"), "has no fit for reads json zh"),
    ],
)
async def test_a_fit_for_something_else_is_not_used_and_a_note_says_why(
    change: dict[str, str], context: Context, message: str, tmp_path: Path, album: Path
) -> None:
    plain = Tagger(load_settings(), over_confident())
    file = tmp_path / "calibration.json"
    Calibration(fits=(fit(plain, category=Curve(temperature=9), **change),)).save(file)
    tagger = Tagger(load_settings(calibration=file), over_confident())
    assert message in (tagger.calibration_note(context) or "")
    if context.arm == "fused":
        result = await tagger.tag(str(album / "0.png"), context)
        assert result.category is not None
        assert result.category.confidence == pytest.approx(CONFIDENCE)


@pytest.mark.parametrize(("least", "status"), [(0.95, "needs_review"), (0.5, "ok")])
async def test_a_threshold_of_the_category_lets_no_unsure_detail_pass(
    least: float, status: str, tmp_path: Path, album: Path
) -> None:
    line = sure(PORTRAIT, {"像": 0.9, "内": 0.7})
    plain = Tagger(load_settings(), ScriptedEngine(lambda _: line))
    file = tmp_path / "calibration.json"
    Calibration(fits=(fit(plain, category_threshold=0.0, details_threshold=least),)).save(file)
    async with Tagger(load_settings(calibration=file), ScriptedEngine(lambda _: line)) as tagger:
        assert (await tagger.tag(str(album / "0.png"))).status == status


async def test_details_without_a_threshold_keep_the_one_of_the_settings(tmp_path: Path, album: Path) -> None:
    line = sure(PORTRAIT, {"像": 0.6, "内": 0.7})
    plain = Tagger(load_settings(), ScriptedEngine(lambda _: line))
    file = tmp_path / "calibration.json"
    Calibration(fits=(fit(plain, category_threshold=0.5),)).save(file)
    async with Tagger(load_settings(calibration=file), ScriptedEngine(lambda _: line)) as tagger:
        result = await tagger.tag(str(album / "0.png"), Context(arm="fused"))
    assert result.status == "needs_review"  # 0.7 is below 0.85, and 0.6 above 0.5


async def test_details_have_a_threshold_of_their_own_and_unlabelled_ones_none(tmp_path: Path) -> None:
    """The category is always right and sure; the scene is wrong where it is unsure, in every fourth picture."""
    lines = []
    for number in range(MANY):
        Image.new("RGB", (224, 224), (number, 0, 0)).save(tmp_path / f"{number}.png")
        scene = "outdoor" if number % 4 == 3 else "indoor"
        details = {"gender": "male", "composition": ["selfie"], "mood": "happy", "scene": scene}
        lines.append({"file": f"{number}.png", "category": "portrait", "details": details})
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, lines)))
    turn = itertools.count()
    told = '{"primary_category":"人像","details":{"gender":"男性","composition":["自拍"],"mood":"开心","scene":"室内"}}'

    def engine() -> ScriptedEngine:
        return ScriptedEngine(lambda _: sure(told, {"室": 0.6 if next(turn) % 4 == 3 else 0.95}))

    async def learnt(target: Target) -> Outcome:
        (outcome,), _ = await calibrate(
            load_settings(concurrency=1), tmp_path, [Context()], accuracy=0.98, target=target, engine=engine()
        )
        return outcome

    outcome = await learnt("each")
    assert outcome.fit.category_threshold == 0
    assert outcome.fit.details(0.6) < (outcome.fit.details_threshold or 0) < outcome.fit.details(0.95)
    assert outcome.together is not None
    assert (outcome.together.reviewed, outcome.together.right and outcome.together.right.estimate) == (0.25, 1.0)
    record = (await learnt("record")).fit
    assert record.category_threshold == record.details_threshold == outcome.fit.details_threshold
    for line in lines:
        del line["details"]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, lines)))
    outcome = await learnt("each")
    assert (outcome.fit.details_threshold, outcome.together) == (None, None)
    assert outcome.choices[1].predictions == []


@pytest.mark.parametrize(
    ("given", "force", "reason"),
    [
        ({"pictures": 99}, False, None),
        ({"pictures": 8}, False, r"from 8 pictures, and .* more \(9 pictures, 2026-11-27, model scripted, .*0\.400"),
        ({"pictures": 8}, True, None),
        ({"pictures": 99, "details_threshold": None}, True, r"accuracy \(details\), so the earlier .* stays"),
        ({"pictures": 99, "category_threshold": 0.0}, False, None),
        ({"pictures": 99, "category_threshold": 0.0, "details_threshold": 0.0}, False, "a threshold of 0 lets every"),
    ],
)
def test_a_worse_fit_does_not_replace_a_better_one(given: dict[str, object], force: bool, reason: str | None) -> None:
    tagger = Tagger(load_settings(), over_confident())
    thresholds = {"category_threshold": 0.4, "details_threshold": 0.6}
    earlier = fit(tagger, **thresholds, fitted_on="2026-11-27")
    found = refusal(fit(tagger, **(thresholds | given)), earlier, force=force)
    assert found is None if reason is None else re.search(reason, found or "")


def test_a_fit_belongs_to_a_model_wherever_its_folder_is() -> None:
    tagger = Tagger(load_settings(), over_confident())
    prompts = tagger.services.prompts["zh"].version
    known = Calibration(fits=(fit(tagger, model="/old/place/qwen"),))
    assert known.fit(tagger.services.run, "/new/place/qwen", prompts) is not None
    assert known.fit(tagger.services.run, "qwen", prompts) is not None
    assert known.fit(tagger.services.run, "Another/qwen", prompts) is None
    newer = known.with_fit(fit(tagger, model="qwen", pictures=99))
    assert [each.pictures for each in newer.fits] == [99]


def test_a_file_keeps_the_fits_of_other_arms() -> None:
    tagger = Tagger(load_settings(), over_confident())
    known = Calibration(fits=(fit(tagger), fit(tagger, arm="reads")))
    newer = known.with_fit(fit(tagger, pictures=99))
    assert [(each.arm, each.pictures) for each in newer.fits] == [("reads", 9), ("fused", 99)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "does not exist"),
        ("{}", "holds no calibration"),
        ("{}x", "Invalid JSON"),
        ('{"fits": [{"arm": "magic"}]}', "fits.0.arm"),
        (OLD, "of the category alone, and let unsure details pass"),
    ],
)
def test_a_file_that_is_not_a_calibration_is_an_error_at_start(text: str | None, message: str, tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match=message) as refused:
        load_calibration(file)
    assert "onelook calibrate" in (refused.value.hint or "")


async def test_an_engine_without_probabilities_cannot_be_calibrated(album: Path) -> None:
    with pytest.raises(UserError, match="returns no probabilities"):
        await calibrate(
            load_settings(),
            album,
            [Context()],
            accuracy=0.9,
            target="each",
            engine=ScriptedEngine(lambda _: ScriptedReply(BUILDING)),
        )


@pytest.mark.parametrize("wrapper", [RecordingRouter, CachedRouter])
def test_a_router_that_cannot_read_the_texts_is_refused_under_a_wrapper_too(wrapper: type[RouterWrapper]) -> None:
    unfit = SettingsError("router: reads 64 tokens, and this text has 90")
    router = wrapper(ScriptedRouter([[1.0]], unfit=unfit))
    tagger = Tagger(load_settings(), over_confident(), router=router)
    with pytest.raises(SettingsError, match="reads 64 tokens"):
        tagger.refuse_unmet(Context(arm="hybrid"))
    tagger.refuse_unmet(Context(arm="fused"))


async def test_an_engine_that_is_down_ends_the_calibration(album: Path) -> None:
    down = ScriptedEngine(lambda _: EngineUnavailable("nothing answers", hint="start it"))
    settings = load_settings(max_attempts=1)
    with pytest.raises(Exception, match="nothing answers"):
        await calibrate(settings, album, [Context()], accuracy=0.9, target="each", engine=down)


async def test_an_unreadable_picture_names_its_line(album: Path) -> None:
    (album / "1.png").write_text("not a picture")
    with pytest.raises(UserError, match=r"labels.jsonl, line 2: .*1\.png: not a picture"):
        await calibrate(load_settings(), album, [Context()], accuracy=0.9, target="each", engine=over_confident())


@pytest.mark.parametrize("arm", ["fused", "reads"])
async def test_the_bundled_model_on_the_bundled_album(arm: ArmName) -> None:
    (outcome,), _ = await calibrate(
        with_demo_models(load_settings()), HELDOUT, [Context(arm=arm)], accuracy=0.5, target="each", limit=24
    )
    category, details = outcome.labels
    assert (len(category.predictions), outcome.failed) == (24, 0)
    assert len(details.predictions) > 24
    assert outcome.choices[0].point is not None
    if arm == "reads":  # options that are reported as absent are labels too
        assert len(details.predictions) > 60
