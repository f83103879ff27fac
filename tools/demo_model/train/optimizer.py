"""The optimizers: Muon for the matrices between layers, AdamW for the other parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

SLOW_RATE = 0.4
"""Learning rate of pretrained parameters, relative to new ones."""
MUON_RATE = 3.0
"""Learning rate of the matrices relative to the others, with updates scaled to AdamW's usual size."""

EMBEDDINGS_AND_HEADS = ("embed", "lm_head", "heads.")
"""Parts of the names of embeddings and output heads, which AdamW trains."""


def optimizers(
    module: nn.Module, *, rate: float, weight_decay: float, slow: Iterable[Tensor] = ()
) -> list[torch.optim.Optimizer]:
    """Muon (Jordan 2024, kellerjordan.github.io/posts/muon; scaled as in Liu et al. 2025, arXiv 2502.16982) and AdamW.

    Every group has a `factor`, its learning rate relative to the plan's.
    """
    slowed = set(slow)
    muon: dict[float, list[nn.Parameter]] = {}
    adam: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        factor = SLOW_RATE if parameter in slowed else 1.0
        if parameter.dim() == 2 and not any(part in name for part in EMBEDDINGS_AND_HEADS):
            muon.setdefault(factor * MUON_RATE, []).append(parameter)
        else:
            adam.setdefault((weight_decay if parameter.dim() > 1 else 0.0, factor), []).append(parameter)
    matrices: list[dict[str, Any]] = [{"params": members, "factor": factor} for factor, members in muon.items()]
    others: list[dict[str, Any]] = [
        {"params": members, "weight_decay": decay, "factor": factor} for (decay, factor), members in adam.items()
    ]
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), fused=True),
    ]
