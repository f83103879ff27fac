"""The contract between the node `route` and a zero-shot classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from PIL import Image

from onelook.engines.base import Finding
from onelook.engines.throttle import Throttle
from onelook.errors import SettingsError


@runtime_checkable
class Router(Protocol):
    """Compares pictures with texts that it was given when it was made.

    Raises only `onelook.errors.EngineError`, except for bugs, and `SettingsError` for texts that it cannot read; never
    retries by itself.
    """

    @property
    def model(self) -> str:
        """The name of the model that compares."""

    @property
    def unfit(self) -> SettingsError | None:
        """Why it can compare no picture with its texts, once that is known: after `start`, or after a picture."""

    @property
    def patience_s(self) -> float | None:
        """The longest that one `classify` may take, in seconds; None where waiting for it is no fault."""

    @property
    def throttles(self) -> Sequence[Throttle]:
        """What holds requests back while its server is overloaded or down."""

    async def start(self) -> None:
        """Load or connect now, and raise if the model is not fit. If this is not called, `classify` does it."""

    async def classify(self, pictures: Sequence[Image.Image]) -> tuple[float, ...]:
        """For each text the probability that it, of all texts, describes the pictures: one to five, of one subject."""

    async def probe(self) -> list[Finding]: ...

    async def aclose(self) -> None: ...
