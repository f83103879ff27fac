"""The arm `hybrid`: a classifier names the category, and the model is asked for the rest, for everything, or not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from PIL import Image

from onelook.deadline import deadline_in
from onelook.engines.scripted import ScriptedEngine, ScriptedRouter
from onelook.errors import EngineError, EngineFailed, EngineRefused, SettingsError
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context, ReplyFormat
from tests.graph.replies import ATTEMPTS, BUILDING, DETAILS, IDS, PORTRAIT, MakeTagger, routed, scripted, sure
from tests.loop_clock import skip

HYBRID = Context(arm="hybrid")


def calls(tagger: Tagger) -> int:
    return len(scripted(tagger).asked)


def way(result: TagResult) -> list[str]:
    return [node.name for node in result.ledger.nodes]


@pytest.mark.parametrize("category", ["building", "plant"])
async def test_a_category_without_details_asks_no_model(category: str, make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger([], routed(category, 0.97))
    result = await tagger.tag(picture, HYBRID)
    assert (result.status, result.errors, result.details) == ("ok", (), {})
    assert result.category is not None
    assert result.category.id == category
    assert result.category.confidence == pytest.approx(0.97)
    assert calls(tagger) == 0
    assert result.model == "scripted router"
    assert set(result.usage.model_dump().values()) == {None}
    assert way(result) == ["prepare", "route", "review"]
    assert result.ledger.parts()["route.router"] >= 0


@pytest.mark.parametrize(("reply_format", "reply"), [("json", DETAILS), ("compact", "男性自拍,半身开心室内")])
async def test_a_category_with_details_is_asked_for_these_alone(
    reply_format: ReplyFormat, reply: str, make_tagger: MakeTagger, picture: bytes
) -> None:
    tagger = make_tagger([sure(reply)], routed("portrait", 0.93))
    result = await tagger.tag(picture, Context(arm="hybrid", reply_format=reply_format))
    assert (result.status, result.errors, calls(tagger)) == ("ok", (), 1)
    assert result.category is not None
    assert (result.category.id, result.category.label) == ("portrait", "人像")
    assert result.category.confidence == pytest.approx(0.93)
    assert {attribute: [tag.id for tag in tags] for attribute, tags in result.details.items()} == IDS
    assert (result.model, result.usage.completion_tokens) == ("scripted", len(reply))
    assert way(result) == ["prepare", "route", "describe", "review"]


async def test_an_unsure_router_leaves_everything_to_the_model(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger([sure(PORTRAIT)], routed("building", 0.84))
    result = await tagger.tag(picture, HYBRID)
    assert result.category is not None
    assert (result.category.id, result.category.confidence, calls(tagger)) == ("portrait", 1.0, 1)
    assert (result.status, result.model) == ("ok", "scripted")
    assert way(result) == ["prepare", "route", "analyze", "review"]


async def test_how_sure_is_sure_enough_is_a_setting(make_tagger: MakeTagger, picture: bytes) -> None:
    believed = make_tagger([], routed("building", 0.6), router={"threshold": 0.5})
    result = await believed.tag(picture, HYBRID)
    assert (result.status, calls(believed)) == ("needs_review", 0)
    doubted = make_tagger([sure(BUILDING)], routed("building", 0.97), router={"threshold": 0.98})
    assert (await doubted.tag(picture, HYBRID)).status == "ok"
    assert calls(doubted) == 1


async def test_the_label_is_in_the_language_of_the_run(make_tagger: MakeTagger, picture: bytes) -> None:
    result = await make_tagger([], routed("plant")).tag(picture, Context(arm="hybrid", language="en"))
    assert result.category is not None
    assert result.category.label == "plant"


async def test_the_result_says_which_sentences_were_compared(make_tagger: MakeTagger, picture: bytes) -> None:
    def versions(language: str) -> Tagger:
        return make_tagger([sure(PORTRAIT)], routed("plant"), router={"language": language})

    english, chinese = [(await versions(language).tag(picture, HYBRID)).versions for language in ("en", "zh")]
    assert english.router is not None
    assert english.router != chinese.router
    assert (await versions("en").tag(picture)).versions.router is None


@pytest.mark.parametrize(("error", "attempts"), ATTEMPTS)
async def test_a_router_that_fails_is_a_failed_result_without_a_call(
    error: EngineError, attempts: int, make_tagger: MakeTagger, picture: bytes
) -> None:
    router = ScriptedRouter([error])
    tagger = make_tagger([], router)
    result = await tagger.tag(picture, HYBRID)
    (record,) = result.errors
    assert (result.status, record.node) == ("failed", "route")
    assert (record.kind, record.message, record.hint) == (type(error).__name__, error.message, error.hint)
    assert (router.classified, calls(tagger)) == (attempts, 0)
    assert way(result) == ["prepare", "route"]


async def test_a_router_that_recovers_is_not_noticed(make_tagger: MakeTagger, picture: bytes) -> None:
    router = ScriptedRouter([EngineFailed("HTTP 503"), *routed("plant").script])
    result = await make_tagger([], router).tag(picture, HYBRID)
    assert (result.status, result.errors, result.ledger.nodes[1].attempts) == ("ok", (), 2)


class Hanging(ScriptedRouter):
    """A router that never answers: as soon as it is asked, an hour is over."""

    async def classify(self, pictures: Sequence[Image.Image]) -> tuple[float, ...]:
        skip(3600)
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_router_that_hangs_is_left_at_the_deadline(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger([], Hanging([]))
    with deadline_in(600.0):
        result = await tagger.tag(picture, HYBRID)
    assert [(error.node, error.kind) for error in result.errors] == [("route", "DeadlinePassed")]


async def test_a_served_router_that_hangs_is_cut_off_by_the_graph(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger([], Hanging([], patience_s=60.0), max_attempts=2)
    result = await tagger.tag(picture, HYBRID)
    assert [(error.node, error.kind) for error in result.errors] == [("route", "EngineTimeout")]


async def test_what_the_router_found_is_kept_when_the_model_fails(make_tagger: MakeTagger, picture: bytes) -> None:
    result = await make_tagger([EngineRefused("HTTP 400")], routed("portrait")).tag(picture, HYBRID)
    assert (result.status, [error.node for error in result.errors]) == ("failed", ["describe"])
    assert result.category is not None
    assert result.category.id == "portrait"


async def test_a_picture_broken_inside_is_told_where_it_is_decoded(make_tagger: MakeTagger, picture: bytes) -> None:
    broken = picture.replace(b"\xff\xdb", b"\xff\xfe")  # its quantization tables are comments now
    result = await make_tagger([], routed("plant")).tag(broken, HYBRID)
    assert [(error.node, error.kind) for error in result.errors] == [("route", "ImageUnreadable")]


async def test_a_router_can_be_too_unsure_for_the_review_and_a_specialist_answers(picture: bytes) -> None:
    settings = load_settings(router={"threshold": 0.5})
    pixtral = ScriptedEngine([sure(PORTRAIT)], model="pixtral")
    both = Tagger(settings, ScriptedEngine([]), pixtral, routed("building", 0.6))
    result = await both.tag(picture, HYBRID)
    assert (result.status, result.model) == ("ok", "pixtral")
    assert result.escalation is not None
    assert (result.escalation.model, result.escalation.category.id) == ("scripted router", "building")


async def test_a_picture_seen_before_is_routed_from_memory(make_tagger: MakeTagger, picture: bytes) -> None:
    router = routed("portrait", 0.9)
    tagger = make_tagger([sure(DETAILS)], router, cache="memory")
    first, second = [await tagger.tag(picture, HYBRID) for _ in range(2)]
    assert (first.category, first.details) == (second.category, second.details)
    assert (router.classified, calls(tagger)) == (1, 1)


async def test_several_pictures_are_routed_together(make_tagger: MakeTagger, picture: bytes) -> None:
    seen: list[int] = []

    class Counting(ScriptedRouter):
        async def classify(self, pictures: Sequence[Image.Image]) -> tuple[float, ...]:
            seen.append(len(pictures))
            return await super().classify(pictures)

    result = await make_tagger([], Counting(routed("plant").script)).tag([picture, picture, picture], HYBRID)
    assert (result.status, seen) == ("ok", [3])


@pytest.mark.parametrize(
    ("name", "value"),
    [("threshold", 1.2), ("threshold", -0.1), ("temperature", 0), ("engine", "clip"), ("language", "french")],
)
def test_a_wrong_setting_of_the_router_is_refused_at_start(
    name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ONELOOK_ROUTER__{name.upper()}", str(value))
    with pytest.raises(SettingsError, match=rf"router\.{name}: .*got '{value}'"):
        load_settings()
