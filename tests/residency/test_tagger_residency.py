"""Pictures tagged by two models that share a (simulated) device that holds one."""

from __future__ import annotations

import asyncio
import io
from contextlib import aclosing
from pathlib import Path

import pytest
from PIL import Image

from onelook.engines.base import AskRequest, Reply
from onelook.engines.scripted import ScriptedEngine, ScriptedReply
from onelook.errors import EngineFailed, EngineIncapable, SettingsError
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from tests.graph.replies import BUILDING, PORTRAIT, sure
from tests.residency.simulated import Device, SimulatedEngine

HARD = {1, 2, 5, 8}
MANY = 12
SIZE = 224


class Answering(SimulatedEngine):
    """Unsure of the pictures in HARD, which it knows by their turn; `line` overrides that."""

    def __init__(self, model: str, device: Device, line: ScriptedReply | None = None) -> None:
        super().__init__(model, device, pauses=2)
        self.line = line

    async def ask(self, request: AskRequest) -> Reply:
        await super().ask(request)
        if self.line is not None:
            return self.line.reply()
        return sure(PORTRAIT, {"内": 0.4} if self.answered - 1 in HARD else None).reply()


def pictures() -> list[str | bytes | list[str | bytes]]:
    held = io.BytesIO()
    Image.new("RGB", (SIZE, SIZE), "teal").save(held, "JPEG")
    return [held.getvalue()] * MANY


def tagger(residency: str, device: Device, specialist: SimulatedEngine | None = None, **given: object) -> Tagger:
    settings = load_settings(residency=residency, retry_interval_s=0.001, concurrency=3, **given)
    return Tagger(settings, Answering("first", device), specialist or Answering("second", device, sure(BUILDING)))


async def tagged(both: Tagger) -> list[tuple[int, TagResult]]:
    async with both:
        await both.start()
        return [outcome async for outcome in both.tag_many(pictures())]


async def test_defer_switches_once_and_the_hard_pictures_come_last() -> None:
    device = Device()
    outcomes = await tagged(tagger("defer", device))
    assert device.arrivals == ["first", "second"]
    assert sorted(index for index, _ in outcomes) == list(range(MANY))
    assert [result.model for _, result in outcomes] == ["first"] * (MANY - len(HARD)) + ["second"] * len(HARD)
    assert all(result.status == "ok" for _, result in outcomes)


@pytest.mark.parametrize("residency", ["swap", "defer"])
async def test_the_ledger_tells_the_switch_and_still_adds_up(residency: str) -> None:
    outcomes = await tagged(tagger(residency, Device()))
    switches = []
    for _, result in outcomes:
        parts = result.ledger.parts()
        assert result.ledger.wall_ms == pytest.approx(sum(parts.values()))
        assert all(part > -0.01 for part in parts.values())
        switches.append(parts.get("escalate.engine.switch", 0))
    assert max(switches) > 0


async def test_swap_answers_the_same_with_one_model_in_memory_at_a_time() -> None:
    device = Device()
    outcomes = await tagged(tagger("swap", device))
    assert sorted(index for index, _ in outcomes) == list(range(MANY))
    assert sum(result.escalation is not None for _, result in outcomes) == len(HARD)
    assert device.most_loaded == 1


async def test_one_picture_by_itself_does_not_wait_for_a_batch() -> None:
    device = Device()
    async with tagger("defer", device, Answering("second", device, sure(BUILDING))) as both:
        (picture, *_) = pictures()
        results = [await both.tag(picture) for _ in range(3)]
    assert [result.model for result in results] == ["first", "second", "second"]
    assert device.arrivals == ["first", "second", "first", "second"]


async def test_a_switch_that_fails_leaves_first_answers_that_need_review_and_says_why() -> None:
    device = Device()
    second = SimulatedEngine(
        "second", device, trouble=lambda order: EngineFailed("no room") if order == "wake_up" else None
    )
    outcomes = await tagged(tagger("defer", device, second))
    assert len(outcomes) == MANY
    for index, result in outcomes:
        assert result.category is not None
        assert result.model == "first"
        if result.errors:
            assert (result.status, result.errors[0].node) == ("needs_review", "escalate")
            assert "the switch of models failed: no room" in result.errors[0].message
        assert (index in HARD) == bool(result.errors)


async def test_a_batch_that_is_given_up_leaves_the_engines_fit_for_the_next() -> None:
    device = Device()
    async with tagger("defer", device) as both:
        async with aclosing(both.tag_many(pictures())) as outcomes:
            await anext(outcomes)
        again = [outcome async for outcome in both.tag_many(pictures())]
    assert len(again) == MANY
    assert len(asyncio.all_tasks()) == 1


def test_an_engine_that_cannot_leave_memory_is_refused_at_start() -> None:
    with pytest.raises(EngineIncapable, match="no way to leave memory"):
        Tagger(load_settings(residency="swap"), ScriptedEngine([]), ScriptedEngine([]))


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"residency.*'both', 'swap' or 'defer'"):
        load_settings(residency="sometimes")


async def test_the_bundled_model_takes_turns_with_itself(tiny_checkpoint: Path) -> None:
    """For real: two embedded engines on the checkpoint of random weights, which is sure of little."""
    settings = load_settings(
        model=str(tiny_checkpoint),
        specialist={"engine": "embedded", "model": str(tiny_checkpoint)},
        residency="defer",
        run={"confidence_threshold": 1.0},
    )
    async with Tagger(settings) as both:
        await both.start()
        results = [result async for _, result in both.tag_many(pictures()[:3])]
    assert [result.errors for result in results] == [()] * 3
    assert all(result.escalation for result in results)
