"""Hard pictures are answered again by a specialist: once, with the reason, and with the first answer kept."""

from __future__ import annotations

from io import BytesIO
from typing import get_args

import pytest
from PIL import Image

from onelook.engines.base import Capabilities
from onelook.engines.openai.served_grid import picture_sizes
from onelook.engines.scripted import Scripted, ScriptedEngine, ScriptedReply
from onelook.errors import EngineIncapable, EngineUnavailable, SettingsError
from onelook.graph.arms import ArmName
from onelook.settings.process import load_settings, sources
from onelook.tagger import Tagger
from onelook.types import Context
from tests.graph.replies import PORTRAIT, routed, sure
from tests.graph.test_ledger import script

DIAGRAM = '{"primary_category":"图表","details":{"kind":"饼图","contains":[]}}'
SETTINGS = load_settings(retry_interval_s=0.001)


def tagger(first: Scripted, specialist: Scripted) -> Tagger:
    return Tagger(SETTINGS, ScriptedEngine(lambda _: first), ScriptedEngine(lambda _: specialist, model="pixtral"))


def calls(engine: object) -> int:
    assert isinstance(engine, ScriptedEngine)
    return len(engine.asked)


async def test_an_unsure_answer_is_asked_again(picture: bytes) -> None:
    both = tagger(sure(PORTRAIT, {"内": 0.4}), sure(DIAGRAM))
    result = await both.tag(picture)
    assert result.category is not None
    assert (result.status, result.category.id, result.model) == ("ok", "diagram", "pixtral")
    assert result.escalation is not None
    assert result.escalation.reason == "the least sure label has 0.40, below 0.85"
    assert (result.escalation.model, result.escalation.category.id) == ("scripted", "portrait")
    assert result.escalation.details["scene"][0].confidence == pytest.approx(0.4)
    assert [node.name for node in result.ledger.nodes] == ["prepare", "analyze", "review", "escalate"]
    assert result.usage.completion_tokens == len(PORTRAIT) + len(DIAGRAM)


async def test_a_category_that_the_taxonomy_leaves_to_the_specialist_is_asked_again(picture: bytes) -> None:
    result = await tagger(sure(DIAGRAM), sure(DIAGRAM)).tag(picture)
    assert result.escalation is not None
    assert "diagram" in result.escalation.reason


async def test_a_sure_answer_stays(picture: bytes) -> None:
    both = tagger(sure(PORTRAIT), sure(DIAGRAM))
    result = await both.tag(picture)
    assert (result.model, result.escalation) == ("scripted", None)
    assert calls(both.services.specialist) == 0


async def test_an_unsure_specialist_is_not_asked_twice(picture: bytes) -> None:
    both = tagger(ScriptedReply(PORTRAIT), ScriptedReply(PORTRAIT))
    result = await both.tag(picture)
    assert (result.status, result.model) == ("needs_review", "pixtral")
    assert (calls(both.services.engine), calls(both.services.specialist)) == (1, 1)


async def test_a_run_can_choose_to_stay_with_the_first(picture: bytes) -> None:
    result = await tagger(ScriptedReply(PORTRAIT), sure(DIAGRAM)).tag(picture, Context(escalate=False))
    assert (result.status, result.model, result.escalation) == ("needs_review", "scripted", None)


async def test_a_specialist_that_fails_leaves_the_first_answer_unsure_and_says_why(picture: bytes) -> None:
    both = tagger(ScriptedReply(PORTRAIT), EngineUnavailable("nothing answers", hint="start it"))
    result = await both.tag(picture)
    assert result.category is not None
    assert (result.status, result.category.id, result.model) == ("needs_review", "portrait", "scripted")
    assert [(error.node, error.kind) for error in result.errors] == [("escalate", "EngineUnavailable")]
    assert calls(both.services.specialist) == SETTINGS.max_attempts


@pytest.mark.parametrize("arm", get_args(ArmName))
async def test_every_arm_can_escalate(arm: ArmName, picture: bytes) -> None:
    pixtral = ScriptedEngine(lambda _: sure(PORTRAIT), model="pixtral")
    both = Tagger(SETTINGS, ScriptedEngine(script), pixtral, routed("portrait"))
    result = await both.tag(picture, Context(arm=arm))
    assert (result.status, result.model, result.errors) == ("ok", "pixtral", ())


def test_the_specialist_is_an_engine_of_its_own_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONELOOK_SPECIALIST__ENGINE", "vllm")
    monkeypatch.setenv("ONELOOK_SPECIALIST__BASE_URL", "http://127.0.0.1:9000/v1")
    monkeypatch.setenv("ONELOOK_SPECIALIST__API_KEY", "very-secret")
    settings = load_settings()
    rows = {row.name: row for row in sources(settings, {})}
    assert (rows["specialist.base_url"].value, rows["specialist.base_url"].source) == (
        "http://127.0.0.1:9000/v1",
        "environment",
    )
    assert "very-secret" not in str(rows)
    assert len(Tagger(settings, ScriptedEngine([])).engines) == 2


def test_a_specialist_without_a_model_is_refused_at_start() -> None:
    with pytest.raises(SettingsError, match="no model") as refused:
        Tagger(load_settings(specialist={"engine": "embedded"}), ScriptedEngine([]))
    for way in ("--model", "ONELOOK_MODEL=", "load_settings(model="):
        assert way in str(refused.value.hint)


async def test_a_specialist_that_cannot_be_loaded_is_refused_at_start() -> None:
    settings = load_settings(specialist={"engine": "embedded", "model": "/no/such/model"})
    async with Tagger(settings, ScriptedEngine([])) as both:
        with pytest.raises(EngineIncapable, match="/no/such/model"):
            await both.start()


def test_settings_that_are_no_json_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONELOOK_SPECIALIST", "pixtral")
    with pytest.raises(SettingsError, match="specialist"):
        load_settings()


@pytest.mark.parametrize("adaptive", [False, True])
async def test_the_specialist_gets_pictures_on_its_own_size_grid(adaptive: bool) -> None:
    held = BytesIO()
    Image.new("RGB", (1920, 1080), "teal").save(held, "JPEG")
    qwen3 = Capabilities(size_grid=32)
    seen = ScriptedEngine(lambda _: sure(DIAGRAM), model="qwen3-vl", capabilities=qwen3)
    both = Tagger(SETTINGS, ScriptedEngine(lambda _: ScriptedReply(PORTRAIT)), seen)
    await both.tag(held.getvalue(), Context(adaptive=adaptive))
    (asked,) = seen.asked
    (size,) = picture_sizes(asked.messages)
    assert (size[0] % 32, size[1] % 32) == (0, 0)
    assert size[0] >= 736
