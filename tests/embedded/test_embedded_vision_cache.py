"""A picture is encoded once: reuse of the vision encoder's output changes the time and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from onelook.engines.base import Regex
from onelook.engines.cache_scope import new_to_caches
from onelook.engines.transformers.generation import REUSES_PREFIXES, Generated, Generator
from tests.embedded.architectures import MakeGenerator
from tests.embedded.questions import question

LABELS = Regex("(人像|动物|风景|A|B){6}")
ENOUGH = 10**7


def ask(generator: Generator, pictures: Sequence[int], text: str = "这是什么？", *, system: str = "看图") -> Generated:
    return generator.answer(
        question(pictures, text, system=system), LABELS, max_tokens=40, top_logprobs=4, cancelled=threading.Event()
    )


def images(answer: Generated) -> tuple[int | None, int | None]:
    return answer.encoded_images, answer.reused_images


@pytest.mark.parametrize("jump_forward", [True, False])
@pytest.mark.parametrize("architecture", sorted(REUSES_PREFIXES))
def test_answers_are_the_same_with_and_without_reuse(
    architecture: str, jump_forward: bool, make_generator: MakeGenerator
) -> None:
    plain = make_generator(architecture, 0)
    reusing = make_generator(architecture, 0, ENOUGH)
    reusing.jump_forward = plain.jump_forward = jump_forward
    asked = [
        ([1], "看", (1, 0)),
        ([1], "请看", (0, 1)),
        ([2, 1], "看", (1, 1)),
        ([1, 2], "看", (0, 2)),
        ([], "看", (0, 0)),
    ]
    for pictures, system, counts in asked:
        ours, theirs = ask(reusing, pictures, system=system), ask(plain, pictures, system=system)
        assert [step.token for step in ours.steps] == [step.token for step in theirs.steps]
        for step, expected in zip(ours.steps, theirs.steps, strict=True):
            assert dict(step.top) == pytest.approx(dict(expected.top), abs=1e-4)
        assert images(ours) == counts
        assert images(theirs) == (len(pictures), 0)


def test_a_picture_twice_in_one_question_is_encoded_once(make_generator: MakeGenerator) -> None:
    plain, reusing = make_generator("qwen2_5_vl", 0), make_generator("qwen2_5_vl", 0, ENOUGH)
    ours, theirs = ask(reusing, [1, 1]), ask(plain, [1, 1])
    assert images(ours) == (1, 1)
    assert [step.token for step in ours.steps] == [step.token for step in theirs.steps]


def test_a_picture_in_a_cached_prefix_is_neither_encoded_nor_looked_up(make_generator: MakeGenerator) -> None:
    generator = make_generator("qwen2_5_vl", 10**8, ENOUGH)
    assert images(ask(generator, [1])) == (1, 0)
    assert images(ask(generator, [1], "哪里？")) == (0, 0)
    assert images(ask(generator, [1], system="请看")) == (0, 1)


def test_the_memory_is_bounded_and_the_oldest_goes_first(make_generator: MakeGenerator) -> None:
    generator = make_generator("qwen2_5_vl", 0, ENOUGH)
    vision = generator.vision
    assert vision is not None
    ask(generator, [1])
    one = vision.nbytes
    vision.max_bytes = 2 * one
    for picture in (2, 1, 3):  # the second is the oldest then
        ask(generator, [picture])
        assert vision.nbytes <= vision.max_bytes
    assert [images(ask(generator, [picture])) for picture in (1, 3, 2)] == [(0, 1), (0, 1), (1, 0)]
    vision.max_bytes = one - 1
    generator.forget()
    assert vision.nbytes == 0
    assert [images(ask(generator, [1])) for _ in range(2)] == [(1, 0), (1, 0)]
    assert vision.nbytes == 0


def test_scopes_share_no_picture(make_generator: MakeGenerator) -> None:
    generator = make_generator("qwen2_5_vl", 0, ENOUGH)
    found = []
    for scope in (None, "fused", "fused", "reads", None):
        generator.use_scope(scope)
        found.append(images(ask(generator, [1])))
    with new_to_caches():
        found += [images(ask(generator, [1])) for _ in range(2)]
    assert found == [(1, 0), (1, 0), (0, 1), (1, 0), (0, 1), (1, 0), (0, 1)]


def test_other_architectures_have_none(make_generator: MakeGenerator) -> None:
    generator = make_generator("llava", 0, ENOUGH)
    assert generator.vision is None
    assert images(ask(generator, [1])) == (None, None)
