"""The arithmetic that a zero-shot classifier needs: a dozen texts need no array library."""

from __future__ import annotations

import math
from collections.abc import Sequence

Vector = tuple[float, ...]


def unit(numbers: Sequence[float]) -> Vector:
    """The vector of length 1 in the same direction.

    Raises:
        ValueError: a number is NaN or infinite, or the vector has no direction.
    """
    length = math.hypot(*numbers)
    if not math.isfinite(length) or length == 0:
        raise ValueError("not finite numbers, or all of them zero")
    return tuple(number / length for number in numbers)


def cosine(one: Vector, other: Vector) -> float:
    """Of two vectors of length 1 and of the same dimension."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def softmax(logits: Sequence[float]) -> tuple[float, ...]:
    """Probabilities that add up to 1."""
    highest = max(logits)
    weights = [math.exp(logit - highest) for logit in logits]
    total = sum(weights)
    return tuple(weight / total for weight in weights)
