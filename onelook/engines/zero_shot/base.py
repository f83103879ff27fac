"""The contract between the node `route` and a zero-shot classifier, which names a category without a word of reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from PIL import Image

from onelook.engines.base import Finding


@runtime_checkable
class Router(Protocol):
    """Weighs pictures against texts that it was given when it was made.

    Raises only `onelook.errors.EngineError` for what is not a bug; never retries by itself.
    """

    @property
    def model(self) -> str:
        """The name of the model that looks."""

    @property
    def patience_s(self) -> float | None:
        """The longest that one `classify` may take, in seconds; None where waiting for it is no fault."""

    async def start(self) -> None:
        """Load or connect now, and refuse (raise) what is not fit. Without it, `classify` does."""

    async def classify(self, pictures: Sequence[Image.Image]) -> tuple[float, ...]:
        """Per text the probability that it, of all of them, describes the pictures: one to five, of one subject."""

    async def probe(self) -> list[Finding]: ...

    async def aclose(self) -> None: ...
