"""What the embedded engine answers: always within the constraint, with the probabilities of exactly that choice."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage, HumanMessage

from onelook.engines.base import AskRequest, Choice, Constraint, JsonSchema, Regex
from onelook.engines.transformers.engine import TransformersEngine
from onelook.engines.transformers.loading import LoadOptions, load_checkpoint
from onelook.errors import EngineRefused
from tests.embedded.questions import SYSTEM, picture, picture_part, question, request

WRITTEN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)


async def test_a_question_about_a_picture_gets_a_whole_reply(engine: TransformersEngine) -> None:
    reply = await engine.ask(request([1], Choice(("人像", "动物")), max_tokens=20, top_logprobs=3))
    assert reply.text in ("人像", "动物")
    assert reply.stop_reason == "stop"
    assert b"".join(token.data for token in reply.tokens) == reply.text.encode()
    assert all(token.logprob <= 0 for token in reply.tokens)
    assert reply.usage.image_tokens == 4 * 5
    assert reply.usage.prompt_tokens is not None
    assert reply.usage.prompt_tokens > 20
    assert reply.usage.completion_tokens == len(reply.tokens)
    assert reply.timing.queue_ms is not None
    assert reply.timing.first_token_ms is not None
    assert reply.timing.decode_ms is not None
    assert reply.timing.first_token_ms > 0


@pytest.mark.parametrize("count", [0, 1, 2, 5])
async def test_up_to_five_pictures(engine: TransformersEngine, count: int) -> None:
    reply = await engine.ask(request(range(count), Choice(("a", "b")), max_tokens=20))
    assert reply.usage.image_tokens == count * 20


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(options=st.lists(WRITTEN, min_size=1, max_size=6, unique=True))
async def test_a_choice_is_kept_whatever_its_letters(engine: TransformersEngine, options: list[str]) -> None:
    reply = await engine.ask(request([1], Choice(tuple(options)), max_tokens=200))
    assert reply.text in options
    assert reply.stop_reason == "stop"


async def test_an_option_that_begins_another_leaves_room_to_stop(engine: TransformersEngine) -> None:
    reply = await engine.ask(request([1], Regex("人(像)?"), max_tokens=20))
    assert reply.text in ("人", "人像")
    assert reply.stop_reason == "stop"


async def test_a_schema_is_kept_as_its_regex_writes_it(engine: TransformersEngine) -> None:
    schema = {"type": "object", "properties": {"kind": {"enum": ["猫", "狗"]}}, "required": ["kind"]}
    constraint = JsonSchema(schema, regex=r'\{"kind":"(猫|狗)"\}')
    reply = await engine.ask(request([1], constraint, max_tokens=40))
    assert re.fullmatch(constraint.regex, reply.text)


async def test_a_reply_that_is_cut_off_says_so(engine: TransformersEngine) -> None:
    reply = await engine.ask(request([1], Regex("(人像){20}"), max_tokens=5))
    assert reply.stop_reason == "length"
    assert reply.usage.completion_tokens == 5


async def test_without_a_constraint_it_says_what_it_likes(engine: TransformersEngine) -> None:
    reply = await engine.ask(request([1], max_tokens=8))
    assert reply.text
    assert 0 < (reply.usage.completion_tokens or 0) <= 8


async def test_the_same_question_gets_the_same_answer(engine: TransformersEngine) -> None:
    replies = [await engine.ask(request([3], Regex("[a-z]{12}"), max_tokens=40)) for _ in range(2)]
    assert replies[0].text == replies[1].text


async def test_probabilities_are_those_of_the_model_among_what_is_allowed(
    engine: TransformersEngine, tiny_checkpoint: Path
) -> None:
    """Against Transformers alone: one forward pass, and a softmax over the allowed letters by hand."""
    letters = ["A", "B", "C"]
    reply = await engine.ask(request([7], Choice(tuple(letters)), max_tokens=5, top_logprobs=5))

    checkpoint = load_checkpoint(str(tiny_checkpoint), LoadOptions())
    processor = checkpoint.processor
    turns: list[dict[str, Any]] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "这是什么？"}]},
    ]
    prompt = processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    inputs = processor(text=[prompt], images=[picture(7)], return_tensors="pt")
    ids = [processor.tokenizer.convert_tokens_to_ids(letter) for letter in letters]
    with torch.no_grad():
        expected = torch.log_softmax(checkpoint.model(**inputs).logits[0, -1, ids], dim=-1)

    assert reply.text == letters[int(expected.argmax())]
    assert math.isclose(reply.tokens[0].logprob, float(expected.max()), abs_tol=1e-3)
    for letter, value in zip(letters, expected.tolist(), strict=True):
        assert math.isclose(reply.tokens[0].alternatives[letter.encode()], value, abs_tol=1e-3)


async def test_alternatives_are_all_that_was_allowed(engine: TransformersEngine) -> None:
    reply = await engine.ask(request([1], Choice(("A", "B")), max_tokens=20, top_logprobs=20))
    (token,) = reply.tokens
    assert set(token.alternatives) == {b"A", b"B"}
    assert math.isclose(sum(math.exp(value) for value in token.alternatives.values()), 1, abs_tol=1e-5)
    assert math.isclose(token.alternatives[token.data], token.logprob)


@pytest.mark.parametrize(
    ("messages", "asked", "says"),
    [
        (question([1]), {"temperature": 0.7}, "greedy"),
        (question(range(6)), {}, "6 pictures"),
        (question([1]), {"max_tokens": 5000}, "context of 4,096"),
        (question([1]), {"constraint": Regex("(")}, "constraint"),
        ([HumanMessage([{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}])], {}, "data URL"),
        ([HumanMessage([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}])], {}, "be read"),
        ([HumanMessage([{"type": "image_url", "image_url": {"url": "data:image/png;base64,é"}}])], {}, "be read"),
        ([HumanMessage([picture_part(picture(1, width=28 * 250, height=28))])], {}, "aspect ratio"),
    ],
)
async def test_what_it_cannot_do_is_refused(
    engine: TransformersEngine, messages: list[BaseMessage], asked: dict[str, Any], says: str
) -> None:
    with pytest.raises(EngineRefused, match=says):
        await engine.ask(replace(AskRequest(messages, None, max_tokens=5), **asked))


CONSTRAINTS: list[Constraint] = [Choice(("a",)), Regex("b"), JsonSchema({"const": "c"}, regex='"c"')]


@pytest.mark.parametrize("constraint", CONSTRAINTS)
async def test_a_single_allowed_reply_is_certain(engine: TransformersEngine, constraint: Constraint) -> None:
    reply = await engine.ask(request([1], constraint, max_tokens=5))
    assert math.isclose(sum(token.logprob for token in reply.tokens), 0, abs_tol=1e-6)
