"""First stage, vision pretraining: the vision tower is trained as a classifier of all labels of the album.

Every picture has a loss for all its attributes in every step, which is far more signal than a short reply, and no text
model has to be computed. The heads are not part of the checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from onelook.prompts.taxonomy.model import Taxonomy
from onelook.types import Answer
from tools.demo_model.album.evidence import Box, Evidence
from tools.demo_model.train.batches import Batch

LOCALIZATION_WEIGHT = 0.2
"""Weight of the localization loss relative to the classification loss."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One label to classify: the category (`attribute` None), or an attribute of one category."""

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
    """Every slot has a query that attends to a picture's tokens, and a linear layer on the result. Every option of a
    `choose: many` attribute has its own query, because each is in another place."""

    def __init__(self, slots: Sequence[Slot], width: int, heads: int = 4) -> None:
        super().__init__()
        self.slots = tuple(slots)
        self.query_labels = [
            (slot, option) for slot in self.slots for option in (slot.options if slot.many else (None,))
        ]
        self.queries = nn.Parameter(torch.randn(len(self.query_labels), width) * width**-0.5)
        self.norm = nn.LayerNorm(width)
        self.keys_values = nn.Linear(width, 2 * width)
        self.heads = heads
        self.outputs = nn.ModuleList(
            nn.Linear(width, 1 if option else len(slot.options)) for slot, option in self.query_labels
        )

    def forward(self, tokens: Tensor) -> tuple[list[Tensor], Tensor]:
        """Tokens (pictures, tokens, width) to logits, one (pictures, options) for each slot, and the attention of the
        queries (pictures, queries, tokens), each row summing to 1."""
        key, value = self.keys_values(self.norm(tokens)).unflatten(-1, (2 * self.heads, -1)).transpose(1, 2).chunk(2, 1)
        query = self.queries.unflatten(-1, (self.heads, -1)).transpose(0, 1)
        attention = (query @ key.mT).softmax(-1)
        seen = (attention @ value).transpose(1, 2).flatten(2)
        parts = iter([output(seen[:, number]) for number, output in enumerate(self.outputs)])
        logits = [
            torch.cat([next(parts) for _ in slot.options], dim=1) if slot.many else next(parts) for slot in self.slots
        ]
        return logits, attention.mean(1)


def pretrain_loss(heads: Heads, pictures: Tensor, batch: Batch, side: int) -> tuple[Tensor, list[Hit]]:
    """Classification and localization loss of the heads on a tower's output (pictures, tokens, width).

    `side`: side of the square that one token covers, in pixels.
    """
    logits, attention = heads(pictures)
    loss, hits = loss_and_hits(logits, heads.slots, batch.truths)
    columns = batch.images[0].width // side
    return loss + LOCALIZATION_WEIGHT * localization_loss(attention, heads, batch.truths, batch.evidence, columns), hits


def loss_and_hits(logits: list[Tensor], slots: Sequence[Slot], truths: Sequence[Answer]) -> tuple[Tensor, list[Hit]]:
    """Mean loss per picture, with equal weight for each attribute, and the hits."""
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


def localization_loss(
    attention: Tensor, heads: Heads, truths: Sequence[Answer], evidence: Sequence[Sequence[Evidence]], columns: int
) -> Tensor:
    """Distance of the attention (pictures, queries, tokens) from the evidence that the album marks: the mean over
    pictures of -log(share of the attention on the evidence)."""
    number = {(slot.category, slot.attribute, option): place for place, (slot, option) in enumerate(heads.query_labels)}
    marks: dict[tuple[int, int], NDArray[np.bool_]] = {}
    rows = attention.shape[2] // columns
    for row, (truth, each) in enumerate(zip(truths, evidence, strict=True)):
        for seen in each:
            key = row, number[truth.category, seen.attribute, seen.option]
            marks[key] = marks.get(key, False) | covered(seen.box, rows, columns)
    if not marks:
        return attention.new_zeros(())
    pictures, queries = (torch.tensor(index) for index in zip(*marks, strict=True))
    mask = torch.from_numpy(np.stack(list(marks.values())))
    found = (attention[pictures, queries] * mask).sum(1)
    return -(found + 1e-4).log().sum() / len(truths)


def covered(box: Box, rows: int, columns: int) -> NDArray[np.bool_]:
    """The tokens of a grid, row by row, of which the box covers a third, or which hold a third of the box."""
    across, down = _overlap(box[0], box[2], columns), _overlap(box[1], box[3], rows)
    share = np.outer(down, across) * rows * columns
    area = max(1e-9, (box[2] - box[0]) * (box[3] - box[1]) * rows * columns)
    return (share / min(1.0, area) > 1 / 3).ravel()


def _overlap(start: float, end: float, cells: int) -> NDArray[np.float64]:
    edges = np.arange(cells + 1) / cells
    shared: NDArray[np.float64] = np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0, None)
    return shared


@dataclass(frozen=True, slots=True)
class Hit:
    """Whether `name` (category, or category.attribute) of picture number `row` is right."""

    name: str
    row: int
    right: bool


def accuracies(hits: Iterator[Hit] | Sequence[Hit]) -> dict[str, float]:
    """Share of right hits by name."""
    by_name: dict[str, list[bool]] = {}
    for hit in hits:
        by_name.setdefault(hit.name, []).append(hit.right)
    return {name: sum(right) / len(right) for name, right in by_name.items()}


def _target(slot: Slot, truths: Sequence[Answer]) -> Tensor:
    if slot.attribute is None:
        return torch.tensor([slot.options.index(truth.category) for truth in truths])
    chosen = [truth.details[slot.attribute] for truth in truths]
    if slot.many:
        return torch.tensor([[float(option in each) for option in slot.options] for each in chosen])
    return torch.tensor([slot.options.index(each[0]) for each in chosen])
