"""A picture as it came, from which the pictures that are sent are made."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cached_property

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from onelook.errors import ImageError, ImageUnreadable
from onelook.images.colour import opaque, srgb_transform
from onelook.images.decode import TURNED, decoding, open_image, turn_needed
from onelook.images.decode_limit import check_limit
from onelook.images.decode_memory import coefficient_bytes, decode_bytes
from onelook.images.finish import encode, finish
from onelook.images.margins import KEPT, content_box
from onelook.images.memory import LOSSY, open_pixels, reading_pixels
from onelook.images.padding import Box
from onelook.images.picture import Picture
from onelook.images.resize import REDUCING_GAP
from onelook.images.scans import frame_marker
from onelook.images.shrink import shrink
from onelook.images.sizing import MAX_ASPECT_RATIO, Layout, layout
from onelook.images.unsupported import LOSSLESS_JPEG, NotSupported
from onelook.settings.resolution import Bounds
from onelook.types import Content

MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WebP": "image/webp"}
END_OF_IMAGE = b"\xff\xd9"
LOSSLESS = {"PNG", "GIF", "TIFF", "BMP"}


class Original:
    """The bytes of a file, with its header read, or pixels that are in memory already.

    A file's pixels are decoded once, when they are first needed.
    """

    def __init__(
        self,
        source: bytes | Image.Image,
        *,
        name: str,
        max_pixels: int,
        up_to: Sequence[Bounds],
        grid: int,
        trim: bool = False,
    ) -> None:
        """`name` is for messages. `up_to`: all the bounds in which pictures will be asked for. `grid`: the sides of
        these pictures are multiples of so many pixels (see `onelook.engines.size_grid`). `trim`: whether the margins of
        pages and diagrams are cut away.

        Raises:
            ImageTooLarge: more than `max_pixels`, found in the header before any pixel is decoded.
            ImageUnreadable: no picture, a format that is not read, or more oblong than 1 : 200.
        """
        self._name = name
        self._image: Image.Image
        if isinstance(source, bytes):
            self._data: bytes | None = source
            self._kind, self._image, self._scans = open_image(source, name=name, max_pixels=max_pixels)
            self._lossless = self._kind in LOSSLESS
        else:
            self._data, self._kind, self._scans = None, source.format or "pixels", 0
            self._image = open_pixels(source, name=name, max_pixels=max_pixels)
            self._lossless = self._kind not in LOSSY
        self._stored = self._image.size
        self._grid = grid
        self._trim = trim
        self._broken: ImageError | None = None
        self._known_turn: tuple[Image.Transpose | None] | None = None
        try:
            sizes = [layout(*self._stored, bounds, grid).drawn for bounds in up_to]
        except ValueError as error:
            raise ImageUnreadable(f"{name}: {error}", hint="crop it: a model cannot look at such a strip") from None
        self._largest = max(width for width, _ in sizes), max(height for _, height in sizes)
        if trim:
            self._largest = round(self._largest[0] / KEPT), round(self._largest[1] / KEPT)

    @cached_property
    def content(self) -> Content:
        """What the picture seems to be.

        Raises:
            ImageUnreadable: truncated or broken.
        """
        from onelook.images.content import detect  # NumPy, which nothing but this needs

        with decoding(self._name, self._kind):
            return detect(self._pixels)

    @property
    def decode_bytes(self) -> int:
        """The memory that decoding it takes, in bytes; 0 for pixels that are in memory already."""
        if self._data is None:
            return 0
        if self._kind == "JPEG":
            with decoding(self._name, self._kind):
                self._image.draft(None, self._largest)
        coefficients = 0
        if isinstance(self._image, JpegImageFile) and self._image.info.get("progressive"):
            coefficients = coefficient_bytes(self._stored, [(across, down) for _, across, down, _ in self._image.layer])
        return decode_bytes(self._kind, self._image) + coefficients

    @property
    def scan_pixels(self) -> int:
        """The work of decoding it: for a JPEG its pixels times its scans, otherwise 0, because pixels limit that."""
        return self._stored[0] * self._stored[1] * self._scans

    def on_grid(self, grid: int) -> Original:
        """The same picture for a model with another size grid. Ask only one of the two from then on: they share what is
        decoded."""
        other = copy(self)
        other._grid = grid
        return other

    def size(self, bounds: Bounds) -> tuple[int, int]:
        """Width and height of the `picture` within these bounds."""
        return self._upright(self._layout(bounds).sent)

    def pixels(self, bounds: Bounds) -> int:
        """How many pixels the `picture` within these bounds has."""
        width, height = self.size(bounds)
        return width * height

    def picture(self, bounds: Bounds) -> Picture:
        """The picture encoded upright, opaque and in sRGB, at `size(bounds)`.

        A JPEG, PNG or WebP that already is all this is returned as it came. A PNG or WebP is decoded nonetheless,
        because nothing else tells a whole file from a truncated one (11 ms for a PNG of 756 x 560 pixels); a JPEG says
        so itself.

        Raises:
            ImageUnreadable: truncated or broken.
        """
        with decoding(self._name, self._kind):
            return self._picture(bounds)

    def _picture(self, bounds: Bounds) -> Picture:
        wanted = self._layout(bounds)
        data, decoded = self._data, None
        untouched = data is not None and self._fits(wanted.sent, data) and _is_whole_jpeg(self._kind, data)
        if data is not None and not untouched:
            decoded = self._pixels
            untouched = decoded is self._image and self._fits(wanted.sent, data)
        if data is None or not untouched:
            check_limit()
            pixels = self._pixels if self._content_box is None else self._pixels.crop(self._content_box)
            decoded = finish(pixels, wanted, self._turn, _profile(self._image))
            data = encode(decoded, lossless=self._lossless)
        width, height = self._upright(wanted.sent)
        source_width, source_height = self._upright(self._stored)
        return Picture(
            data=data,
            media_type=MEDIA_TYPES[self._kind] if untouched else "image/jpeg",
            width=width,
            height=height,
            source_width=source_width,
            source_height=source_height,
            untouched=untouched,
            decoded=decoded,
            trimmed=self._trimmed,
            name=self._name,
        )

    def _load(self) -> None:
        """Decode the file. Pillow takes a second `load` after one that failed for done, so the failure is kept."""
        if self._broken is not None:
            raise self._broken
        try:
            with decoding(self._name, self._kind) if self._data is not None else reading_pixels(self._name):
                self._decode()
        except ImageError as error:
            self._broken = error
            raise

    def _decode(self) -> None:
        try:
            self._image.load()
        except OSError:
            if self._kind == "JPEG" and self._data is not None and frame_marker(self._data) == LOSSLESS_JPEG:
                raise NotSupported("lossless coding") from None
            raise

    @cached_property
    def _pixels(self) -> Image.Image:
        """Mode L, RGB or CMYK, and no larger than the largest picture needs."""
        from_file = self._data is not None
        with decoding(self._name, self._kind) if from_file else reading_pixels(self._name):
            if from_file and self._kind == "JPEG":
                # decoded at 1/2, 1/4 or 1/8 while that has the pixels; a HEIC's draft is a mere thumbnail
                self._image.draft(None, self._largest)
            self._load()
            check_limit()
            sides = zip(self._image.size, self._largest, strict=True)
            pixels = opaque(shrink(self._image, min(int(have / need / REDUCING_GAP) for have, need in sides)))
            if from_file and pixels is not self._image:
                self._known_turn = (self._turn,)
                self._image.close()  # its pixels take most of the memory, and only its header is needed from now on
        return pixels

    @cached_property
    def _content_box(self) -> Box | None:
        """The part of `_pixels` that is sent; None: all of it."""
        if not self._trim or self.content == "photo":
            return None
        box = content_box(self._pixels)
        if box is None:
            return None
        sides = box[2] - box[0], box[3] - box[1]
        return box if max(sides) <= MAX_ASPECT_RATIO * min(sides) else None

    @property
    def _kept(self) -> tuple[int, int]:
        """Width and height, in pixels as stored, of what is sent."""
        if self._content_box is None:
            return self._stored
        left, upper, right, lower = self._content_box
        have = self._pixels.size
        return (
            max(1, round((right - left) * self._stored[0] / have[0])),
            max(1, round((lower - upper) * self._stored[1] / have[1])),
        )

    @property
    def _trimmed(self) -> float:
        if self._content_box is None:
            return 0.0
        left, upper, right, lower = self._content_box
        return 1 - (right - left) * (lower - upper) / (self._pixels.width * self._pixels.height)

    def _layout(self, bounds: Bounds) -> Layout:
        return layout(*self._kept, bounds, self._grid)

    @property
    def _turn(self) -> Image.Transpose | None:
        if self._known_turn is not None:
            return self._known_turn[0]
        if self._kind == "PNG" and self._data is not None:
            self._load()  # Pillow looks for a PNG's EXIF behind its pixels, and would load them for that
        return turn_needed(self._image)  # asked anew, because a TIFF turns itself when it is loaded

    def _upright(self, size: tuple[int, int]) -> tuple[int, int]:
        width, height = size
        return (height, width) if self._turn in TURNED else (width, height)

    def _fits(self, target: tuple[int, int], data: bytes) -> bool:
        """Whether the file can be sent as it is, as far as its header tells."""
        image = self._image
        return (
            self._kind in MEDIA_TYPES
            and image.mode in ("L", "RGB")
            and self._stored == target
            and self._content_box is None
            and self._turn is None
            and getattr(image, "n_frames", 1) == 1
            and srgb_transform(image.mode, _profile(image)) is None
            and len(data) <= 3 * image.width * image.height  # or most of it is metadata
        )


def _is_whole_jpeg(kind: str, data: bytes) -> bool:
    """A JPEG ends with its end-of-image marker (ITU-T T.81, B.1.1.3). Decoding would tell no more: what is damaged in
    between, decoders paint over without a word; and it costs 4 ms, more than all else that prepares such a picture."""
    return kind == "JPEG" and data.endswith(END_OF_IMAGE)


def _profile(image: Image.Image) -> bytes | None:
    """The embedded colour profile. A TIFF can hold anything in its place."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) else None
