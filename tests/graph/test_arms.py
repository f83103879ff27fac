"""What each arm asks, and the result that a user gets from its replies."""

from __future__ import annotations

import math

import pytest

from onelook.engines.base import AskRequest, Choice, Regex
from onelook.result import TagResult
from onelook.tagger import Tagger
from onelook.types import Context
from tests.graph.replies import (
    BUILDING,
    CATEGORY,
    COMPACT,
    DETAILS,
    IDS,
    PORTRAIT,
    MakeTagger,
    pictures_first,
    question,
    scripted,
    sure,
)


def ids(result: TagResult) -> dict[str, list[str]]:
    return {attribute: [tag.id for tag in tags] for attribute, tags in result.details.items()}


def nodes(result: TagResult) -> list[str]:
    return [node.name for node in result.ledger.nodes]


def asked(tagger: Tagger) -> list[AskRequest]:
    return scripted(tagger).asked


async def test_fused_names_category_and_details_in_one_call(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger([sure(PORTRAIT)])
    result = await tagger.tag(picture)
    assert (result.status, result.arm, result.model) == ("ok", "fused", "scripted")
    assert result.category is not None
    assert (result.category.id, result.category.label) == ("portrait", "人像")
    assert ids(result) == IDS
    assert nodes(result) == ["prepare", "analyze", "review"]
    (request,) = asked(tagger)
    assert pictures_first(request)


async def test_fused_compact_gives_the_same_answer(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger([sure(COMPACT)])
    result = await tagger.tag(picture, Context(reply_format="compact"))
    assert result.category is not None
    assert (result.category.id, ids(result)) == ("portrait", IDS)
    (request,) = asked(tagger)
    assert isinstance(request.constraint, Regex)


async def test_legacy_asks_twice_with_words_before_the_picture_and_no_constraint(
    make_tagger: MakeTagger, picture: bytes
) -> None:
    tagger = make_tagger([f"好的。\n```json\n{CATEGORY}\n```", f"描述如下：{DETAILS}"])
    result = await tagger.tag(picture, Context(arm="legacy", confidence_threshold=0))
    assert result.category is not None
    assert (result.status, result.category.id, ids(result)) == ("ok", "portrait", IDS)
    assert nodes(result) == ["prepare", "classify", "parse", "describe", "parse", "review"]
    assert [request.constraint for request in asked(tagger)] == [None, None]
    assert not any(pictures_first(request) for request in asked(tagger))


async def test_legacy_asks_once_more_when_a_reply_cannot_be_read(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger(["我不知道。", CATEGORY, "嗯……", DETAILS])
    result = await tagger.tag(picture, Context(arm="legacy", confidence_threshold=0))
    assert (result.status, ids(result)) == ("ok", IDS)
    first, second, third, fourth = (question(request) for request in asked(tagger))
    assert second != first
    assert fourth != third


async def test_legacy_gives_up_after_the_second_unreadable_reply(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger(["我不知道。", "还是不知道。"])
    result = await tagger.tag(picture, Context(arm="legacy"))
    assert result.status == "failed"
    assert [(error.kind, error.node) for error in result.errors] == [("ReplyInvalid", "parse")]
    assert len(asked(tagger)) == 2


async def test_legacy_shared_asks_twice_on_one_constant_prefix(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger([sure(CATEGORY), sure(DETAILS)])
    result = await tagger.tag(picture, Context(arm="legacy_shared"))
    assert (result.status, ids(result)) == ("ok", IDS)
    first, second = asked(tagger)
    assert first.messages[0] == second.messages[0]
    assert pictures_first(first)
    assert first.messages[1].content[0] == second.messages[1].content[0]
    assert first.constraint is not None
    assert second.constraint is not None


async def test_legacy_shared_compact_names_the_category_as_one_label(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger([sure("人像"), sure(COMPACT.removeprefix("人像"))])
    result = await tagger.tag(picture, Context(arm="legacy_shared", reply_format="compact"))
    assert (result.status, ids(result)) == ("ok", IDS)
    assert isinstance(asked(tagger)[0].constraint, Choice | Regex)


@pytest.mark.parametrize("arm", ["legacy", "legacy_shared"])
async def test_a_category_without_details_needs_no_second_call(
    arm: str, make_tagger: MakeTagger, picture: bytes
) -> None:
    tagger = make_tagger([sure('{"primary_category":"建筑"}')])
    result = await tagger.tag(picture, Context.model_validate({"arm": arm}))
    assert result.category is not None
    assert (result.status, result.category.id, result.details) == ("ok", "building", {})
    assert len(asked(tagger)) == 1


async def test_confidence_is_the_product_of_the_label_tokens(make_tagger: MakeTagger, picture: bytes) -> None:
    tokens = [
        ('{"primary_category":"', -0.1),  # not part of a label: must not count
        ("人", math.log(0.9)),
        ("像", math.log(0.8)),
        ('","details":{"gender":"', -0.2),
        ("男性", math.log(0.7)),
        ('","composition":["', -0.3),
        ("自拍", math.log(0.6)),
        ('","半', math.log(0.5)),  # shares bytes with the label that follows: counts
        ("身", math.log(0.9)),
        ('"],"mood":"', 0.0),
        ("开心", 0.0),
        ('","scene":"室', math.log(0.25)),
        ('内"}}', math.log(0.5)),
    ]
    from onelook.engines.scripted import ScriptedReply

    result = await make_tagger([ScriptedReply(tokens=tokens)]).tag(picture)
    assert result.category is not None
    assert result.category.confidence == pytest.approx(0.9 * 0.8)
    confidences = {tag.id: tag.confidence for tags in result.details.values() for tag in tags}
    assert confidences == pytest.approx(
        {"male": 0.7, "selfie": 0.6, "half_body": 0.5 * 0.9, "happy": 1.0, "indoor": 0.25 * 0.5}
    )
    assert result.status == "needs_review"


@pytest.mark.parametrize(("threshold", "status"), [(0.85, "needs_review"), (0.6, "ok"), (0.0, "ok")])
async def test_the_least_sure_label_decides_the_review(
    threshold: float, status: str, make_tagger: MakeTagger, picture: bytes
) -> None:
    result = await make_tagger([sure(PORTRAIT, {"内": 0.7})]).tag(picture, Context(confidence_threshold=threshold))
    assert result.status == status


async def test_without_logprobs_no_confidence_is_invented(make_tagger: MakeTagger, picture: bytes) -> None:
    result = await make_tagger([BUILDING]).tag(picture)
    assert result.category is not None
    assert (result.category.confidence, result.status) == (None, "needs_review")


async def test_english_asks_and_answers_in_english(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger([sure('{"primary_category":"plant","details":{}}')])
    result = await tagger.tag(picture, Context(language="en"))
    assert result.category is not None
    assert (result.category.id, result.category.label) == ("plant", "plant")
    assert "人像" not in question(asked(tagger)[0])


async def test_a_result_that_was_written_down_can_be_read_again(make_tagger: MakeTagger, picture: bytes) -> None:
    result = await make_tagger([sure(PORTRAIT)]).tag(picture)
    written = result.model_dump_json()
    read = TagResult.model_validate_json(written)
    assert read.model_dump_json() == written
    assert read.ledger.parts() == result.ledger.parts()


@pytest.mark.parametrize(
    ("reply", "wrapping"),
    [
        (f"```json\n{PORTRAIT}\n```", "in a Markdown fence"),
        (f"Sure! ```\n{PORTRAIT}\n``` Anything else?", "in a Markdown fence"),
        (f"Here it is: {PORTRAIT}", "between other words"),
    ],
)
async def test_json_with_something_around_it_is_named_in_a_guided_arm(
    make_tagger: MakeTagger, picture: bytes, reply: str, wrapping: str
) -> None:
    (error,) = (await make_tagger([sure(reply)]).tag(picture)).errors
    assert error.kind == "ReplyInvalid"
    assert f"has its JSON {wrapping}: the server did not keep the constraint" in error.message
    assert "--arm legacy" in (error.hint or "")
