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


def takes_branches(config: Any) -> bool:
    """Whether the model's attention takes any mask, as branches need: that of flash_attention_2 does not."""
    return config.get_text_config()._attn_implementation in ("sdpa", "eager")


class Rows:
    """For architectures whose positions `get_rope_index` gives, and whose layers all attend to the whole prefix."""

    def __init__(self, model: Any, known: Sequence[States]) -> None:
        """`known`: the states that each row begins with; empty where there are none."""
        self._model = model
        self._mask, layers = _padded(known)  # [rows, tokens]: 1, and 0 where there is padding
        self._cache = DynamicCache(layers)  # all of one kind; with a configuration it would look up which

    def forward(self, additions: Sequence[Addition]) -> torch.Tensor:
        """Scores [rows, vocabulary] of the token that comes next in each row."""
        lengths = [len(each.tokens) for each in additions]
        input_ids = torch.zeros(len(additions), max(lengths), dtype=torch.long)
        positions = torch.zeros(3, len(additions), max(lengths), dtype=torch.long)
        mask = torch.zeros(len(additions), max(lengths), dtype=torch.long)
        for row, (each, length) in enumerate(zip(additions, lengths, strict=True)):
            input_ids[row, -length:] = torch.from_numpy(each.tokens)
            positions[:, row, -length:] = each.positions
            mask[row, -length:] = 1
        self._mask = torch.cat([self._mask, mask], dim=1)
        attended = None if bool(self._mask.all()) else self._mask
        return self._forward({"input_ids": input_ids, **_pictures(additions)}, positions, attended, 1)[:, -1]

    def branch(self, branches: Sequence[Sequence[Addition]]) -> list[torch.Tensor]:
        """For each row, the scores [branches, vocabulary] of the token that comes next after each of its branches.

        Branches are continuations of a row side by side in it, of which none sees another: what a row holds is neither
        copied nor padded for each of them. No pass can follow. There is nothing to compute for pictures.

        The mask alone says what a token sees, so the tokens may stand in any order: the last of each branch stand at
        the end, and only they are scored.
        """
        rows, most = [_SideBySide.of(each) for each in branches], max(map(len, branches))
        width, known = max(len(each.tokens) for each in rows), self._mask.shape[1]
        input_ids = torch.zeros(len(rows), width, dtype=torch.long)
        positions = torch.zeros(3, len(rows), width, dtype=torch.long)
        sees = torch.zeros(len(rows), 1, width, known + width, dtype=torch.bool)
        for row, each in enumerate(rows):
            new = slice(width - len(each.tokens), width)
            input_ids[row, new], positions[:, row, new] = each.tokens, each.positions
            sees[row, 0, new, :known] = self._mask[row].bool()
            sees[row, 0, new, known + new.start :] = each.sees
        # Not -inf: a row of the mask that hides everything, as that of padding does, would give no numbers.
        dtype = self._model.dtype
        hidden = torch.zeros(sees.shape, dtype=dtype).masked_fill_(~sees, torch.finfo(dtype).min)
        scores = self._forward({"input_ids": input_ids}, positions, hidden, most)
        return [scores[row, most - len(each) :] for row, each in enumerate(branches)]

    def _forward(
        self, inputs: Mapping[str, Any], positions: torch.Tensor, mask: torch.Tensor | None, last: int
    ) -> torch.Tensor:
        """Scores [rows, last, vocabulary] after each of the last tokens."""
        device = self._model.device
        with torch.inference_mode():
            scores: torch.Tensor = self._model(
                **BatchFeature(dict(inputs)).to(device, self._model.dtype),
                position_ids=positions.to(device),
                attention_mask=None if mask is None else mask.to(device),
                past_key_values=self._cache,
                logits_to_keep=last,
            ).logits
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


@dataclass(frozen=True, slots=True)
class _SideBySide:
    """The branches of one row: tokens and positions as in `Addition`, the last of each branch at the end; `sees`
    [tokens, tokens]: whether a token sees another one."""

    tokens: torch.Tensor
    positions: torch.Tensor
    sees: torch.Tensor

    @classmethod
    def of(cls, branches: Sequence[Addition]) -> _SideBySide:
        lengths = torch.tensor([len(each.tokens) for each in branches])
        branch = torch.arange(len(branches)).repeat_interleave(lengths)
        place = torch.cat([torch.arange(len(each.tokens)) for each in branches])
        is_last = place == (lengths - 1)[branch]
        order = torch.cat([(~is_last).nonzero()[:, 0], is_last.nonzero()[:, 0]])
        branch, place = branch[order], place[order]
        return cls(
            torch.cat([torch.from_numpy(each.tokens) for each in branches])[order],
            torch.cat([each.positions for each in branches], dim=1)[:, order],
            (branch[:, None] == branch) & (place[:, None] >= place),
        )


def _padded(known: Sequence[States]) -> tuple[torch.Tensor, States]:
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
