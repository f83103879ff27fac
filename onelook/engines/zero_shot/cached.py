"""Classifications of the same pictures, kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from cachetools import TTLCache
from PIL import Image

from onelook.engines.answer_cache import KEEP_ANSWERS_S
from onelook.engines.base import Finding
from onelook.engines.throttle import Throttle
from onelook.engines.zero_shot.base import Router
from onelook.errors import SettingsError

MAX_KEPT = 10_000


class CachedRouter(Router):
    """`router`, asked once about the same pixels. Errors are not kept."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self._kept: TTLCache[bytes, tuple[float, ...]] = TTLCache(MAX_KEPT, KEEP_ANSWERS_S)

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
        key = _digest(pictures)
        if (kept := self._kept.get(key)) is not None:
            return kept
        self._kept[key] = probabilities = await self.router.classify(pictures)
        return probabilities

    async def probe(self) -> list[Finding]:
        return await self.router.probe()

    async def aclose(self) -> None:
        await self.router.aclose()


def _digest(pictures: Sequence[Image.Image]) -> bytes:
    digest = sha256()
    for picture in pictures:
        digest.update(f"{picture.mode} {picture.size}".encode())
        digest.update(picture.tobytes())
    return digest.digest()
