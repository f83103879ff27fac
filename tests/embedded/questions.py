"""Questions about pictures, as onelook asks them."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence

import numpy as np
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from PIL import Image

from onelook.engines.base import AskRequest, Constraint

SYSTEM = "你看一张照片，回答它是什么。" * 4


def picture(seed: int, *, width: int = 112, height: int = 140) -> Image.Image:
    """Coarse coloured squares, other ones for each seed."""
    squares = np.random.default_rng(seed).integers(0, 256, (height // 28, width // 28, 3), dtype=np.uint8)
    return Image.fromarray(squares).resize((width, height), Image.Resampling.NEAREST)


def picture_part(image: Image.Image) -> dict[str, object]:
    file = io.BytesIO()
    image.save(file, "PNG")
    url = f"data:image/png;base64,{b64encode(file.getvalue()).decode('ascii')}"
    return {"type": "image_url", "image_url": {"url": url}}


def question(seeds: Sequence[int], text: str = "这是什么？", *, system: str = SYSTEM) -> list[BaseMessage]:
    """The system prompt, then the pictures of `seeds`, then `text`."""
    parts: list[str | dict[str, object]] = [picture_part(picture(seed)) for seed in seeds]
    return [SystemMessage(system), HumanMessage([*parts, {"type": "text", "text": text}])]


def request(
    seeds: Sequence[int],
    constraint: Constraint | None = None,
    *,
    text: str = "这是什么？",
    max_tokens: int,
    top_logprobs: int = 0,
) -> AskRequest:
    return AskRequest(question(seeds, text), constraint, max_tokens, top_logprobs=top_logprobs)
