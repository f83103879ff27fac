"""Where in a drawing its details can be told: a mouth for the mood, a ring of ink for the stamp.

The truth says what is right; this says where to look, which is what a small model needs most of its training to find.
"""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """`box` in shares of the picture's width and height. `option` is None where any option would be told there."""

    attribute: str
    option: str | None
    box: Box
