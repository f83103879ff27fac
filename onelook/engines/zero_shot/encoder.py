"""The contract of the two ways to run SigLIP: texts and pictures in, vectors of one space out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PIL import Image

from onelook.engines.zero_shot.vectors import Vector


class Encoder(Protocol):
    """All vectors have length 1. Raises only `onelook.errors.EngineError`, except for bugs, and `SettingsError` for
    texts that are longer than it reads."""

    @property
    def model(self) -> str:
        """The name of the checkpoint."""

    async def identity(self) -> str:
        """What a text's vector depends on besides the text: the checkpoint, by its content where that is known."""

    async def logit_scale(self) -> float:
        """What cosines are multiplied by: learned with the weights."""

    async def encode_texts(self, texts: Sequence[str]) -> list[Vector]: ...

    async def encode_pictures(self, pictures: Sequence[Image.Image]) -> list[Vector]:
        """Pictures in any size and mode, upright."""

    async def aclose(self) -> None: ...
