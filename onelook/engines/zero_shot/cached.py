"""Classifications of the same pictures, kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from cachetools import TTLCache
from PIL import Image

from onelook.engines.answer_cache import KEEP_ANSWERS_S
from onelook.engines.zero_shot.base import Router
from onelook.engines.zero_shot.wrapper import RouterWrapper

MAX_KEPT = 10_000


class CachedRouter(RouterWrapper):
    """`router`, asked once about the same pixels. Errors are not kept."""

    def __init__(self, router: Router) -> None:
        super().__init__(router)
        self._kept: TTLCache[bytes, tuple[float, ...]] = TTLCache(MAX_KEPT, KEEP_ANSWERS_S)

    async def classify(self, pictures: Sequence[Image.Image]) -> tuple[float, ...]:
        key = _digest(pictures)
        if (kept := self._kept.get(key)) is not None:
            return kept
        self._kept[key] = probabilities = await super().classify(pictures)
        return probabilities


def _digest(pictures: Sequence[Image.Image]) -> bytes:
    digest = sha256()
    for picture in pictures:
        digest.update(f"{picture.mode} {picture.size}".encode())
        digest.update(picture.tobytes())
    return digest.digest()
