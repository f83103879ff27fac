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
class Answer:
    """An answer on its way.

    `cached`: how many tokens of the prompt `states` holds; `pictures`: the inputs of those that are left to encode;
    `encoded` and `reused` count them then. `jumps`: whether forced tokens are written without a pass of their own.
    `failure`: why there will be no answer.
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
    jumps: bool = True
    failure: Exception | None = None

    @property
    def ended(self) -> bool:
        return self.failure is not None or self.guide.complete or len(self.guide.steps) >= self.max_tokens

    def jump(self) -> list[int]:
        return self.guide.jump(self.max_tokens) if self.jumps else []

    def choose(self, scores: torch.Tensor) -> list[int]:
        """Take the likeliest token of `scores` [1, vocabulary]: it, and what is forced after it."""
        try:
            token = int(self.guide.mask(scores.float()).argmax())
            self.guide.advance(token)
        except (Cancelled, EngineIncapable) as error:
            self.failure = error
            return []
        return [token, *self.jump()]


def decode(
    model: Any,
    answers: Sequence[Answer],
    on_end: Callable[[Answer, States], None],
    on_encoded: Callable[[Sequence[Answer]], None],
) -> None:
    """Decode all of `answers`, each to its end; those that have ended take no part in the next pass.

    `on_end` gets each as soon as it has ended, with the states of what was computed for it (none if nothing was). A
    forced end is not computed at all: no token depends on it. `on_encoded` gets those whose pictures a pass took.
    """
    left, new, known = [], list[Tokens](), list[int]()
    for each in answers:
        forced = np.asarray(each.jump(), dtype=np.int64)
        if each.ended:
            on_end(each, ())
        else:
            left.append(each)
            new.append(np.concatenate([each.prompt.tokens[each.cached :], forced]))
            known.append(each.cached)
    if not left:
        return
    rows, pictures = Rows(model, [each.states for each in left]), [each.pictures for each in left]
    while left:
        scores = rows.forward(
            [
                Addition(tokens, each.positions.between(start, start + len(tokens)), images)
                for each, tokens, start, images in zip(left, new, known, pictures, strict=True)
            ]
        )
        if with_pictures := [each for each, images in zip(left, pictures, strict=True) if images]:
            on_encoded(with_pictures)
        known = [start + len(tokens) for start, tokens in zip(known, new, strict=True)]
        new = [np.asarray(each.choose(scores[row : row + 1]), dtype=np.int64) for row, each in enumerate(left)]
        for row, each in enumerate(left):
            if each.ended:
                on_end(each, rows.states(row))
        going = [row for row, each in enumerate(left) if not each.ended]
        if going:
            rows.keep(going)
        left, new, known = [left[row] for row in going], [new[row] for row in going], [known[row] for row in going]
        pictures = [{}] * len(left)
