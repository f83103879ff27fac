"""Zero-shot classification: which of the texts is nearest to the pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from onelook.engines.base import Finding
from onelook.engines.shared_task import SharedTask
from onelook.engines.throttle import Throttle
from onelook.engines.zero_shot.encoder import Encoder
from onelook.engines.zero_shot.text_cache import TextCache
from onelook.engines.zero_shot.vectors import Vector, cosine, softmax
from onelook.errors import EngineError, EngineIncapable, SettingsError

SAME = 0.999
"""Two vectors of one text with a larger cosine are of one checkpoint: after rounding to 8 bits it is still larger."""


class SiglipRouter:
    """SigLIP's two towers as a `Router`.

    SigLIP is trained with a sigmoid on each pair of picture and text by itself: the probability that this text fits,
    which is small for general sentences even if they are right. Here one of a closed list of categories is right, so
    the probability is that of the choice: a softmax over the texts, in which the sigmoid's bias cancels out.

        p = softmax(logit_scale * cos(picture, text) / temperature)

    Several pictures of one subject count with the mean of their cosines.
    """

    def __init__(
        self,
        encoder: Encoder,
        texts: Sequence[str],
        *,
        temperature: float,
        cache: Path,
        throttles: Sequence[Throttle] = (),
    ) -> None:
        """`cache` is the folder in which the texts' vectors are kept. `throttles`: those of the encoder's server."""
        self.encoder = encoder
        self.texts = tuple(texts)
        self.temperature = temperature
        self.patience_s: float | None = None  # a server times each request by itself, and a wait for it is no fault
        self.throttles = throttles
        self.unfit: SettingsError | None = None
        self._cache = TextCache(cache)
        self._vectors: list[Vector] | None = None
        self._making = SharedTask[list[Vector]]()

    @property
    def model(self) -> str:
        return self.encoder.model

    async def start(self) -> None:
        """Load or connect, and make the texts' vectors; a blank picture shows whether both towers fit together."""
        await self.classify([Image.new("RGB", (224, 224), "white")])

    async def classify(self, pictures: Sequence[Image.Image]) -> tuple[float, ...]:
        """For each text the probability that it, of all texts, describes the pictures.

        Raises:
            EngineIncapable: pictures and texts have vectors of different dimensions, or not of finite numbers.
            SettingsError: a text is longer than the encoder reads.
            EngineError: raised by the encoder.
        """
        texts = await self._text_vectors()
        seen = await self.encoder.encode_pictures(pictures)
        for vector in seen:
            if len(vector) != len(texts[0]):
                raise EngineIncapable(
                    f"router: {self.model} makes vectors of {len(vector)} numbers from pictures, and of"
                    f" {len(texts[0])} from texts",
                    hint="a router needs one checkpoint with both towers:"
                    " ONELOOK_ROUTER__MODEL=google/siglip-so400m-patch14-384",
                )
        scale = await self.encoder.logit_scale() / self.temperature
        return softmax([scale * sum(cosine(picture, text) for picture in seen) / len(seen) for text in texts])

    async def probe(self) -> list[Finding]:
        try:
            await self.start()
        except (EngineError, SettingsError) as error:
            return [Finding("router", ok=False, detail=error.message, hint=error.hint)]
        dimension = len((await self._text_vectors())[0])
        return [Finding("router", ok=True, detail=f"{self.model}, {len(self.texts)} texts, {dimension} dimensions")]

    async def aclose(self) -> None:
        await self.encoder.aclose()

    async def _text_vectors(self) -> list[Vector]:
        """Made once; other callers wait for the same task."""
        if self._vectors is None:
            try:
                self._vectors = await self._making.outcome(self._make_vectors)
            except SettingsError as error:
                self.unfit = error
                raise
        return self._vectors

    async def _make_vectors(self) -> list[Vector]:
        """From the cache, or new. A server may have other weights under an old name, so one text is always encoded
        again and compared with the cache."""
        identity = await self.encoder.identity()
        kept = await asyncio.to_thread(self._cache.load, identity, self.texts)
        if kept is not None:
            (first,) = await self.encoder.encode_texts(self.texts[:1])
            if len(first) == len(kept[0]) and cosine(first, kept[0]) > SAME:
                return kept
        vectors = await self.encoder.encode_texts(self.texts)
        await asyncio.to_thread(self._cache.store, identity, self.texts, vectors)
        return vectors
