"""Faults without an error that show during work: a warning after 100 answers in a row, once."""

from __future__ import annotations

import io
import logging
import math
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from onelook.answering import ask
from onelook.engines.degradation import IN_A_ROW, DegradationWatch
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tests.engines.openai_simulation import Body, SimulatedServer, completion
from tests.graph.replies import BUILDING


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts from nothing."""
    monkeypatch.setattr(ask, "WATCH", DegradationWatch())


def answer(*, logprob: float, cached: int | None) -> dict[str, Any]:
    entry = {"token": BUILDING, "logprob": logprob, "bytes": list(BUILDING.encode()), "top_logprobs": []}
    usage = {"prompt_tokens": 500, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": cached}}
    return completion(BUILDING, logprobs={"content": [entry]}, usage=usage)


def _picture() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (280, 224), "teal").save(held, "JPEG")
    return held.getvalue()


PICTURE = _picture()
HEALTHY = answer(logprob=math.log(0.9), cached=480)
CERTAIN = answer(logprob=0.0, cached=480)
UNCACHED = answer(logprob=math.log(0.9), cached=0)


async def warnings(caplog: pytest.LogCaptureFixture, *answers: dict[str, Any], **settings: Any) -> list[str]:
    """What is logged while a picture is tagged as often as there are answers, which come in this order."""
    left = list(answers)

    async def respond(request: web.Request, body: Body) -> web.StreamResponse:
        return web.json_response(left.pop(0))

    async with SimulatedServer(respond) as server:
        chosen = load_settings(engine="vllm", base_url=server.base_url, **settings)
        async with Tagger(chosen) as tagger:
            for _ in answers:
                await tagger.tag(PICTURE, Context())
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_certain_answers_warn_once(caplog: pytest.LogCaptureFixture) -> None:
    (warning,) = await warnings(caplog, *[CERTAIN] * (2 * IN_A_ROW + 1))
    assert warning.startswith("100 answers of tiny in a row have confidence 1.0")
    assert "`onelook doctor`" in warning


async def test_answers_without_cached_tokens_warn_once(caplog: pytest.LogCaptureFixture) -> None:
    (warning,) = await warnings(caplog, *[UNCACHED] * (2 * IN_A_ROW + 1))
    assert warning.startswith("100 answers of tiny in a row have no cached prompt tokens")
    assert "--enable-prefix-caching" in warning


@pytest.mark.parametrize("fault", [CERTAIN, UNCACHED], ids=["certain", "uncached"])
async def test_one_good_answer_begins_the_row_anew(caplog: pytest.LogCaptureFixture, fault: dict[str, Any]) -> None:
    row = [fault] * (IN_A_ROW - 1)
    assert await warnings(caplog, *row, HEALTHY, *row) == []


async def test_a_server_that_reports_neither_is_not_suspected(caplog: pytest.LogCaptureFixture) -> None:
    silent = completion(BUILDING, usage={"prompt_tokens": 500, "completion_tokens": 9})
    assert await warnings(caplog, *[silent] * (IN_A_ROW + 1)) == []


async def test_answers_from_memory_say_nothing_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    assert await warnings(caplog, *[CERTAIN] * (IN_A_ROW + 1), cache="memory") == []
