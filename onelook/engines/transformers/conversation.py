"""LangChain messages in the form that a Transformers processor takes, with pictures decoded."""

from __future__ import annotations

import hashlib
import io
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import BaseMessage, convert_to_openai_messages
from PIL import Image

from onelook.engines.base import MAX_IMAGES
from onelook.engines.cache_scope import picture_scope
from onelook.errors import EngineRefused


@dataclass(slots=True)
class Conversation:
    """Messages of `{"role", "content"}`, and the digests of their pictures in order."""

    turns: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)


def read_conversation(messages: Sequence[BaseMessage | dict[str, Any]]) -> Conversation:
    """Raises EngineRefused for parts that are neither text nor data URL, unreadable pictures, and too many of them."""
    conversation = Conversation()
    for message in convert_to_openai_messages(list(messages), text_format="block"):
        parts = [_read_part(part, conversation.pictures) for part in message["content"]]
        conversation.turns.append({"role": message["role"], "content": parts})
    if len(conversation.pictures) > MAX_IMAGES:
        raise EngineRefused(f"{len(conversation.pictures)} pictures in one question; at most {MAX_IMAGES} are allowed")
    return conversation


def _read_part(part: dict[str, Any], pictures: list[bytes]) -> dict[str, Any]:
    if part["type"] == "text":
        return {"type": "text", "text": part["text"]}
    if part["type"] != "image_url":
        raise EngineRefused(f"a content part is text or image_url, not {part['type']}")
    header, _, payload = part["image_url"]["url"].partition(",")
    if not (header.startswith("data:") and header.endswith(";base64")):
        raise EngineRefused(
            f"a picture must be a base64 data URL, not {header[:40]!r}",
            hint="the embedded engine fetches nothing: onelook prepares pictures before it asks",
        )
    try:
        data = b64decode(payload, validate=True)
        image = Image.open(io.BytesIO(data)).convert("RGB")
    except (ValueError, OSError, Image.DecompressionBombError) as error:
        raise EngineRefused(f"a picture in the question cannot be read: {error}") from error
    pictures.append(hashlib.sha256(picture_scope.get().encode() + data).digest())
    return {"type": "image", "image": image}
