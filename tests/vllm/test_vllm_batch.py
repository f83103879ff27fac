"""Several questions in one request to a real vLLM server: the same answers, and a picture that travels once."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import aiohttp
import pytest

from onelook.engines.base import AskRequest, Choice
from onelook.engines.openai.batch import PATH
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tests.engines.openai_simulation import engine_at
from tests.vllm.test_vllm_graph import picture as photograph
from tests.vllm.test_vllm_server_engine import picture, question

pytestmark = pytest.mark.vllm

LETTERS = ("ABC", "AB", "ABCDEFGH", "AB")
TEXTS = ("这是什么？", "有没有人？", "是哪一类？", "有没有字？")


def questions(*pictures: dict[str, object]) -> list[AskRequest]:
    return [
        replace(question(Choice(tuple(letters)), *pictures, text=text, max_tokens=1), top_logprobs=len(letters))
        for letters, text in zip(LETTERS, TEXTS, strict=True)
    ]


def colours(count: int) -> list[dict[str, object]]:
    dice = random.SystemRandom()
    return [picture((dice.randrange(256), dice.randrange(256), dice.randrange(256))) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 2])
async def test_each_answer_is_that_of_a_question_of_its_own(count: int, vllm_url: str) -> None:
    asked = questions(*colours(count))
    async with engine_at(vllm_url, batch="always") as engine, engine_at(vllm_url, batch="never") as single:
        together, alone = await engine.ask_many(asked), await single.ask_many(asked)
    for one, other, letters in zip(together, alone, LETTERS, strict=True):
        assert set(one.tokens[0].alternatives) == {letter.encode() for letter in letters}
        assert sum(map(math.exp, one.tokens[0].alternatives.values())) == pytest.approx(1)
        # bfloat16 in batches of other sizes rounds otherwise
        assert dict(one.tokens[0].alternatives) == pytest.approx(dict(other.tokens[0].alternatives), abs=0.1)
    assert together[0].usage.completion_tokens == len(asked)


async def test_a_picture_that_is_named_only_is_the_one_that_was_shown(vllm_url: str) -> None:
    """All but the first question name it; the answers tell that they saw it, and not another of the same size."""
    teal, red = picture("teal"), picture("red")
    async with engine_at(vllm_url, batch="always") as engine:
        seen = {}
        for name, shown in (("teal", teal), ("red", red), ("teal again", teal)):
            seen[name] = [math.exp(reply.tokens[0].logprob) for reply in await engine.ask_many(questions(shown))]
    assert seen["teal"] == pytest.approx(seen["teal again"], abs=0.02)
    assert seen["teal"] != pytest.approx(seen["red"], abs=0.0001)


async def test_the_server_is_found_to_take_batches(vllm_url: str) -> None:
    async with engine_at(vllm_url) as engine:
        (finding,) = [each for each in await engine.probe() if each.capability == "questions in one request"]
    assert finding.ok
    async with (
        aiohttp.ClientSession() as session,
        session.get(vllm_url.removesuffix("/v1") + "/openapi.json") as answer,
    ):
        assert f"/v1/{PATH}" in (await answer.json())["paths"]


@pytest.mark.parametrize("debias", [False, True])
async def test_reads_answer_the_same_in_one_request_a_round(debias: bool, vllm_url: str) -> None:
    data, answers = photograph(random.SystemRandom().randrange(10**6)), {}
    for batch in ("always", "never"):
        settings = load_settings(engine="vllm", base_url=vllm_url, batch=batch)
        async with Tagger(settings) as tagger:
            result = await tagger.tag(data, Context(arm="reads", debias=debias, confidence_threshold=0))
        assert (result.status, result.errors) == ("ok", ())
        assert result.category is not None
        answers[batch] = result.category
    assert answers["always"].id == answers["never"].id
    assert answers["always"].confidence == pytest.approx(answers["never"].confidence, abs=0.05)
