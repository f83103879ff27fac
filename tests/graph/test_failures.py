"""Whatever goes wrong with one picture ends in a result that says so; and who tries again, how often."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from onelook.engines.base import AskRequest, Reply
from onelook.engines.scripted import Scripted, ScriptedEngine, ScriptedReply
from onelook.errors import EngineError, EngineFailed, EngineRefused
from onelook.graph.arms import ArmName
from onelook.result import TagResult
from onelook.tagger import Tagger
from onelook.types import Context
from tests.graph.replies import ATTEMPTS, CATEGORY, PORTRAIT, MakeTagger, scripted, sure
from tests.loop_clock import skip

AT_ONCE = 4
ARMS: tuple[ArmName, ...] = get_args(ArmName)


def calls(tagger: Tagger) -> int:
    return len(scripted(tagger).asked)


def kinds(result: TagResult) -> list[str]:
    return [error.kind for error in result.errors]


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize(("error", "attempts"), ATTEMPTS)
async def test_an_engine_error_is_a_failed_result_after_the_attempts_it_deserves(
    arm: ArmName, error: EngineError, attempts: int, make_tagger: MakeTagger, picture: bytes
) -> None:
    tagger = make_tagger(lambda _: error)
    result = await tagger.tag(picture, Context(arm=arm))
    assert result.status == "failed"
    (record,) = result.errors
    assert (record.kind, record.message, record.hint) == (type(error).__name__, error.message, error.hint)
    assert record.retryable is error.retryable
    assert calls(tagger) == attempts
    assert max(node.attempts for node in result.ledger.nodes) == attempts


async def test_a_passing_fault_is_overcome_and_its_time_stays_in_the_ledger(
    make_tagger: MakeTagger, picture: bytes
) -> None:
    tagger = make_tagger([EngineFailed("HTTP 503"), EngineFailed("HTTP 503"), sure(PORTRAIT)])
    result = await tagger.tag(picture)
    assert (result.status, result.errors) == ("ok", ())
    analyze = result.ledger.nodes[1]
    assert analyze.attempts == 3
    assert analyze.spans[0].name == "retries"
    assert analyze.spans[0].duration_ms > 0


async def test_what_was_known_before_the_failure_is_kept(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger([sure(CATEGORY), EngineRefused("HTTP 400")])
    result = await tagger.tag(picture, Context(arm="legacy_shared"))
    assert result.status == "failed"
    assert result.category is not None
    assert result.category.id == "portrait"
    assert [error.node for error in result.errors] == ["describe"]


@pytest.mark.parametrize("reply", ["hello", '{"primary_category":"飞船","details":{}}', PORTRAIT[:-1], ""])
async def test_a_reply_that_breaks_the_constraint_is_never_an_answer(
    reply: str, make_tagger: MakeTagger, picture: bytes
) -> None:
    result = await make_tagger([reply]).tag(picture)
    assert (result.status, kinds(result), result.category) == ("failed", ["ReplyInvalid"], None)


async def test_a_reply_that_was_cut_off_says_so(make_tagger: MakeTagger, picture: bytes) -> None:
    result = await make_tagger([ScriptedReply(PORTRAIT[:30], stop_reason="length")]).tag(picture)
    assert (result.status, kinds(result)) == ("failed", ["ReplyTruncated"])
    assert "cut off" in result.errors[0].message


@pytest.mark.parametrize("arm", ARMS)
async def test_a_picture_that_cannot_be_read_is_a_failed_result_without_a_call(
    arm: ArmName, make_tagger: MakeTagger
) -> None:
    tagger = make_tagger([])
    result = await tagger.tag(b"not a picture", Context(arm=arm))
    assert (result.status, kinds(result), result.errors[0].node) == ("failed", ["ImageUnreadable"], "prepare")
    assert calls(tagger) == 0


async def test_a_server_that_hangs_is_cut_off_by_the_graph(make_tagger: MakeTagger, picture: bytes) -> None:
    def hang(_: AskRequest) -> Scripted:
        skip(3600)
        return ScriptedReply(PORTRAIT, wait_s=3600)

    tagger = make_tagger(hang, patience_s=60.0, max_attempts=2)
    result = await tagger.tag(picture)
    assert (result.status, kinds(result)) == ("failed", ["EngineTimeout"])
    assert calls(tagger) == 2
    cut_off = result.ledger.nodes[-1]
    assert (cut_off.name, cut_off.attempts) == ("analyze", 2)
    assert "engine" in [span.name for span in cut_off.spans]


async def test_a_timeout_that_the_graph_did_not_set_is_a_bug_with_its_own_name(
    make_tagger: MakeTagger, picture: bytes
) -> None:
    def broken(_: AskRequest) -> Scripted:
        raise TimeoutError("of the script's own")

    with pytest.raises(TimeoutError, match="of the script's own"):
        await make_tagger(broken, patience_s=60.0).tag(picture)


async def test_a_bug_keeps_its_own_name(make_tagger: MakeTagger, picture: bytes) -> None:
    def broken(_: AskRequest) -> Scripted:
        raise ZeroDivisionError("a bug in a script")

    with pytest.raises(ZeroDivisionError):
        await make_tagger(broken).tag(picture)


async def test_one_bad_picture_among_many_leaves_the_others_alone(make_tagger: MakeTagger, picture: bytes) -> None:
    tagger = make_tagger(lambda _: sure(PORTRAIT), concurrency=3)
    pictures = [picture, b"nonsense", picture, b"", picture]
    results = {index: result async for index, result in tagger.tag_many(pictures)}
    assert [results[index].status for index in range(5)] == ["ok", "failed", "ok", "failed", "ok"]


async def test_no_more_pictures_are_in_flight_than_was_said(make_tagger: MakeTagger, picture: bytes) -> None:
    flying, most, full = 0, 0, asyncio.Event()

    class Counting(ScriptedEngine):
        async def ask(self, request: AskRequest) -> Reply:
            nonlocal flying, most
            flying += 1
            most = max(most, flying)
            try:
                if flying == AT_ONCE:
                    full.set()
                await full.wait()  # nobody is through before so many have come
                return await super().ask(request)
            finally:
                flying -= 1

    tagger = Tagger(
        make_tagger([]).services.settings.model_copy(update={"concurrency": AT_ONCE}), Counting(lambda _: PORTRAIT)
    )
    assert len([index async for index, _ in tagger.tag_many([picture] * 20)]) == 20
    assert most == AT_ONCE
