"""The store of attention states by itself: what it gives back is always a true prefix, within its limit of bytes."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from onelook.engines.transformers.prefix_cache import PrefixCache, Prompt, States

PLACE = 9  # the placeholder token of pictures

Text = st.lists(st.integers(0, 2), max_size=4)
Parts = st.lists(st.tuples(Text, st.integers(1, 2)), max_size=3)


def prompt_of(parts: list[tuple[list[int], int]], ending: list[int]) -> Prompt:
    """Each part is text, then a picture of two tokens."""
    tokens = [token for text, _ in parts for token in (*text, PLACE, PLACE)] + ending + [3]
    places = [index for index, token in enumerate(tokens) if token == PLACE]
    first, end = (places[0], places[-1] + 1) if places else (len(tokens), 0)
    return Prompt(np.array(tokens), tuple(bytes([picture]) for _, picture in parts), first, end)


def numbers_of(prompt: Prompt) -> list[int]:
    """For each token a number that depends on all before it, pictures included: what attention states do."""
    pictures = iter(picture for picture in prompt.pictures for _ in range(2))
    states, state = [], 0
    for token in prompt.tokens.tolist():
        state = hash((state, token, next(pictures) if token == PLACE else None)) % 2**20
        states.append(state)
    return states


def fill(prompt: Prompt) -> States:
    """The states of two layers."""
    numbers = torch.tensor(numbers_of(prompt), dtype=torch.float64).reshape(1, 1, -1, 1)
    return ((numbers, -numbers),) * 2


@given(st.lists(st.tuples(Parts, Text), min_size=1, max_size=8), st.integers(0, 600))
def test_what_comes_back_is_what_would_be_computed(
    asked: list[tuple[list[tuple[list[int], int]], list[int]]], limit: int
) -> None:
    store = PrefixCache(limit)
    for parts, ending in asked:
        prompt = prompt_of(parts, ending)
        length, states = store.longest(prompt)
        assert length < len(prompt.tokens)
        assert length <= prompt.first or length >= prompt.end
        for keys, values in states:
            assert keys.flatten().tolist() == numbers_of(prompt)[:length]
            assert torch.equal(values, -keys)
        store.store(prompt.tokens, prompt.pictures, fill(prompt))
        assert store.nbytes <= limit


@given(Parts, Text, Text)
def test_all_that_can_be_reused_is_reused(parts: list[tuple[list[int], int]], one: list[int], other: list[int]) -> None:
    store = PrefixCache(10**6)
    stored, asked = prompt_of(parts, one), prompt_of(parts, other)
    store.store(stored.tokens, stored.pictures, fill(stored))
    length, _ = store.longest(asked)
    assert length >= min(asked.end, len(asked.tokens) - 1)


def test_the_least_recently_used_goes_first() -> None:
    first, second, third = (prompt_of([([1, 1], picture)], []) for picture in (1, 2, 3))
    size = sum(keys.nbytes + values.nbytes for keys, values in fill(first))
    store = PrefixCache(2 * size)
    store.store(first.tokens, first.pictures, fill(first))
    store.store(second.tokens, second.pictures, fill(second))
    store.longest(first)
    store.store(third.tokens, third.pictures, fill(third))
    assert [store.longest(prompt)[0] >= prompt.end for prompt in (first, second, third)] == [True, False, True]
    store.clear()
    assert store.longest(first) == (0, ())
