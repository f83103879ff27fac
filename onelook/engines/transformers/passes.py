"""Greedy decoding in as few forward passes as the constraint leaves choices: what it forces is computed in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, DynamicCache

from onelook.engines.transformers.guide import Guide
from onelook.engines.transformers.prefix_cache import Tokens


def decode(model: Any, inputs: Any, cached: int, cache: DynamicCache, guide: Guide, max_tokens: int) -> None:
    """Answer `inputs`, of which `cache` holds the first `cached` tokens, to the end or to `max_tokens` new ones.

    For architectures whose positions `get_rope_index` gives. A forced end of the answer is not computed at all: no
    token depends on it.
    """
    prompt: Tokens = inputs["input_ids"][0].cpu().numpy()
    positions, delta = _positions(model, inputs)
    pictures = {name: inputs[name] for name in inputs if name not in _PER_TOKEN}
    new = np.concatenate([prompt[cached:], np.asarray(guide.jump(max_tokens), dtype=np.int64)])
    known = cached
    with torch.no_grad():
        while not guide.complete and len(guide.steps) < max_tokens:
            index = torch.arange(known, known + len(new))
            following = (index + delta).expand(3, 1, -1)
            place = torch.cat([positions[:, :, known:], following[:, :, max(len(prompt) - known, 0) :]], dim=-1)
            scores = model(
                **BatchFeature({"input_ids": torch.from_numpy(new)[None], **pictures}).to(model.device, model.dtype),
                position_ids=place.to(model.device),
                past_key_values=cache,
                logits_to_keep=1,
            ).logits[:, -1]
            known, pictures = known + len(new), {}
            token = int(guide.mask(scores.float()).argmax())
            guide.advance(token)
            new = np.asarray([token, *guide.jump(max_tokens)], dtype=np.int64)


_PER_TOKEN = frozenset({"input_ids", "attention_mask", "mm_token_type_ids"})


def _positions(model: Any, inputs: Any) -> tuple[torch.Tensor, int]:
    """The position of each prompt token in time, height and width, of [3, 1, tokens]; and how much more the position of
    any later token is than its index."""
    if "image_grid_thw" not in inputs:
        return torch.arange(inputs["input_ids"].shape[1]).expand(3, 1, -1), 0
    positions, delta = model.model.get_rope_index(
        inputs["input_ids"], inputs["mm_token_type_ids"], image_grid_thw=inputs["image_grid_thw"]
    )
    return positions, int(delta)
