"""The pictures of a result, for a notebook that displays it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self


class Preview:
    """Ways to the pictures of a result, tried when they are displayed.

    A result with its pictures equals the same result without them. Printing, pickling and deep copies leave them out,
    so that pictures stay out of whatever stores results.
    """

    def __init__(self, draw: Iterable[Callable[[], str | None]] = ()) -> None:
        """`draw`: for each picture a function that returns it as a data URL, or None where it cannot be shown."""
        self._draw = tuple(draw)

    def data_urls(self) -> list[str]:
        """The pictures that can still be shown."""
        return [url for draw in self._draw if (url := draw()) is not None]

    def __repr__(self) -> str:
        return f"Preview({len(self._draw)} pictures)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Preview)

    def __hash__(self) -> int:
        return hash(Preview)

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        return type(self), ()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)()
