"""A bug in one run ends no other: it is a failed result that says so, and its stack trace is in the log."""

from __future__ import annotations

import logging

import pytest

from onelook.engines.base import AskRequest
from onelook.engines.scripted import ScriptedReply
from tests.graph.replies import PORTRAIT, sure
from tests.library.conftest import DRAWING, MakeScripted


def test_the_others_go_on(scripted: MakeScripted, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def script(_: AskRequest) -> ScriptedReply:
        calls.append(1)
        if len(calls) == 2:
            raise ZeroDivisionError("planted")
        return sure(PORTRAIT)

    tagger = scripted(script, concurrency=1)
    with caplog.at_level(logging.ERROR, "onelook.bug"):
        results = dict(tagger.tag_many_sync([str(DRAWING)] * 4))
    assert [results[index].status for index in range(4)] == ["ok", "failed", "ok", "ok"]
    (error,) = results[1].errors
    assert error.kind == "Bug"
    assert str(DRAWING) in error.message
    assert "a bug of onelook, not of the picture: ZeroDivisionError: planted" in error.message
    (record,) = caplog.records
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)


def test_one_picture_alone_raises_it(scripted: MakeScripted) -> None:
    def script(_: AskRequest) -> ScriptedReply:
        raise ZeroDivisionError("planted")

    with pytest.raises(ZeroDivisionError):
        scripted(script).tag_sync(DRAWING)
