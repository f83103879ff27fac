"""A picture in the form that is sent to a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO

from PIL import Image
from pybase64 import b64encode_as_string

from onelook.images.decode import decoding
from onelook.types import Content


@dataclass(frozen=True)
class Picture:
    """Encoded bytes, ready to send.

    `width` and `height` are of these bytes, in pixels; `source_width` and `source_height` of the original file,
    after its EXIF orientation. `untouched`: these are the file's own bytes, not encoded again.
    `decoded`: its pixels, if preparation has decoded them. `content`: the detected content, if it determined the size.
    `trimmed`: the share of the original's area that was margin and was cut away.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    source_width: int
    source_height: int
    untouched: bool
    decoded: Image.Image | None = field(default=None, repr=False, compare=False)
    content: Content | None = None
    trimmed: float = 0.0
    name: str = field(default="the picture", compare=False)

    @cached_property
    def data_url(self) -> str:
        return f"data:{self.media_type};base64,{b64encode_as_string(self.data)}"

    def pixels(self) -> Image.Image:
        """The picture in mode L or RGB, upright, in sRGB; decoded here if preparation has not done so.

        Raises:
            ImageUnreadable: an untouched JPEG is broken between its first and its last byte.
        """
        if self.decoded is not None:
            return self.decoded
        with (
            decoding(self.name, self.media_type.removeprefix("image/").upper()),
            Image.open(BytesIO(self.data)) as image,
        ):
            image.load()
        return image
