"""SigLIP behind a vLLM pooling server: `vllm serve MODEL --runner pooling`, as in serve/siglip-so400m.yaml."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from PIL import Image

from onelook.engines.openai.served_model import ServedModel, find_model
from onelook.engines.openai.server import OpenAIServer
from onelook.engines.zero_shot.files import SiglipFiles, content_hash, read_files
from onelook.engines.zero_shot.scale import SO400M, read_logit_scale
from onelook.engines.zero_shot.vectors import Vector, unit
from onelook.errors import EngineError, EngineIncapable, EngineRefused

START = "is it a SigLIP, started with --runner pooling (serve/siglip-so400m.yaml), at ONELOOK_ROUTER__BASE_URL?"
ELSEWHERE = (
    "`hf download {model} --include '*.json' '*.model'` fetches what is needed here beside the server, where there is a"
    " connection; ONELOOK_ROUTER__TOKENIZER names a folder with these files"
)


class ServedSiglip:
    """An `Encoder` that asks a server. No PyTorch is needed here, but the checkpoint's tokenizer is: vLLM does not pad,
    and SigLIP knows only texts that are padded to one length.

    `model` is its name on the server (None: the only one there), `tokenizer` where its files are on this machine (None:
    under the name by which the server loaded it).
    """

    def __init__(
        self, server: OpenAIServer, *, model: str | None, tokenizer: str | None, logit_scale: float | None
    ) -> None:
        self._server = server
        self._wanted = model
        self._tokenizer = tokenizer
        self._logit_scale = logit_scale
        self._served: ServedModel | None = None
        self._files: SiglipFiles | None = None

    @property
    def model(self) -> str:
        return self._served.name if self._served else self._wanted or self._server.address

    async def identity(self) -> str:
        served, files = await self._found()
        tokenizer = await asyncio.to_thread(content_hash, files.folder, "*token*", "*.model")
        return f"{self._server.address} {served.name} {tokenizer}"

    async def logit_scale(self) -> float:
        if self._logit_scale is None:
            _, files = await self._found()
            self._logit_scale = await asyncio.to_thread(read_logit_scale, files.folder) or SO400M
        return self._logit_scale

    async def encode_texts(self, texts: Sequence[str]) -> list[Vector]:
        _, files = await self._found()
        return await self._vectors(len(texts), {"input": files.token_ids(texts)})

    async def encode_pictures(self, pictures: Sequence[Image.Image]) -> list[Vector]:
        _, files = await self._found()
        urls = await asyncio.to_thread(lambda: [_data_url(picture, files) for picture in pictures])
        found = await asyncio.gather(*(self._vectors(1, {"messages": _message(url)}) for url in urls))
        return [vector for (vector,) in found]

    async def aclose(self) -> None:
        await self._server.aclose()

    async def _found(self) -> tuple[ServedModel, SiglipFiles]:
        if self._served is None:
            self._served = await find_model(self._server, self._wanted, "response_format", "never")
        if self._files is None:
            name = self._tokenizer or self._served.root or self._served.name
            self._files = await asyncio.to_thread(read_files, name, elsewhere=ELSEWHERE.format(model=name))
        return self._served, self._files

    async def _vectors(self, count: int, asked: Mapping[str, Any]) -> list[Vector]:
        body = {"model": self.model, "encoding_format": "float", **asked}
        try:
            answer, _ = await self._server.post("embeddings", body)
        except EngineRefused as error:
            raise EngineRefused(f"router: {error.message}", hint=START) from None
        except EngineError as error:
            message = f"router: {error.message}"
            raise type(error)(message, hint=error.hint, retry_after_s=error.retry_after_s) from None
        match answer:
            case {"data": [*entries]} if len(entries) == count:
                vectors = [self._vector(entry) for entry in entries]
            case _:
                raise self._not_siglip(f"did not answer with {count} vectors")
        if len(set(map(len, vectors))) > 1:
            raise self._not_siglip("answered with vectors of different dimensions")
        return vectors

    def _vector(self, entry: object) -> Vector:
        match entry:
            case {"embedding": [*numbers]} if numbers:
                try:
                    return unit(numbers)
                except TypeError:
                    raise self._not_siglip("answered with a vector that is not of numbers") from None
                except ValueError as error:
                    raise EngineIncapable(
                        f"router: {self._server.address} answered with a vector of {error}",
                        hint="start the server with --dtype float32: a narrow number format overflows in some models",
                    ) from None
        raise self._not_siglip("answered without a vector")

    def _not_siglip(self, what: str) -> EngineIncapable:
        return EngineIncapable(f"router: {self._server.address} {what}", hint=START)


def _message(url: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]


def _data_url(picture: Image.Image, files: SiglipFiles) -> str:
    """Scaled as the checkpoint's own processor does it, so that the server does not scale it again.

    Lossless, so that a server gives the same vectors as this process does; and BMP, because encoding 384 x 384 pixels
    as PNG takes longer (15 to 40 ms) than sending them as they are (0.6 MB).
    """
    pixels = picture.convert("RGB")
    if files.size is not None:
        pixels = pixels.resize(files.size, Image.Resampling(files.resample))
    encoded = BytesIO()
    pixels.save(encoded, "BMP")
    return f"data:image/bmp;base64,{b64encode(encoded.getvalue()).decode('ascii')}"
