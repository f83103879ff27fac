"""First stage: the vision tower learns to see as a plain classifier of everything that the album knows.

Every picture tells about all its attributes in every step, which is worth far more than a reply's few words; and no
text model has to be paid for. The heads are thrown away afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from graph.schema import Answer
from prompts.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing to tell: the category (`attribute` None), or an attribute of one category."""

    category: str | None
    attribute: str | None
    options: tuple[str, ...]
    many: bool


def slots(taxonomy: Taxonomy) -> list[Slot]:
    """The category first, then every attribute."""
    return [Slot(None, None, tuple(taxonomy.categories), many=False)] + [
        Slot(id_, attribute_id, tuple(attribute.options), many=attribute.choose == "many")
        for id_, category in taxonomy.categories.items()
        for attribute_id, attribute in category.details.items()
    ]


class Heads(nn.Module):
    """Each slot has a query that picks what it needs out of a picture's tokens, and a linear layer over that."""

    def __init__(self, slots: Sequence[Slot], width: int, heads: int = 4) -> None:
        super().__init__()
        self.slots = tuple(slots)
        self.queries = nn.Parameter(torch.randn(len(slots), width) * width**-0.5)
        self.norm = nn.LayerNorm(width)
        self.keys_values = nn.Linear(width, 2 * width)
        self.heads = heads
        self.outputs = nn.ModuleList(nn.Linear(width, len(slot.options)) for slot in slots)

    def forward(self, tokens: Tensor) -> list[Tensor]:
        """Tokens (pictures, tokens, width) to logits, one (pictures, options) for each slot."""
        key, value = self.keys_values(self.norm(tokens)).unflatten(-1, (self.heads, -1)).transpose(1, 2).chunk(2, -1)
        query = self.queries.unflatten(-1, (self.heads, -1)).transpose(0, 1)
        seen = ((query @ key.mT).softmax(-1) @ value).transpose(1, 2).flatten(2)
        return [output(seen[:, number]) for number, output in enumerate(self.outputs)]


def loss_and_hits(logits: list[Tensor], slots: Sequence[Slot], truths: Sequence[Answer]) -> tuple[Tensor, list[Hit]]:
    """Mean loss a picture, each attribute of a picture weighing the same, and what was told right."""
    total = logits[0].new_zeros(())
    hits: list[Hit] = []
    for slot, scores in zip(slots, logits, strict=True):
        rows = [row for row, truth in enumerate(truths) if slot.category in (None, truth.category)]
        if not rows:
            continue
        picked, target = scores[rows], _target(slot, [truths[row] for row in rows])
        if slot.many:
            total = total + 2 * binary_cross_entropy_with_logits(picked, target, reduction="none").mean(1).sum()
            right = ((picked > 0) == (target > 0.5)).all(1)
        else:
            total = total + cross_entropy(picked, target, reduction="sum", label_smoothing=0.02)
            right = picked.argmax(1) == target
        name = "category" if slot.category is None else f"{slot.category}.{slot.attribute}"
        hits += [Hit(name, row, bool(hit)) for row, hit in zip(rows, right, strict=True)]
    return total / len(truths), hits


@dataclass(frozen=True, slots=True)
class Hit:
    """Whether `name` (category, or category.attribute) of picture number `row` was told right."""

    name: str
    row: int
    right: bool


def accuracies(hits: Iterator[Hit] | Sequence[Hit]) -> dict[str, float]:
    """Share of right ones by name."""
    told: dict[str, list[bool]] = {}
    for hit in hits:
        told.setdefault(hit.name, []).append(hit.right)
    return {name: sum(right) / len(right) for name, right in told.items()}


def _target(slot: Slot, truths: Sequence[Answer]) -> Tensor:
    if slot.attribute is None:
        return torch.tensor([slot.options.index(truth.category) for truth in truths])
    chosen = [truth.details[slot.attribute] for truth in truths]
    if slot.many:
        return torch.tensor([[float(option in each) for option in slot.options] for each in chosen])
    return torch.tensor([slot.options.index(each[0]) for each in chosen])
