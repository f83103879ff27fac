"""A router around another one, for what is done beside each classification."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from onelook.engines.base import Finding
from onelook.engines.throttle import Throttle
from onelook.engines.zero_shot.base import Router
from onelook.errors import SettingsError


class RouterWrapper(Router):
    """`router` in all that it says and does; a subclass overrides `classify`."""

    def __init__(self, router: Router) -> None:
        self.router = router

    @property
    def model(self) -> str:
        return self.router.model

    @property
    def unfit(self) -> SettingsError | None:
        return self.router.unfit

    @property
    def patience_s(self) -> float | None:
        return self.router.patience_s

    @property
    def throttles(self) -> Sequence[Throttle]:
        return self.router.throttles

    async def start(self) -> None:
        await self.router.start()

    async def classify(self, pictures: Sequence[Image.Image]) -> tuple[float, ...]:
        return await self.router.classify(pictures)

    async def probe(self) -> list[Finding]:
        return await self.router.probe()

    async def aclose(self) -> None:
        await self.router.aclose()
