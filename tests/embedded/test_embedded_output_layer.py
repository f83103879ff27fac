"""The output layer scores a tensor of its own: PyTorch computes a bfloat16 slice of more tokens a hundred times slower.

A test that reads no clock cannot see the time, so it looks at what makes it.
"""

from __future__ import annotations

import threading

import pytest
import torch

from onelook.engines.base import Choice
from onelook.engines.transformers.generation import Generator
from tests.embedded.architectures import MakeGenerator
from tests.embedded.questions import question


@pytest.mark.parametrize("jump_forward", [True, False])
def test_no_pass_hands_a_slice_to_the_output_layer(jump_forward: bool, make_generator: MakeGenerator) -> None:
    generator: Generator = make_generator("qwen2_5_vl", 10**8)
    generator.jump_forward = jump_forward
    scored: list[torch.Tensor] = []
    hook = generator.model.get_output_embeddings().register_forward_hook(lambda _, taken, __: scored.append(taken[0]))
    try:
        generator.answer(
            question([1]),
            Choice(("photo of a cat", "photo of a dog")),
            max_tokens=20,
            top_logprobs=0,
            cancelled=threading.Event(),
        )
    finally:
        hook.remove()
    assert scored
    assert [each.stride() for each in scored] == [torch.empty(each.shape).stride() for each in scored]
