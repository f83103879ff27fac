"""LangChain messages in the form that a Transformers processor takes."""

from __future__ import annotations

import hashlib
import io
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import BaseMessage, convert_to_openai_messages
from PIL import Image

from onelook.engines.base import MAX_IMAGES
from onelook.engines.cache_scope import picture_scope
from onelook.errors import EngineRefused


@dataclass(slots=True)
class Conversation:
    """Messages of `{"role", "content"}`, the digests of their pictures in order, and the files of these."""

    turns: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)

    def decoded(self) -> list[dict[str, Any]]:
        """The messages with their pictures, as a processor takes them. Raises EngineRefused for unreadable ones.

        Apart from reading, because a question about a picture that is known already does not need its pixels.
        """
        files = iter(self.files)
        return [{**turn, "content": [_with_image(part, files) for part in turn["content"]]} for turn in self.turns]


def read_conversation(messages: Sequence[BaseMessage | dict[str, Any]]) -> Conversation:
    """Raises EngineRefused for parts that are neither text nor data URL, and for too many pictures."""
    conversation = Conversation()
    for message in convert_to_openai_messages(list(messages), text_format="block"):
        parts = [_read_part(part, conversation) for part in message["content"]]
        conversation.turns.append({"role": message["role"], "content": parts})
    if len(conversation.pictures) > MAX_IMAGES:
        raise EngineRefused(f"{len(conversation.pictures)} pictures in one question; at most {MAX_IMAGES} are allowed")
    return conversation


def _read_part(part: dict[str, Any], conversation: Conversation) -> dict[str, Any]:
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
    except ValueError as error:
        raise _unreadable(error) from error
    conversation.pictures.append(hashlib.sha256(picture_scope.get().encode() + data).digest())
    conversation.files.append(data)
    return {"type": "image"}


def _with_image(part: dict[str, Any], files: Iterator[bytes]) -> dict[str, Any]:
    if part["type"] != "image":
        return part
    try:
        return {**part, "image": Image.open(io.BytesIO(next(files))).convert("RGB")}
    except (ValueError, OSError, Image.DecompressionBombError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> EngineRefused:
    return EngineRefused(f"a picture in the question cannot be read: {error}")
