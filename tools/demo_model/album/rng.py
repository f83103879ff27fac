"""The random generator of all drawings: a seed determines a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Rng:
    """Choices from the uniform doubles of NumPy's PCG64 only. NumPy's policy (NEP 19) keeps that stream stable, and it
    does not depend on the machine's math library, as normal deviates do."""

    def __init__(self, *seed: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def between(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return low + (high - low) * self._generator.random()

    def around(self, middle: float, share: float) -> float:
        """Uniform within `share` of `middle`: `around(2, 0.1)` is 1.8 to 2.2."""
        return middle * self.between(1 - share, 1 + share)

    def count(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int((high - low + 1) * self._generator.random())

    def whether(self, probability: float) -> bool:
        return self._generator.random() < probability

    def sign(self) -> int:
        return 1 if self.whether(0.5) else -1

    def pick(self, options: Sequence[T]) -> T:
        return options[int(len(options) * self._generator.random())]

    def several(self, options: Sequence[T], count: int) -> list[T]:
        """`count` different options, in random order."""
        left = list(options)
        return [left.pop(int(len(left) * self._generator.random())) for _ in range(count)]

    def field(self, rows: int, columns: int) -> NDArray[np.float32]:
        """Uniform in [0, 1), shape (rows, columns)."""
        return self._generator.random((rows, columns), dtype=np.float32)
