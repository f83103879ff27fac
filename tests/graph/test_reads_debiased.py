"""The arm `reads` with `debias`: a model (a simulation) that likes the first letter does not have its way."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelook.answering.confidence import span_probability
from onelook.answering.debias import average
from onelook.engines.base import AskRequest, Reply, Token
from onelook.engines.scripted import Scripted, ScriptedEngine
from onelook.ledger.model import ServerTiming
from onelook.prompts.question import Question
from onelook.prompts.replies.letters import LetterCodec
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context, Usage
from tests.graph.replies import IDS, question

TRUTH = {"人像", "男性", "自拍", "半身", "开心", "室内"}
EVIDENCE = 1.0
LIKES_A = 2.0
"""How much likelier the letter A is, whatever it stands for: more than what it sees in the picture."""


@dataclass
class LetterLover(ScriptedEngine):
    """Sees what is in `TRUTH`, but likes the letter A by `liking` (natural logarithm)."""

    script: Sequence[Scripted] = ()
    liking: float = LIKES_A
    tells_probabilities: bool = True

    async def ask(self, request: AskRequest) -> Reply:
        self.asked.append(request)
        about, choices = question(request).rsplit("？", 1)
        options = dict(re.findall(r"([A-Z])(\S+)", choices))
        true = {"有" if about.rsplit("，", 1)[-1] in TRUTH else "没有"} if "没有" in options.values() else TRUTH
        logits = {
            letter: EVIDENCE * (label in true) + self.liking * (letter == "A") for letter, label in options.items()
        }
        whole = math.log(sum(map(math.exp, logits.values())))
        logprobs = {letter.encode(): logit - whole for letter, logit in logits.items()}
        said = max(logprobs, key=lambda each: logprobs[each])
        token = Token(said, logprobs[said], logprobs if request.top_logprobs >= len(logprobs) else {})
        tokens = (token,) if self.tells_probabilities else ()
        return Reply(said.decode(), "length", tokens, Usage(), ServerTiming())


async def tag(picture: bytes, engine: LetterLover, *, debias: bool) -> TagResult:
    async with Tagger(load_settings(retry_interval_s=0.001), engine) as tagger:
        return await tagger.tag(picture, Context(arm="reads", debias=debias, language="zh"))


def ids(result: TagResult) -> dict[str, list[str]]:
    return {attribute: [tag.id for tag in tags] for attribute, tags in result.details.items()}


async def test_a_liking_for_a_letter_is_averaged_out(picture: bytes) -> None:
    biased = await tag(picture, LetterLover(), debias=False)
    assert len(ids(biased)["composition"]) == 4  # yes is A
    result = await tag(picture, LetterLover(), debias=True)
    assert result.errors == ()
    assert result.category is not None
    assert result.category.id == "portrait"
    assert ids(result) == IDS


async def test_every_question_is_asked_once_in_either_order(picture: bytes) -> None:
    engine = LetterLover()
    result = await tag(picture, engine, debias=True)
    texts = [question(request).splitlines()[-1] for request in engine.asked]
    assert len(texts) == len(set(texts)) == 2 * (1 + 3 + 4)
    forwards, backwards = (re.findall(r"([A-Z])(\S+)", text) for text in texts[:2])
    letters, labels = zip(*forwards, strict=True)
    turned, others = zip(*backwards, strict=True)
    assert (letters, labels) == (turned, others[::-1])
    assert len(labels) == 9
    assert [node.name for node in result.ledger.nodes] == ["prepare", "read", "review"]


async def test_without_a_bias_both_ways_agree(picture: bytes) -> None:
    plain, debiased = [await tag(picture, LetterLover(liking=0.0), debias=debias) for debias in (False, True)]
    assert ids(plain) == ids(debiased) == IDS
    assert plain.category is not None
    assert debiased.category is not None
    assert plain.category.confidence == pytest.approx(debiased.category.confidence)
    assert plain.status == debiased.status


async def test_a_server_without_probabilities_cannot_be_debiased(picture: bytes) -> None:
    result = await tag(picture, LetterLover(tells_probabilities=False), debias=True)
    assert (result.status, [error.kind for error in result.errors]) == ("failed", ["EngineIncapable"])
    assert "debias" in (result.errors[0].hint or "")


OPTIONS = ("cat", "dog", "bird", "fish")
ORDERS = [Question("?", LetterCodec(None, options)) for options in (OPTIONS, OPTIONS[::-1])]
Odds = st.lists(st.floats(0.001, 1.0), min_size=len(OPTIONS), max_size=len(OPTIONS))


def reply(odds: Mapping[str, float]) -> Reply:
    letters = {letter.encode(): math.log(each) for letter, each in odds.items()}
    said = max(letters, key=lambda letter: letters[letter])
    token = Token(said, letters[said], letters)
    return Reply(said.decode(), "length", (token,), Usage(), ServerTiming())


@given(Odds, Odds)
def test_the_confidence_is_the_mean_of_the_orders(first: list[float], second: list[float]) -> None:
    one = dict(zip("ABCD", [each / sum(first) for each in first], strict=True))
    other = dict(zip("ABCD", [each / sum(second) for each in second], strict=True))
    mean = {option: (one["ABCD"[i]] + other["DCBA"[i]]) / 2 for i, option in enumerate(OPTIONS)}
    answer = average(ORDERS, [reply(one), reply(other)])
    chosen = ORDERS[0].read(answer.text).category
    assert mean[chosen or ""] == pytest.approx(max(mean.values()))
    assert span_probability(answer.tokens, 0, 1) == pytest.approx(max(mean.values()))
