"""Evidence: the parts of a drawing that show its details, such as the mouth for the mood, or the ink of a stamp.

Training uses it to supervise the attention, which a small model would otherwise learn slowly.
"""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """`box` in shares of the picture's width and height. `option` is None if the part shows any option."""

    attribute: str
    option: str | None
    box: Box
