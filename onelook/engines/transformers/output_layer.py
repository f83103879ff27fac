"""The hidden states that the output layer gets, as a tensor of their own."""

from __future__ import annotations

from typing import Any

import torch


def copy_scored(model: torch.nn.Module) -> None:
    """Let the output layer of `model` score a copy of the last hidden states in place of a slice of all.

    On the CPU, PyTorch 2.13 multiplies a bfloat16 slice [1, last, hidden] of more tokens without oneDNN: 6,000 ms in
    place of 60 for the 151,936 tokens of Qwen's vocabulary, in every pass over more than one token. Its strides keep it
    from being folded to two dimensions (PyTorch's issue 186148), and the product of three is slow (151934).
    """
    layer = model.get_output_embeddings()  # type: ignore[operator]
    if isinstance(layer, torch.nn.Module):
        layer.register_forward_pre_hook(_copied)


def _copied(_: torch.nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    hidden, *more = arguments
    return (torch.empty_like(hidden, memory_format=torch.contiguous_format).copy_(hidden), *more)
