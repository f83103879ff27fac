"""Attention states of recent prompts, so that a prefix which is used again is not computed again.

Two prefixes are used again all the time: the system prompt, before every picture, and the system prompt with its
picture, before every further question about that picture. The second saves the vision encoder's work too.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

Tokens = NDArray[np.int64]
States = tuple[tuple[torch.Tensor, torch.Tensor], ...]  # per layer: keys, values of [1, heads, tokens, head size]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What an attention state depends on: the token ids, and which pictures the placeholders stand for.

    `pictures` are digests in the order of the prompt; their placeholders are within [`first`, `end`) of `tokens`.
    """

    tokens: Tokens
    pictures: tuple[bytes, ...]
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    tokens: Tokens
    pictures: tuple[bytes, ...]
    states: States
    scope: str | None

    @property
    def nbytes(self) -> int:
        return sum(keys.nbytes + values.nbytes for keys, values in self.states)


class PrefixCache:
    """Least recently used entries, together at most `max_bytes`. Not safe for more than one thread.

    `scope`: whose entries are looked up and stored from now on (`onelook.engines.cache_scope`).
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.nbytes = 0
        self.scope: str | None = None
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()

    def longest(self, prompt: Prompt) -> tuple[int, States]:
        """The longest stored prefix of `prompt` as (its length in tokens, its states).

        At least one token is left to compute. The prefix holds all of the prompt's pictures or none of them, so a
        picture is never cut: either all of its pixels are needed, or none.
        """
        best, source = 0, None
        for key, entry in reversed(self._entries.items()):
            if entry.scope != self.scope:
                continue
            if best >= (len(prompt.tokens) - 1 if _same_pictures(entry, prompt) else prompt.first):
                continue  # it cannot be longer
            reusable = _reusable(entry, prompt)
            if reusable > best:
                best, source = reusable, key
        if source is None:
            return 0, ()
        self._entries.move_to_end(source)
        states = self._entries[source].states
        return best, cut(states, best)

    def store(self, tokens: Tokens, pictures: tuple[bytes, ...], states: States) -> None:
        """Keep the states of `tokens` (as many as there are: the last generated token has none yet)."""
        if not states:
            return
        entry = Entry(tokens[: states[0][0].shape[-2]], pictures, states, self.scope)
        if entry.nbytes > self.max_bytes:
            return
        key = b"".join(((self.scope or "").encode(), *pictures, entry.tokens.tobytes()))
        known = self._entries.pop(key, None)
        self._entries[key] = entry
        self.nbytes += entry.nbytes - (known.nbytes if known else 0)
        while self.nbytes > self.max_bytes:
            _, oldest = self._entries.popitem(last=False)
            self.nbytes -= oldest.nbytes

    def clear(self) -> None:
        self._entries.clear()
        self.nbytes = 0


def cut(states: States, tokens: int) -> States:
    """Those of the first `tokens`, without a copy."""
    return tuple((keys[..., :tokens, :], values[..., :tokens, :]) for keys, values in states)


def states_of(cache: DynamicCache) -> States:
    """The attention states that `cache` holds; none if a layer has a sliding window or linear attention: such states
    cannot be cut to a prefix."""
    states: list[tuple[torch.Tensor, torch.Tensor]] = []
    for layer in cache.layers:
        if type(layer) is not DynamicLayer or layer.keys is None or layer.values is None:
            return ()
        states.append((layer.keys, layer.values))
    return tuple(states)


def _reusable(entry: Entry, prompt: Prompt) -> int:
    """How many leading tokens of `prompt` have the same states as in `entry`."""
    length = min(len(entry.tokens), len(prompt.tokens) - 1)
    differs = np.flatnonzero(entry.tokens[:length] != prompt.tokens[:length])
    same = int(differs[0]) if differs.size else length
    return same if same >= prompt.end and _same_pictures(entry, prompt) else min(same, prompt.first)


def _same_pictures(entry: Entry, prompt: Prompt) -> bool:
    return entry.pictures[: len(prompt.pictures)] == prompt.pictures
