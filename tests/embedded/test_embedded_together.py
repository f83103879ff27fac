"""Several questions about a picture in one forward pass: the same answers as one after another, for less."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from onelook.engines.base import AskRequest, Choice, Regex
from onelook.engines.transformers.engine import TransformersEngine
from onelook.engines.transformers.generation import REUSES_PREFIXES, Generated, Generator
from onelook.engines.transformers.guide import Cancelled
from onelook.engines.transformers.together import answer_together
from onelook.errors import EngineRefused
from tests.embedded.architectures import ARCHITECTURES, MakeGenerator
from tests.embedded.questions import SYSTEM, question

WORDS = ["这是什么？", "它在哪里？只回答字母。", "有几个？", "这是什么颜色的？A 红 B 绿 C 蓝"]
CACHE = 10**8


@pytest.fixture(scope="module")
def generator(make_generator: MakeGenerator) -> Generator:
    return make_generator("qwen2_5_vl", CACHE)


def asked(pictures: Sequence[int], texts: Sequence[str] = WORDS, letters: str = "ABC") -> list[AskRequest]:
    return [AskRequest(question(pictures, text), Choice(tuple(letters)), 1, top_logprobs=4) for text in texts]


def singly(generator: Generator, requests: Sequence[AskRequest]) -> list[Generated]:
    return [
        generator.answer(
            request.messages,
            request.constraint,
            max_tokens=1,
            top_logprobs=request.top_logprobs,
            cancelled=threading.Event(),
        )
        for request in requests
    ]


def together(generator: Generator, requests: Sequence[AskRequest]) -> list[Generated]:
    answers = answer_together(generator, requests, cancelled=threading.Event())
    assert answers is not None
    return answers


def assert_same(ours: Sequence[Generated], theirs: Sequence[Generated]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert (one.prompt_tokens, one.image_tokens, one.stop_reason) == (
            other.prompt_tokens,
            other.image_tokens,
            other.stop_reason,
        )
        (step,), (expected,) = one.steps, other.steps
        assert step.logprob == pytest.approx(expected.logprob, abs=1e-4)
        assert dict(step.top) == pytest.approx(dict(expected.top), abs=1e-4)


def count_passes(generator: Generator) -> tuple[list[int], list[int]]:
    """Two lists, of which one grows by a 1 with every run of the vision encoder, the other with every pass."""
    encoded: list[int] = []
    passes: list[int] = []
    generator.model.model.visual.register_forward_hook(lambda *_: encoded.append(1))
    generator.model.register_forward_hook(lambda *_: passes.append(1))
    return encoded, passes


@pytest.mark.parametrize("architecture", sorted(REUSES_PREFIXES))
@pytest.mark.parametrize("pictures", [[1], [2, 1]], ids=["one picture", "two pictures"])
@pytest.mark.parametrize("warm", [False, True], ids=["new pictures", "known pictures"])
def test_the_answers_are_those_of_one_after_another(
    architecture: str, pictures: list[int], warm: bool, make_generator: MakeGenerator
) -> None:
    ours = make_generator(architecture, CACHE)
    if warm:
        singly(ours, asked(pictures, ["什么？"]))
    assert_same(together(ours, asked(pictures)), singly(make_generator(architecture, 0), asked(pictures)))


@pytest.mark.parametrize("architecture", sorted(REUSES_PREFIXES))
@pytest.mark.parametrize("attention", ["eager", "flash_attention_2"])
def test_the_answers_do_not_depend_on_the_kind_of_attention(
    architecture: str, attention: str, make_generator: MakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions side by side in one row need a mask of their own, which flash attention does not take."""
    ours = make_generator(architecture, CACHE)
    assert ours.can_branch
    if attention == "eager":
        ours.model.set_attn_implementation(attention)
    monkeypatch.setattr(ours, "can_branch", attention == "eager")
    _, passes = count_passes(ours)
    assert_same(together(ours, asked([2, 1])), singly(make_generator(architecture, 0), asked([2, 1])))
    assert len(passes) == 2


def test_questions_side_by_side_hold_the_prefix_once(make_generator: MakeGenerator) -> None:
    """Twenty of them add their own tokens to one row, in place of twenty copies of what they share."""
    generator = make_generator("qwen2_5_vl", CACHE)
    shapes: list[torch.Size] = []
    generator.model.register_forward_pre_hook(
        lambda _, __, inputs: shapes.append(inputs["input_ids"].shape), with_kwargs=True
    )
    texts = [f"第{number}个是什么颜色的？" for number in range(20)]
    answers = together(generator, asked([1], texts))
    (_, prefix), (rows, width) = shapes
    assert (rows, width) == (1, sum(answer.prompt_tokens - prefix for answer in answers))
    assert_same(answers, singly(make_generator("qwen2_5_vl", 0), asked([1], texts)))


def test_a_further_question_does_not_read_the_picture_again(
    make_generator: MakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither does a round of them: the picture is decoded and scaled for the first question only."""
    generator = make_generator("qwen2_5_vl", CACHE)
    processor = generator.processor.image_processor
    scaled: list[int] = []
    preprocess = processor.preprocess

    def counted(images: Sequence[object], **options: object) -> object:
        scaled.append(1)
        return preprocess(images, **options)

    monkeypatch.setattr(processor, "preprocess", counted)
    requests = asked([1, 2])
    singly(generator, requests[:1])
    assert len(scaled) == 1
    answers = together(generator, requests)
    answers += singly(generator, requests)
    assert len(scaled) == 1
    assert_same(answers, singly(make_generator("qwen2_5_vl", 0), [*requests, *requests]))
    generator.forget()  # the states are gone, so the pixels are needed
    assert_same(singly(generator, requests[:1]), answers[:1])
    assert len(scaled) == 2


def test_one_pass_for_all_questions_about_a_known_picture(make_generator: MakeGenerator) -> None:
    generator = make_generator("qwen2_5_vl", CACHE)
    singly(generator, asked([1], ["什么？"]))
    encoded, passes = count_passes(generator)
    answers = together(generator, asked([1]))
    assert (len(encoded), len(passes)) == (0, 1)
    assert [answer.prefill_passes for answer in answers] == [1, *(0 for _ in answers[1:])]
    for answer in answers:
        assert answer.image_tokens < answer.cached_tokens < answer.prompt_tokens


def test_a_new_picture_is_encoded_once_and_known_from_then_on(make_generator: MakeGenerator) -> None:
    generator = make_generator("qwen2_5_vl", CACHE)
    encoded, passes = count_passes(generator)
    first, *others = together(generator, asked([1]))
    assert (len(encoded), len(passes)) == (1, 2)
    assert (first.prefill_passes, sum(answer.prefill_passes for answer in others)) == (2, 0)
    assert first.cached_tokens == 0
    assert all(answer.cached_tokens > answer.image_tokens for answer in others)
    together(generator, asked([1], ["几个？", "谁？"]))
    assert (len(encoded), len(passes)) == (1, 3)


@pytest.mark.parametrize(
    "requests",
    [
        asked([1], ["什么？"]),
        [*asked([1], ["什么？"]), *asked([2], ["什么？"])],
        [asked([1])[0], replace(asked([1])[1], messages=question([1], system=SYSTEM + "快。"))],
        [asked([1])[0], replace(asked([1])[1], messages=[HumanMessage("什么？")])],
        asked([], ["什么？", "哪里？"]),
        asked([1], ["什么？", "很长" * 3000]),
    ],
    ids=["one", "other pictures", "another system prompt", "words only", "no picture", "too long"],
)
def test_what_has_no_common_prefix_is_not_answered_together(generator: Generator, requests: list[AskRequest]) -> None:
    assert answer_together(generator, requests, cancelled=threading.Event()) is None


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES.keys() - REUSES_PREFIXES))
def test_an_architecture_without_reuse_answers_one_after_another(
    architecture: str, make_generator: MakeGenerator
) -> None:
    assert answer_together(make_generator(architecture, CACHE), asked([1]), cancelled=threading.Event()) is None


def test_a_constraint_that_cannot_be_read_is_refused(generator: Generator) -> None:
    requests = [asked([1])[0], replace(asked([1])[1], constraint=Regex("(A"))]
    with pytest.raises(EngineRefused, match="constraint"):
        answer_together(generator, requests, cancelled=threading.Event())


def test_nothing_is_computed_for_nobody(generator: Generator) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        answer_together(generator, asked([1]), cancelled=cancelled)


async def test_an_engine_answers_a_round_as_it_answers_each_question(engine: TransformersEngine) -> None:
    requests = asked([3])
    replies, expected = await engine.ask_many(requests), [await engine.ask(request) for request in requests]
    for reply, alone in zip(replies, expected, strict=True):
        assert reply.text == alone.text
        assert reply.tokens[0].logprob == pytest.approx(alone.tokens[0].logprob, abs=1e-4)
        assert reply.timing.first_token_ms is not None
    assert all((reply.usage.cached_tokens or 0) > (reply.usage.image_tokens or 0) for reply in replies[1:])


async def test_an_engine_answers_longer_questions_one_after_another(engine: TransformersEngine) -> None:
    requests = [AskRequest(question([4], text), Regex("(A|B){2}"), 8) for text in WORDS]
    assert [len(reply.text) for reply in await engine.ask_many(requests)] == [2] * len(requests)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    rounds=st.lists(
        st.tuples(
            st.lists(st.integers(1, 3), min_size=1, max_size=2),
            st.lists(st.text("这是什么哪里A", max_size=8), min_size=2, max_size=5),
            st.sampled_from(["AB", "ABCDE"]),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_no_order_of_rounds_changes_an_answer(
    generator: Generator, plain: Generator, rounds: list[tuple[list[int], list[str], str]]
) -> None:
    for pictures, texts, letters in rounds:
        requests = asked(pictures, texts, letters)
        assert_same(together(generator, requests), singly(plain, requests))
