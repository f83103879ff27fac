"""Reuse of attention states changes the time and nothing else, in whatever order questions come."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onelook.engines.base import Regex
from onelook.engines.transformers.generation import REUSES_PREFIXES, Generated, Generator
from tests.embedded.architectures import ARCHITECTURES, MakeGenerator
from tests.embedded.questions import SYSTEM, question

LABELS = Regex("(人像|动物|风景|A|B){6}")
IMAGE_TOKENS = 4 * 5


def ask(
    generator: Generator, pictures: Sequence[int], text: str = "这是什么？", *, system: str = SYSTEM, tokens: int = 40
) -> Generated:
    return generator.answer(
        question(pictures, text, system=system),
        LABELS,
        max_tokens=tokens,
        top_logprobs=4,
        cancelled=threading.Event(),
    )


def count_pictures_encoded(generator: Generator) -> list[int]:
    """A list that grows by one with every run of the vision encoder."""
    runs: list[int] = []
    generator.model.model.visual.register_forward_hook(lambda *_: runs.append(1))
    return runs


def assert_same(reused: Generated, computed: Generated) -> None:
    assert [step.token for step in reused.steps] == [step.token for step in computed.steps]
    for ours, theirs in zip(reused.steps, computed.steps, strict=True):
        assert ours.logprob == pytest.approx(theirs.logprob, abs=1e-4)
        assert dict(ours.top) == pytest.approx(dict(theirs.top), abs=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_answers_are_the_same_with_and_without_reuse(architecture: str, make_generator: MakeGenerator) -> None:
    reusing, plain = make_generator(architecture, 10**8), make_generator(architecture, 0)
    asked = [([1], "什么？"), ([1], "哪里？"), ([2], "什么？"), ([2, 1], "什么？"), ([2, 1], "几个？"), ([], "什么？")]
    cached = []
    for pictures, text in asked:
        reused, computed = ask(reusing, pictures, text), ask(plain, pictures, text)
        assert_same(reused, computed)
        assert computed.cached_tokens == 0
        cached.append(reused.cached_tokens)
    if architecture in REUSES_PREFIXES:
        system, one_picture, two_pictures = cached[2], cached[1], cached[4]
        assert 0 < system < one_picture - IMAGE_TOKENS < two_pictures - 2 * IMAGE_TOKENS
    else:
        assert not any(cached)


def test_every_architecture_that_reuses_prefixes_is_tested() -> None:
    assert ARCHITECTURES.keys() >= REUSES_PREFIXES


def test_a_second_question_does_not_encode_the_picture_again(make_generator: MakeGenerator) -> None:
    generator = make_generator("qwen2_5_vl", 10**8)
    runs = count_pictures_encoded(generator)
    first = ask(generator, [1], "这是什么？")
    assert (len(runs), first.cached_tokens) == (1, 0)
    second = ask(generator, [1], "它在哪里？")
    assert len(runs) == 1
    beginning = len(generator.processor.tokenizer(SYSTEM).input_ids)
    assert second.cached_tokens >= beginning + IMAGE_TOKENS


def test_another_picture_of_the_same_size_is_another_picture(make_generator: MakeGenerator, plain: Generator) -> None:
    generator = make_generator("qwen2_5_vl", 10**8)
    runs = count_pictures_encoded(generator)
    ask(generator, [1])
    other = ask(generator, [2])
    assert len(runs) == 2
    assert 0 < other.cached_tokens < other.prompt_tokens - IMAGE_TOKENS
    assert_same(other, ask(plain, [2]))
    assert [step.logprob for step in other.steps] != [step.logprob for step in ask(generator, [1]).steps]


def test_the_same_pictures_in_another_order_are_other_pictures(make_generator: MakeGenerator, plain: Generator) -> None:
    generator = make_generator("qwen2_5_vl", 10**8)
    ask(generator, [1, 2])
    swapped = ask(generator, [2, 1])
    assert swapped.cached_tokens < swapped.prompt_tokens - 2 * IMAGE_TOKENS
    assert_same(swapped, ask(plain, [2, 1]))


def test_a_question_asked_again_is_answered_from_its_last_token(make_generator: MakeGenerator) -> None:
    generator = make_generator("qwen2_5_vl", 10**8)
    first, again = ask(generator, [1]), ask(generator, [1])
    assert again.cached_tokens == again.prompt_tokens - 1
    assert_same(again, first)


@pytest.fixture(scope="module")
def small(make_generator: MakeGenerator) -> Generator:
    """Keeps about three prompts, so that entries come and go."""
    return make_generator("qwen2_5_vl", 10**6)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    asked=st.lists(
        st.tuples(
            st.lists(st.integers(1, 3), max_size=2),
            st.sampled_from(["什么？", "什么呢？", "哪里？"]),
            st.sampled_from([SYSTEM, SYSTEM + "快。", "你"]),
            st.integers(1, 12),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_no_order_of_questions_changes_an_answer(
    small: Generator, plain: Generator, asked: list[tuple[list[int], str, str, int]]
) -> None:
    for pictures, text, system, tokens in asked:
        reused = ask(small, pictures, text, system=system, tokens=tokens)
        assert_same(reused, ask(plain, pictures, text, system=system, tokens=tokens))
        assert small.prefixes is not None
        assert small.prefixes.nbytes <= 10**6
