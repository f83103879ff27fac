"""Several sequences that go through the model in one pass, each padded on the left, and the attention states of each.

The states of a row may have padding anywhere in between: each pass pads what it adds to the widest row's. The attention
mask hides it, and positions are given, so that a row's scores are those it would have alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import BatchFeature, DynamicCache

from onelook.engines.transformers.prefix_cache import States, Tokens, states_of


@dataclass(frozen=True, slots=True)
class Addition:
    """What a pass adds to one row: token ids, their positions in time, height and width [3, tokens], and the inputs of
    all pictures whose placeholders are among the tokens."""

    tokens: Tokens
    positions: torch.Tensor
    pictures: Mapping[str, torch.Tensor] = field(default_factory=dict)


class Rows:
    """For architectures whose positions `get_rope_index` gives, and whose layers all attend to the whole prefix."""

    def __init__(self, model: Any, known: Sequence[States]) -> None:
        """`known`: the states that each row begins with; empty where there are none."""
        self._model = model
        self._mask, layers = _side_by_side(known)  # [rows, tokens]: 1, and 0 where there is padding
        self._cache = DynamicCache(layers, config=model.config)

    def forward(self, additions: Sequence[Addition]) -> torch.Tensor:
        """Scores [rows, vocabulary] of the token that comes next in each row."""
        lengths, device = [len(each.tokens) for each in additions], self._model.device
        input_ids = torch.zeros(len(additions), max(lengths), dtype=torch.long)
        positions = torch.zeros(3, len(additions), max(lengths), dtype=torch.long)
        mask = torch.zeros(len(additions), max(lengths), dtype=torch.long)
        for row, (each, length) in enumerate(zip(additions, lengths, strict=True)):
            input_ids[row, -length:] = torch.from_numpy(each.tokens)
            positions[:, row, -length:] = each.positions
            mask[row, -length:] = 1
        self._mask = torch.cat([self._mask, mask], dim=1)
        with torch.no_grad():
            scores: torch.Tensor = self._model(
                **BatchFeature({"input_ids": input_ids, **_pictures(additions)}).to(device, self._model.dtype),
                position_ids=positions.to(device),
                attention_mask=None if bool(self._mask.all()) else self._mask.to(device),
                past_key_values=self._cache,
                logits_to_keep=1,
            ).logits[:, -1]
        return scores

    def keep(self, rows: Sequence[int]) -> None:
        """Drop all other rows."""
        if len(rows) < len(self._mask):
            index = torch.tensor(rows, dtype=torch.long)
            self._mask = self._mask[index]
            self._cache.batch_select_indices(index.to(self._model.device))

    def states(self, row: int) -> States:
        """Those of one row, without padding."""
        states = states_of(self._cache)
        if len(self._mask) == 1 and bool(self._mask.all()):
            return states
        index = self._mask[row].nonzero()[:, 0].to(self._model.device)
        one = slice(row, row + 1)
        return tuple((keys[one].index_select(2, index), values[one].index_select(2, index)) for keys, values in states)


def _side_by_side(known: Sequence[States]) -> tuple[torch.Tensor, States]:
    """The mask and the states of all rows, padded on the left to the longest."""
    lengths = [states[0][0].shape[-2] if states else 0 for states in known]
    longest = max(lengths)
    mask = torch.zeros(len(known), longest, dtype=torch.long)
    for row, length in enumerate(lengths):
        mask[row, longest - length :] = 1
    if len(known) == 1 or longest == 0:
        return mask, known[0]
    model_of = known[lengths.index(longest)]
    layers = []
    for layer, pair in enumerate(model_of):
        padded = []
        for part, example in enumerate(pair):
            rows = example.new_zeros(len(known), *example.shape[1:])
            for row, (states, length) in enumerate(zip(known, lengths, strict=True)):
                if length:
                    rows[row, :, longest - length :] = states[layer][part][0]
            padded.append(rows)
        layers.append((padded[0], padded[1]))
    return mask, tuple(layers)


def _pictures(additions: Sequence[Addition]) -> dict[str, torch.Tensor]:
    """The pictures of all rows, in the order of their placeholders; the vision encoder takes all sizes together."""
    names = dict.fromkeys(name for each in additions for name in each.pictures)
    return {name: torch.cat([each.pictures[name] for each in additions if each.pictures]) for name in names}
