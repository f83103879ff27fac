"""Adaptive runs look at a small picture first, and at the full one only when they are not sure: once."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Sequence
from typing import get_args

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from PIL import Image, ImageDraw

from onelook.engines.base import AskRequest
from onelook.engines.scripted import Script, Scripted, ScriptedEngine
from onelook.errors import EngineError, EngineFailed, EngineTimeout
from onelook.graph.arms import ArmName
from onelook.graph.build import build_graph
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tests.graph.replies import BUILDING, CATEGORY, DETAILS, PORTRAIT, MakeTagger, question, routed, scripted, sure

SMALL, FULL = (448, 336), (756, 560)
ARMS: tuple[ArmName, ...] = get_args(ArmName)


@pytest.fixture
def large() -> bytes:
    """A picture in which there is more to see than at first sight."""
    held = io.BytesIO()
    Image.effect_noise((1200, 900), 60).convert("RGB").save(held, "JPEG")
    return held.getvalue()


def sizes(request: AskRequest) -> list[tuple[int, int]]:
    """Of the pictures that a request shows."""
    found = []
    for message in request.messages:
        for part in [] if isinstance(message.content, str) else message.content:
            if isinstance(part, dict) and part["type"] == "image_url":
                data = b64decode(part["image_url"]["url"].partition(",")[2])
                found.append(Image.open(io.BytesIO(data)).size)
    return found


def words(request: AskRequest) -> str:
    """A right answer to any arm's question."""
    asked = question(request)
    if "？A" in asked:
        return "A"
    if "details" in asked:
        return PORTRAIT
    return CATEGORY if "primary_category" in asked else DETAILS


def surer_of_more(request: AskRequest) -> Scripted:
    """Answers any arm's question, and says how sure it is only of full pictures."""
    return sure(words(request)) if sizes(request) == [FULL] else words(request)


def failing_at_more(error: EngineError) -> Script:
    """Answers about small pictures, unsure; fails at larger ones."""
    return lambda request: words(request) if sizes(request) == [SMALL] else error


def shown(tagger: Tagger) -> list[tuple[int, int]]:
    return [size for request in scripted(tagger).asked for size in sizes(request)]


def way(result: TagResult) -> list[str]:
    return [node.name for node in result.ledger.nodes]


def adaptive(arm: ArmName = "fused", **choices: object) -> Context:
    return Context.model_validate({"arm": arm, "adaptive": True, **choices})


async def test_a_sure_answer_needs_no_second_look(make_tagger: MakeTagger, large: bytes) -> None:
    tagger = make_tagger([sure(PORTRAIT)])
    result = await tagger.tag(large, adaptive())
    assert (result.status, result.first_look) == ("ok", None)
    assert way(result) == ["prepare", "analyze", "review"]
    assert shown(tagger) == [SMALL]
    assert [(each.width, each.height, each.content) for each in result.pictures] == [(*SMALL, None)]


async def test_an_unsure_one_is_followed_by_a_look_at_the_full_picture(make_tagger: MakeTagger, large: bytes) -> None:
    tagger = make_tagger([sure(PORTRAIT, {"内": 0.4}), sure(BUILDING)])
    result = await tagger.tag(large, adaptive())
    assert (result.status, result.errors) == ("ok", ())
    assert result.category is not None
    assert (result.category.id, result.details) == ("building", {})
    assert shown(tagger) == [SMALL, FULL]
    assert [(each.width, each.height) for each in result.pictures] == [FULL]
    assert result.first_look is not None
    assert result.first_look.reason == "the least sure label has 0.40, below 0.85"
    assert [(each.width, each.height) for each in result.first_look.pictures] == [SMALL]
    assert result.first_look.category.id == "portrait"
    assert result.first_look.details["scene"][0].confidence == pytest.approx(0.4)
    once = ["prepare", "analyze", "review"]
    assert way(result) == [*once, "enlarge", "analyze", "review"]
    assert result.usage.completion_tokens == len(PORTRAIT) + len(BUILDING)
    assert sum(result.ledger.parts().values()) == pytest.approx(result.ledger.wall_ms)


async def test_there_is_no_third_look(make_tagger: MakeTagger, large: bytes) -> None:
    tagger = make_tagger(lambda _: PORTRAIT)
    result = await tagger.tag(large, adaptive())
    assert (result.status, result.errors) == ("needs_review", ())
    assert shown(tagger) == [SMALL, FULL]


async def test_where_there_is_no_more_to_see_one_look_is_all(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger(lambda _: PORTRAIT)
    result = await tagger.tag(picture, adaptive())
    assert (result.status, result.first_look) == ("needs_review", None)
    assert shown(tagger) == [(280, 224)]


async def test_the_second_look_is_as_large_as_was_chosen(make_tagger: MakeTagger, large: bytes) -> None:
    tagger = make_tagger(lambda _: PORTRAIT)
    await tagger.tag(large, adaptive(long_edge=1024))
    assert shown(tagger) == [SMALL, (1008, 756)]


async def test_a_first_look_is_never_larger_than_was_chosen(make_tagger: MakeTagger, large: bytes) -> None:
    tagger = make_tagger(lambda _: PORTRAIT)
    await tagger.tag(large, adaptive(long_edge=336))
    assert shown(tagger) == [(336, 252)]


@pytest.mark.parametrize("arm", ARMS)
async def test_every_arm_can_look_again(arm: ArmName, make_tagger: MakeTagger, large: bytes) -> None:
    tagger = make_tagger(surer_of_more)
    result = await tagger.tag(large, adaptive(arm))
    assert (result.status, result.errors) == ("ok", ())
    assert result.category is not None
    assert (result.category.id, bool(result.details)) == ("portrait", True)
    assert result.first_look is not None
    assert set(shown(tagger)) == {SMALL, FULL}
    assert (way(result).count("enlarge"), way(result).count("review")) == (1, 2)


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize(
    "error", [EngineTimeout("too slow"), EngineFailed("broke")], ids=lambda error: type(error).__name__
)
async def test_a_second_look_that_fails_leaves_the_first_answer(
    arm: ArmName, error: EngineError, make_tagger: MakeTagger, large: bytes
) -> None:
    result = await make_tagger(failing_at_more(error)).tag(large, adaptive(arm))
    assert result.status == "needs_review"
    assert result.category is not None
    assert (result.category.id, bool(result.details)) == ("portrait", True)
    assert [each.kind for each in result.errors] == [type(error).__name__]
    assert result.first_look is not None
    assert (result.first_look.category, result.first_look.details) == (result.category, result.details)
    assert way(result)[-1] not in ("review", "enlarge")


async def test_a_reply_that_cannot_be_read_leaves_the_first_answer_too(make_tagger: MakeTagger, large: bytes) -> None:
    result = await make_tagger([PORTRAIT, "nonsense"]).tag(large, adaptive())
    assert result.category is not None
    assert (result.status, result.category.id) == ("needs_review", "portrait")
    assert [(each.node, each.kind) for each in result.errors] == [("analyze", "ReplyInvalid")]


async def test_a_first_look_that_fails_is_a_failure(make_tagger: MakeTagger, large: bytes) -> None:
    result = await make_tagger(["nonsense"]).tag(large, adaptive())
    assert (result.status, result.category, result.first_look) == ("failed", None, None)


async def test_a_router_that_was_unsure_is_overruled_by_a_model_that_sees_more(
    make_tagger: MakeTagger, large: bytes
) -> None:
    tagger = make_tagger([sure(PORTRAIT)], routed("building", 0.7), router={"threshold": 0.5})
    result = await tagger.tag(large, adaptive("hybrid"))
    assert result.category is not None
    assert (result.status, result.category.id, result.model) == ("ok", "portrait", "scripted")
    assert result.first_look is not None
    assert result.first_look.category.id == "building"
    assert way(result) == ["prepare", "route", "review", "enlarge", "analyze", "review"]


async def test_all_pictures_of_a_subject_are_looked_at_again(make_tagger: MakeTagger, large: bytes) -> None:
    tagger = make_tagger(lambda _: PORTRAIT)
    result = await tagger.tag([large, large], adaptive())
    assert shown(tagger) == [SMALL, SMALL, FULL, FULL]
    assert len(result.pictures) == 2


def with_specialist(first: Sequence[Scripted], specialist: Scripted) -> Tagger:
    settings = load_settings(retry_interval_s=0.001)
    return Tagger(settings, ScriptedEngine(list(first)), ScriptedEngine(lambda _: specialist, model="pixtral"))


def seen_by_specialist(tagger: Tagger) -> list[tuple[int, int]]:
    assert isinstance(tagger.services.specialist, ScriptedEngine)
    return [size for request in tagger.services.specialist.asked for size in sizes(request)]


async def test_the_specialist_comes_after_the_second_look(large: bytes) -> None:
    tagger = with_specialist([PORTRAIT, PORTRAIT], sure(BUILDING))
    result = await tagger.tag(large, adaptive())
    assert (result.status, result.model) == ("ok", "pixtral")
    assert result.first_look is not None
    assert result.escalation is not None
    assert seen_by_specialist(tagger) == [FULL]


async def test_a_specialist_for_a_sure_answer_sees_the_full_picture_at_once(large: bytes) -> None:
    diagram = sure('{"primary_category":"图表","details":{"kind":"饼图","contains":[]}}')
    tagger = with_specialist([diagram], diagram)
    result = await tagger.tag(large, adaptive())
    assert (result.status, result.model, result.first_look) == ("ok", "pixtral", None)
    assert way(result) == ["prepare", "analyze", "review", "enlarge", "escalate"]
    assert (shown(tagger), seen_by_specialist(tagger)) == ([SMALL], [FULL])


async def test_a_specialist_that_fails_leaves_the_second_answer(large: bytes) -> None:
    tagger = with_specialist([PORTRAIT, sure(BUILDING, {"建": 0.5})], EngineFailed("broke"))
    result = await tagger.tag(large, adaptive())
    assert result.category is not None
    assert (result.status, result.category.id, result.model) == ("needs_review", "building", "scripted")


async def test_the_next_picture_on_a_thread_starts_afresh(make_tagger: MakeTagger, large: bytes) -> None:
    tagger = make_tagger(lambda _: PORTRAIT)
    graph = build_graph(tagger.services, checkpointer=InMemorySaver())
    for run in range(1, 3):
        output = await graph.ainvoke({"image": large}, {"configurable": {"thread_id": "one"}}, context=adaptive())
        assert way(output["result"]) == ["prepare", "analyze", "review", "enlarge", "analyze", "review"]
        assert shown(tagger) == [SMALL, FULL] * run


async def test_answers_from_memory_are_those_of_their_look(make_tagger: MakeTagger, large: bytes) -> None:
    tagger = make_tagger([sure(PORTRAIT, {"内": 0.4}), sure(BUILDING)], cache="memory")
    first, second = [await tagger.tag(large, adaptive()) for _ in range(2)]
    assert first.category == second.category
    assert second.first_look == first.first_look
    assert shown(tagger) == [SMALL, FULL]


def test_the_drawing_shows_the_way_back(make_tagger: MakeTagger) -> None:
    edges = make_tagger([]).graph.get_graph().edges
    ways = {(edge.source, edge.target) for edge in edges if edge.conditional}
    assert {("review", "enlarge"), ("enlarge", "escalate"), ("route", "enlarge"), ("enlarge", "describe")} <= ways


def page(width: int, height: int) -> bytes:
    """A sheet that is full of lines of print."""
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    for y in range(30, height - 30, 24):
        pen.text((30, y), "the quick brown fox jumps over the lazy dog " * (width // 300), fill="black", font_size=18)
    held = io.BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


async def test_content_decides_how_large_a_picture_is_sent(make_tagger: MakeTagger, large: bytes) -> None:
    tagger = make_tagger(lambda _: sure(PORTRAIT))
    auto = Context(resolution="auto")
    photo, text = await tagger.tag(large, auto), await tagger.tag(page(1500, 2000), auto)
    assert [each.model_dump() for each in photo.pictures] == [
        {"width": 756, "height": 560, "content": "photo", "trimmed": None}
    ]
    assert [each.model_dump() for each in text.pictures] == [
        {"width": 868, "height": 1148, "content": "text", "trimmed": None}
    ]
    assert shown(tagger) == [(756, 560), (868, 1148)]


async def test_small_print_is_enlarged_and_a_small_photo_is_not_left_tiny(
    make_tagger: MakeTagger, picture: bytes
) -> None:
    result = await make_tagger([sure(PORTRAIT)]).tag(picture, Context(resolution="auto"))
    assert [(each.width, each.height) for each in result.pictures] == [(448, 364)]


async def test_the_sizes_are_settings(make_tagger: MakeTagger, large: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONELOOK_RESOLUTION__PHOTO_MOST", "560")
    monkeypatch.setenv("ONELOOK_RESOLUTION__FIRST_LOOK", "336")
    tagger = make_tagger(lambda _: PORTRAIT)
    await tagger.tag(large, adaptive(resolution="auto"))
    assert shown(tagger) == [(336, 252), (560, 420)]


async def test_in_hybrid_the_category_decides_the_size(make_tagger: MakeTagger, large: bytes) -> None:
    letter = sure('{"kind":"信件","contains":[]}')
    tagger = make_tagger([letter], routed("document"))
    result = await tagger.tag(large, Context(arm="hybrid", resolution="auto"))
    assert (result.status, result.errors) == ("ok", ())
    assert [each.model_dump() for each in result.pictures] == [
        {"width": 1148, "height": 868, "content": "text", "trimmed": None}
    ]
    assert shown(tagger) == [(1148, 868)]
    assert way(result) == ["prepare", "route", "enlarge", "describe", "review"]


async def test_in_hybrid_a_picture_that_asks_no_model_stays_small(make_tagger: MakeTagger, large: bytes) -> None:
    tagger = make_tagger([], routed("building"))
    result = await tagger.tag(large, Context(arm="hybrid", resolution="auto"))
    assert [each.model_dump() for each in result.pictures] == [
        {"width": 448, "height": 336, "content": None, "trimmed": None}
    ]
    assert way(result) == ["prepare", "route", "review"]


async def test_in_hybrid_an_unsure_router_leaves_the_size_to_the_picture(make_tagger: MakeTagger) -> None:
    tagger = make_tagger([sure(PORTRAIT)], routed("building", 0.3))
    result = await tagger.tag(page(1500, 2000), Context(arm="hybrid", resolution="auto"))
    assert [each.content for each in result.pictures] == ["text"]
    assert way(result) == ["prepare", "route", "enlarge", "analyze", "review"]


@pytest.mark.parametrize("arm", ARMS)
async def test_every_arm_can_let_content_decide_and_look_again(
    arm: ArmName, make_tagger: MakeTagger, large: bytes
) -> None:
    tagger = make_tagger(surer_of_more)
    result = await tagger.tag(large, adaptive(arm, resolution="auto"))
    assert (result.status, result.errors) == ("ok", ())
    assert set(shown(tagger)) == {SMALL, FULL}
    assert [each.content for each in result.pictures] == ["photo"]
