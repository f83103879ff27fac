"""The arm `reads`: one letter an answer, and a probability for what is there and for what is not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pytest

from onelook.engines.base import AskRequest, Choice
from onelook.engines.scripted import Scripted, ScriptedReply
from onelook.errors import EngineFailed, EngineRefused
from onelook.tagger import Tagger
from onelook.types import Context
from tests.graph.replies import IDS, MakeTagger, pictures_first, question, scripted

READS = Context(arm="reads")

# What is asked about, and the letter that answers it: a man who takes a picture of himself, half body, happy, indoor.
LETTERS = {
    "主要类别": "A",
    "性别": "A",
    "自拍": "A",
    "半身": "A",
    "全身": "B",
    "合影": "B",
    "表情": "A",
    "场景": "A",
}


def letters(odds: Mapping[str, float] | None = None) -> Callable[[AskRequest], Scripted]:
    """Answers each question as `LETTERS` says, with certainty but for those in `odds`."""

    def script(request: AskRequest) -> Scripted:
        (about,) = (words for words in LETTERS if f"{words}？A" in question(request))
        return ScriptedReply(tokens=[(LETTERS[about], math.log((odds or {}).get(about, 1.0)))], stop_reason="length")

    return script


def asked(tagger: Tagger) -> list[AskRequest]:
    return scripted(tagger).asked


async def test_every_label_is_one_token_on_one_prefix(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger(letters())
    result = await tagger.tag(picture, READS)
    assert (result.status, result.errors) == ("ok", ())
    assert result.category is not None
    assert (result.category.id, result.category.label) == ("portrait", "人像")
    assert {attribute: [tag.id for tag in tags] for attribute, tags in result.details.items()} == IDS
    requests = asked(tagger)
    assert len(requests) == 1 + 3 + 4  # the category; three attributes to choose one of; four options to choose any of
    for request in requests:
        assert request.max_tokens == 1
        assert isinstance(request.constraint, Choice)
        assert pictures_first(request)
        assert request.messages[0] == requests[0].messages[0]
        assert request.messages[1].content[0] == requests[0].messages[1].content[0]
    assert [node.name for node in result.ledger.nodes] == ["prepare", "read", "review"]
    assert result.usage.completion_tokens == len(requests)


async def test_the_letters_probability_is_the_confidence(make_tagger: MakeTagger, picture: bytes) -> None:
    odds = {"性别": 0.9, "自拍": 0.7, "主要类别": 0.8}
    result = await make_tagger(letters(odds)).tag(picture, READS)
    assert result.category is not None
    assert result.category.confidence == pytest.approx(0.8)
    assert result.details["gender"][0].confidence == pytest.approx(0.9)
    assert [tag.confidence for tag in result.details["composition"]] == pytest.approx([0.7, 1.0])


async def test_a_doubtful_absence_needs_review_too(make_tagger: MakeTagger, picture: bytes) -> None:
    result = await make_tagger(letters({"合影": 0.6})).tag(picture, READS)
    assert (result.status, [tag.id for tag in result.details["composition"]]) == ("needs_review", IDS["composition"])


async def test_a_category_without_details_is_one_question(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger([ScriptedReply("E", stop_reason="length")])
    result = await tagger.tag(picture, READS)
    assert result.category is not None
    assert (result.category.id, result.details, len(asked(tagger))) == ("building", {}, 1)


async def test_one_refused_question_fails_the_picture(make_tagger: MakeTagger, picture: bytes) -> None:
    def script(request: AskRequest) -> Scripted:
        return EngineRefused("HTTP 400") if "表情？A" in question(request) else letters()(request)

    result = await make_tagger(script).tag(picture, READS)
    assert (result.status, [error.kind for error in result.errors]) == ("failed", ["EngineRefused"])


async def test_a_fault_that_passes_is_tried_again(make_tagger: MakeTagger, picture: bytes) -> None:
    failed: list[bool] = []

    def script(request: AskRequest) -> Scripted:
        if "场景？A" in question(request) and not failed:
            failed.append(True)
            return EngineFailed("HTTP 503")
        return letters()(request)

    result = await make_tagger(script).tag(picture, READS)
    assert (result.status, result.ledger.nodes[1].attempts) == ("ok", 2)


async def test_a_letter_that_was_not_offered_is_no_answer(make_tagger: MakeTagger, picture: bytes) -> None:
    result = await make_tagger(["Z"]).tag(picture, READS)
    assert (result.status, [error.kind for error in result.errors]) == ("failed", ["ReplyInvalid"])
