"""SigLIP in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from PIL import Image

from onelook.engines.transformers.loading import PACKAGES, leave_one_core, require_packages
from onelook.engines.zero_shot.files import content_hash, read_files
from onelook.engines.zero_shot.vectors import Vector

if TYPE_CHECKING:
    from onelook.engines.zero_shot.weights import SiglipWeights

T = TypeVar("T")

ELSEWHERE = (
    "`onelook pull {model}` fetches it on a machine that is connected; ONELOOK_ROUTER__MODEL names another one or a"
    " folder; ONELOOK_ROUTER__ENGINE=vllm and ONELOOK_ROUTER__BASE_URL use a server"
)
FILES = ("*.json", "*.model", "*.safetensors", "*.bin")


class EmbeddedSiglip:
    """An `Encoder` that runs in a thread of its own, so the event loop never waits for it.

    `model` is a folder, or a Hugging Face id that is in the local cache; loaded with the first question.
    """

    def __init__(self, model: str, *, device: str, logit_scale: float | None) -> None:
        self.model = model
        self._device = device
        self._logit_scale = logit_scale
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="siglip")
        self._weights: SiglipWeights | None = None

    async def identity(self) -> str:
        return await self._work(lambda weights: content_hash(weights.files.folder, *FILES))

    async def logit_scale(self) -> float:
        if self._logit_scale is None:
            self._logit_scale = await self._work(lambda weights: weights.logit_scale)
        return self._logit_scale

    async def encode_texts(self, texts: Sequence[str]) -> list[Vector]:
        return await self._work(lambda weights: weights.encode_texts(texts))

    async def encode_pictures(self, pictures: Sequence[Image.Image]) -> list[Vector]:
        return await self._work(lambda weights: weights.encode_pictures(pictures))

    async def aclose(self) -> None:
        """Wait for the running picture, cancel those in the queue, free the model and end the thread."""
        await asyncio.to_thread(self._worker.shutdown, cancel_futures=True)
        self._weights = None

    async def _work(self, task: Callable[[SiglipWeights], T]) -> T:
        return await asyncio.wrap_future(self._worker.submit(lambda: task(self._loaded())))

    def _loaded(self) -> SiglipWeights:
        if self._weights is None:
            require_packages(*PACKAGES)
            files = read_files(self.model, elsewhere=ELSEWHERE.format(model=self.model))
            leave_one_core()
            from onelook.engines.zero_shot.weights import SiglipWeights

            self._weights = SiglipWeights(files, device=self._device)
        return self._weights
