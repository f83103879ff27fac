"""Answers kept in memory: asked for once, never mixed up, and never passed off as measured."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from onelook.graph.arms import ArmName
from onelook.result import TagResult
from onelook.types import Context
from tests.graph.replies import CATEGORY, DETAILS, IDS, PORTRAIT, MakeTagger, scripted, sure


@pytest.mark.parametrize(("arm", "replies"), [("fused", [PORTRAIT]), ("legacy_shared", [CATEGORY, DETAILS])])
async def test_the_same_picture_is_asked_about_once(
    arm: ArmName, replies: list[str], make_tagger: MakeTagger, picture: bytes
) -> None:
    tagger = make_tagger([sure(reply) for reply in replies], cache="memory")
    first, second = [await tagger.tag(picture, Context(arm=arm)) for _ in range(2)]
    assert len(scripted(tagger).asked) == len(replies)
    assert second.model_copy(update={"ledger": first.ledger, "usage": first.usage}) == first
    assert {attribute: [tag.id for tag in tags] for attribute, tags in second.details.items()} == IDS


def kept(result: TagResult) -> list[str]:
    """The nodes whose reply came from the cache."""
    return [node.name for node in result.ledger.nodes for span in node.spans if span.cached]


async def test_a_kept_answer_took_no_time_and_no_tokens(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger([sure(PORTRAIT)], cache="memory")
    first, second = [await tagger.tag(picture) for _ in range(2)]
    assert kept(first) == []
    assert kept(second) == ["analyze"]
    assert second.usage.completion_tokens is None
    assert sum(second.ledger.parts().values()) == pytest.approx(second.ledger.wall_ms, rel=0.01, abs=1)


async def test_a_choice_that_changes_what_the_engine_sees_is_another_question(make_tagger: MakeTagger) -> None:
    held = io.BytesIO()
    Image.new("RGB", (896, 672), "teal").save(held, "JPEG")
    tagger = make_tagger(lambda _: sure(PORTRAIT), cache="memory")
    for context in (Context(), Context(long_edge=448), Context(confidence_threshold=0.5), Context()):
        await tagger.tag(held.getvalue(), context)
    assert len(scripted(tagger).asked) == 2


async def test_without_the_setting_nothing_is_kept(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger(lambda _: sure(PORTRAIT))
    for _ in range(2):
        await tagger.tag(picture)
    assert len(scripted(tagger).asked) == 2
