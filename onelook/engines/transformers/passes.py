"""Greedy decoding of one answer or several, with a pass only where a constraint leaves choices: what it forces is
computed together with what was chosen before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from onelook.engines.transformers.guide import Cancelled, Guide
from onelook.engines.transformers.prefix_cache import Prompt, States, Tokens
from onelook.engines.transformers.rows import Addition, Rows
from onelook.errors import EngineIncapable


@dataclass(frozen=True, slots=True)
class Positions:
    """The position of each prompt token in time, height and width [3, tokens]; and how much more the position of any
    later token is than its index."""

    prompt: torch.Tensor
    more: int

    @classmethod
    def of(cls, model: Any, inputs: Any) -> Positions:
        """For architectures whose positions `get_rope_index` gives."""
        if "image_grid_thw" not in inputs:
            return cls(torch.arange(inputs["input_ids"].shape[1]).expand(3, -1), 0)
        positions, more = model.model.get_rope_index(
            inputs["input_ids"], inputs["mm_token_type_ids"], image_grid_thw=inputs["image_grid_thw"]
        )
        return cls(positions[:, 0], int(more))

    def between(self, start: int, end: int) -> torch.Tensor:
        """Those of the tokens from index `start` up to `end`, in the prompt and after it: [3, end - start]."""
        written = self.prompt.shape[1]
        later = torch.arange(max(start, written), max(end, written)) + self.more
        return torch.cat([self.prompt[:, start:end], later.expand(3, -1)], dim=1)


NO_POSITIONS = Positions(torch.empty(3, 0, dtype=torch.long), 0)
PER_TOKEN = frozenset({"input_ids", "attention_mask", "mm_token_type_ids"})


def pictures_of(inputs: Any) -> dict[str, torch.Tensor]:
    """What `inputs` has for the vision encoder; nothing where it has no pixels, and sizes are of no use."""
    if "pixel_values" not in inputs:
        return {}
    return {name: inputs[name] for name in inputs if name not in PER_TOKEN}


@dataclass(slots=True)
class Decoding:
    """An answer on its way.

    `cached`: how many tokens of the prompt `states` holds; `pictures`: the inputs of those that are left to encode;
    `encoded` and `reused` count them then. `jump_forward`: whether forced tokens are written without a pass of their
    own. `failure`: why there will be no answer.
    """

    prompt: Prompt
    guide: Guide
    max_tokens: int
    cached: int = 0
    states: States = ()
    positions: Positions = NO_POSITIONS
    pictures: Mapping[str, torch.Tensor] = field(default_factory=dict)
    encoded: int = 0
    reused: int = 0
    jump_forward: bool = True
    failure: Exception | None = None

    @property
    def ended(self) -> bool:
        return self.failure is not None or self.guide.complete or len(self.guide.steps) >= self.max_tokens

    def jump(self) -> list[int]:
        return self.guide.jump(self.max_tokens) if self.jump_forward else []

    def choose(self, scores: torch.Tensor) -> list[int]:
        """Take the likeliest token of `scores` [1, vocabulary]: it, and what is forced after it."""
        try:
            token = int(self.guide.mask(scores.float()).argmax())
            self.guide.advance(token)
        except (Cancelled, EngineIncapable) as error:
            self.failure = error
            return []
        return [token, *self.jump()]


@dataclass(slots=True)
class _Row:
    """An answer in the next pass: the tokens that the pass takes, after so many whose states are known."""

    answer: Decoding
    known: int
    tokens: Tokens
    pictures: Mapping[str, torch.Tensor]

    @property
    def addition(self) -> Addition:
        positions = self.answer.positions.between(self.known, self.known + len(self.tokens))
        return Addition(self.tokens, positions, self.pictures)

    def choose(self, scores: torch.Tensor) -> None:
        """After the pass."""
        self.known += len(self.tokens)
        self.tokens = np.asarray(self.answer.choose(scores), dtype=np.int64)
        self.pictures = {}


def decode(
    model: Any,
    answers: Sequence[Decoding],
    on_end: Callable[[Decoding, States], None],
    on_encoded: Callable[[Sequence[Decoding]], None],
) -> None:
    """Decode all of `answers`, each to its end; those that have ended take no part in the next pass.

    `on_end` gets each as soon as it has ended, with the states of what was computed for it (none if nothing was). A
    forced end is not computed at all: no token depends on it. `on_encoded` gets those whose pictures a pass took.
    """
    left: list[_Row] = []
    for each in answers:
        forced = np.asarray(each.jump(), dtype=np.int64)
        if each.ended:
            on_end(each, ())
        else:
            tokens = np.concatenate([each.prompt.tokens[each.cached :], forced])
            left.append(_Row(each, each.cached, tokens, each.pictures))
    if not left:
        return
    rows = Rows(model, [row.answer.states for row in left])
    while left:
        scores = rows.forward([row.addition for row in left])
        if with_pictures := [row.answer for row in left if row.pictures]:
            on_encoded(with_pictures)
        for number, row in enumerate(left):
            row.choose(scores[number : number + 1])
        for number, row in enumerate(left):
            if row.answer.ended:
                on_end(row.answer, rows.states(number))
        going = [number for number, row in enumerate(left) if not row.answer.ended]
        if going:
            rows.keep(going)
        left = [left[number] for number in going]
