"""The size grid of a model on a server: set, known by the model's name, or learned from the image tokens of a reply."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Iterator, Sequence
from math import ceil

from langchain_core.messages import BaseMessage, convert_to_openai_messages
from PIL import Image

from onelook.engines.base import AskRequest, Reply
from onelook.engines.openai.served_model import ServedModel
from onelook.engines.size_grid import DEFAULT_GRID, grid_of_name, grid_of_tokens


class ServedGrid:
    """`setting` is the size grid if the user gave one, `wanted` the model's name if the user gave one."""

    def __init__(self, setting: int | None, wanted: str | None) -> None:
        self._side = setting or grid_of_name(wanted)
        self._looked_up = False
        self._counted = False

    @property
    def needs_lookup(self) -> bool:
        """Whether the served model's name is still to be looked at."""
        return self._side is None and not self._looked_up

    @property
    def side(self) -> int:
        """In pixels; that of Qwen2.5-VL as long as nothing is known."""
        return self._side or DEFAULT_GRID

    def read_name(self, served: ServedModel) -> None:
        """What the served model was loaded from tells its family; so does its name, if that was not made up."""
        self._looked_up = True
        self._side = self._side or grid_of_name(served.root, served.name)

    def learn(self, request: AskRequest, reply: Reply) -> None:
        """Compare the image tokens of the first reply that has them with the sizes of the pictures in the question."""
        if self._side is not None or self._counted or not reply.usage.image_tokens:
            return
        self._counted = True
        try:
            sizes = list(picture_sizes(request.messages))
        except (OSError, ValueError):  # a picture that only the server can read: its size is not known here
            return
        self._side = grid_of_tokens(sizes, reply.usage.image_tokens)


def picture_tokens(messages: Sequence[BaseMessage], grid: int) -> int:
    """About how many tokens the pictures in `messages` are for a model with this size grid; 0 if one is broken."""
    try:
        return sum(ceil(width / grid) * ceil(height / grid) for width, height in picture_sizes(messages))
    except (OSError, ValueError):
        return 0


def picture_sizes(messages: Sequence[BaseMessage]) -> Iterator[tuple[int, int]]:
    """Width and height of each picture in `messages`, in pixels."""
    for message in convert_to_openai_messages(list(messages), text_format="block"):
        for part in message["content"]:
            if part["type"] == "image_url":
                data = b64decode(part["image_url"]["url"].partition(",")[2])
                with Image.open(io.BytesIO(data)) as image:
                    yield image.size
