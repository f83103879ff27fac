"""The guide of an answer: it chooses and records what a softmax over the whole masked vocabulary would."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
import xgrammar as xgr
from transformers import AutoTokenizer

from onelook.engines.base import Choice, Constraint, Regex
from onelook.engines.transformers.guide import Grammars, Guide
from onelook.errors import EngineIncapable

CONSTRAINTS = {
    "none": None,
    "letters": Choice(tuple("ABCDE")),
    "json": Regex(r'\{"kind":"(人像|动物|建筑)","mood":\[("a"(,"b")?)?\]\}'),
    "any text": Regex("[a-z ]{6,12}"),
}
TOP = 8
STEPS = 12


@pytest.fixture(scope="module")
def grammars(tiny_checkpoint: Path) -> Grammars:
    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint)
    # As in most models, the scores are wider than the tokenizer, and no multiple of the bitmask's words.
    return Grammars(tokenizer, vocabulary=len(tokenizer) + 13, stop_tokens=[tokenizer.eos_token_id])


def guide_of(grammars: Grammars, constraint: Constraint | None) -> Guide:
    return Guide(grammars, constraint, top_logprobs=TOP, cancelled=threading.Event())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", CONSTRAINTS)
def test_the_record_is_that_of_a_softmax_over_the_masked_vocabulary(
    name: str, dtype: torch.dtype, grammars: Grammars
) -> None:
    constraint = CONSTRAINTS[name]
    guide, bitmask = guide_of(grammars, constraint), xgr.allocate_token_bitmask(1, grammars.vocabulary)
    matcher = None if constraint is None else grammars.matcher(constraint)
    random = torch.Generator().manual_seed(1)
    while not guide.complete and len(guide.steps) < STEPS:
        scores = (torch.randn(1, grammars.vocabulary, generator=random) * 4).to(dtype)
        whole = scores.float()
        if matcher is not None:
            matcher.fill_next_token_bitmask(bitmask)
            xgr.apply_token_bitmask_inplace(whole, bitmask)
        logprobs = torch.log_softmax(whole[0], dim=-1)

        masked = guide.mask(scores)
        assert torch.equal(masked.float(), whole)
        token = int(masked.argmax())
        guide.advance(token)
        if matcher is not None:
            assert matcher.accept_token(token)
        step = guide.steps[-1]
        values, tokens = torch.topk(logprobs, TOP)
        expected = {int(other): float(value) for other, value in zip(tokens, values, strict=True) if value > -torch.inf}
        assert step.token == token
        assert step.logprob == pytest.approx(float(logprobs[token]), abs=1e-5)
        assert sorted(value for _, value in step.top) == pytest.approx(sorted(expected.values()), abs=1e-5)
        assert dict(step.top) == pytest.approx({other: float(logprobs[other]) for other, _ in step.top}, abs=1e-5)
    assert guide.steps


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_scores_that_are_not_numbers_are_reported(name: str, grammars: Grammars) -> None:
    guide = guide_of(grammars, CONSTRAINTS[name])
    token = int(guide.mask(torch.full((1, grammars.vocabulary), torch.nan)).argmax())
    with pytest.raises(EngineIncapable, match="not numbers"):
        guide.advance(token)


def test_where_no_allowed_token_has_a_score_nothing_is_recorded(grammars: Grammars) -> None:
    guide = guide_of(grammars, CONSTRAINTS["letters"])
    token = int(guide.mask(torch.full((1, grammars.vocabulary), -torch.inf)).argmax())
    with pytest.raises(EngineIncapable, match="not numbers") as caught:
        guide.advance(token)
    assert "ONELOOK_DTYPE" in (caught.value.hint or "")
    assert guide.steps == []
