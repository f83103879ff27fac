"""A picture as it is sent to a model."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Picture:
    """Encoded bytes, ready to send.

    `width` and `height` are of these bytes, in pixels; `source_width` and `source_height` of the file as it came,
    after its EXIF orientation. `untouched`: these are the file's own bytes, nothing was decoded or encoded again.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    source_width: int
    source_height: int
    untouched: bool

    @cached_property
    def data_url(self) -> str:
        return f"data:{self.media_type};base64,{b64encode(self.data).decode('ascii')}"
