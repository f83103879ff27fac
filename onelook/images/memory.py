"""Pictures that the caller has in memory: open files, Pillow images, arrays of pixels."""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from onelook.errors import ImageTooLarge, ImageUnreadable, OnelookError
from onelook.images.decode import check_pixels
from onelook.images.limits import Limits

LOSSY = {"JPEG", "MPO", "WEBP", "AVIF", "HEIF", "JPEG2000"}
"""Pillow's names of the formats whose pixels have lost detail already."""

EXPECTED = (
    "give a path, an http(s) URL, a data URL, bytes, a file opened with 'rb', a PIL image, a NumPy array (height x"
    " width x 3, uint8), or a list of up to five of these"
)
CHUNK = 1 << 20

# Pillow decodes a file when its pixels are first needed, and two threads must not do that to one image at once. The
# image is the caller's: nothing says that no other run has it too.
_decoding = threading.Lock()


class InMemory:
    """A picture on its way through the graph. Whatever writes a run's input down sees the name, never the pixels."""

    __slots__ = ("_name", "given_name", "reference")

    def __init__(self, reference: object, name: str | None = None) -> None:
        """`name`: what messages call it, instead of what it is."""
        self.reference = reference
        self.given_name = name
        self._name = name or describe_object(reference)

    def __repr__(self) -> str:
        return f"<{self._name}>"


def path_of(thing: object) -> str | None:
    """The path that a `pathlib.Path`, or another object with `__fspath__`, stands for."""
    if not isinstance(thing, os.PathLike):
        return None
    try:
        return os.fsdecode(thing)
    except Exception:  # noqa: BLE001 - `__fspath__` is the caller's
        return None


def describe_object(thing: object) -> str:
    """What a message calls `thing`: by its file's name, or by what it is."""
    if isinstance(thing, bytes | bytearray | memoryview):
        return "the given bytes"
    if isinstance(thing, Image.Image):
        name = _look(thing, "filename")
        return name if isinstance(name, str) and name else f"PIL image {thing.width}×{thing.height} {thing.mode}"
    if (interface := _array_interface(thing)) is not None:
        return f"image array {'×'.join(map(str, interface['shape']))}"
    if callable(_look(thing, "read")):
        name = _look(thing, "name")
        return os.fspath(name) if isinstance(name, str) and name else "file object"
    return "None" if thing is None else f"{type(thing).__name__} object"


def read_object(thing: object, name: str, limits: Limits) -> bytes | Image.Image:
    """The file's bytes, or the pixels, that `thing` stands for.

    Raises:
        ImageTooLarge: over `limits.max_bytes` or `limits.max_pixels`, found before more is read or copied.
        ImageUnreadable: it is no picture, or cannot be read.
    """
    if isinstance(thing, bytes | bytearray | memoryview):
        return _read_buffer(thing, name, limits)
    if isinstance(thing, Image.Image):
        return thing
    if (interface := _array_interface(thing)) is not None:
        return _read_array(thing, interface, name, limits)
    if callable(read := _look(thing, "read")):
        return _read_open_file(thing, read, name, limits)
    raise ImageUnreadable(f"{name}: not a picture", hint=EXPECTED)


def open_pixels(image: Image.Image, *, name: str, max_pixels: int) -> Image.Image:
    """`image` with its pixels in memory; it stays as it is otherwise.

    Raises:
        ImageTooLarge: more than `max_pixels`.
        ImageUnreadable: no pixels, a closed or broken file behind it.
    """
    if min(image.size) < 1:
        raise ImageUnreadable(f"{name}: no pixels in it", hint="was it cropped to nothing?")
    check_pixels(image.width, image.height, name=name, max_pixels=max_pixels)
    with reading_pixels(name), _decoding:
        image.load()
    return image


@contextmanager
def reading_pixels(name: str) -> Iterator[None]:
    """Turns what Pillow raises for pixels that it cannot read or convert into ImageUnreadable."""
    try:
        yield
    except OnelookError:
        raise
    except Exception as error:  # whatever the caller's image, or the file behind it, raises
        raise ImageUnreadable(
            f"{name}: the pixels cannot be read: {error}",
            hint="is the file still open? Does image.convert('RGB') work?",
        ) from error


def check_bytes(size: int, name: str, limits: Limits) -> None:
    """Raises ImageTooLarge for more than `limits.max_bytes`."""
    if size > limits.max_bytes:
        raise ImageTooLarge(
            f"{name}: {size / 1e6:.1f} MB, over the limit of {limits.max_bytes / 1e6:g} MB",
            hint="use a smaller file or raise ONELOOK_MAX_IMAGE_MB",
        )


def _read_buffer(buffer: bytes | bytearray | memoryview, name: str, limits: Limits) -> bytes:
    try:
        size = buffer.nbytes if isinstance(buffer, memoryview) else len(buffer)
        check_bytes(size, name, limits)
        return bytes(buffer)
    except ValueError as error:
        raise ImageUnreadable(f"{name}: {error}", hint="tag it before the memoryview is released") from None


def _read_array(array: object, interface: dict[str, Any], name: str, limits: Limits) -> Image.Image:
    shape, kind = interface["shape"], interface.get("typestr")
    fits = len(shape) in (2, 3) and (len(shape) == 2 or shape[2] == 3) and min(shape) > 0
    if not fits or kind != "|u1":
        dtype = _look(array, "dtype")
        raise ImageUnreadable(
            f"{name} of {kind if dtype is None else dtype}: expected height x width x 3 (red, green, blue) or height x"
            " width (grey), of uint8",
            hint="from 0..1: (array * 255).astype('uint8'); other channels: give PIL.Image.fromarray(array)",
        )
    check_pixels(shape[1], shape[0], name=name, max_pixels=limits.max_pixels)
    with reading_pixels(name):
        return Image.fromarray(array)  # type: ignore[arg-type]


def _read_open_file(file: object, read: Callable[[int], object], name: str, limits: Limits) -> bytes:
    """A file that can be rewound is read from its start, as `PIL.Image.open` does; another from where it is."""
    data = bytearray()
    try:
        seekable, seek = _look(file, "seekable"), _look(file, "seek")
        if callable(seekable) and callable(seek) and seekable() is True:
            seek(0)
        while len(data) <= limits.max_bytes:
            chunk = read(min(CHUNK, limits.max_bytes + 1 - len(data)))
            if not isinstance(chunk, bytes | bytearray | memoryview):
                raise _not_bytes(chunk, name)
            if not chunk:
                break
            data += chunk
    except ImageUnreadable:
        raise
    except Exception as error:  # whatever the caller's file raises means that this picture cannot be read
        raise ImageUnreadable(f"{name}: cannot be read: {error}", hint="is the file still open?") from error
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(
            f"{name} is larger than {limits.max_bytes / 1e6:g} MB",
            hint="use a smaller file or raise ONELOOK_MAX_IMAGE_MB",
        )
    return bytes(data)


def _not_bytes(chunk: object, name: str) -> ImageUnreadable:
    if inspect.iscoroutine(chunk):
        chunk.close()
        return ImageUnreadable(f"{name}: an asynchronous file", hint="await its read() and give the bytes")
    if isinstance(chunk, str):
        return ImageUnreadable(f"{name}: opened as text", hint="open it with 'rb'")
    return ImageUnreadable(f"{name}: read() gave {type(chunk).__name__}, expected bytes", hint=EXPECTED)


def _array_interface(thing: object) -> dict[str, Any] | None:
    interface = _look(thing, "__array_interface__")
    if not isinstance(interface, dict) or not isinstance(interface.get("shape"), tuple):
        return None
    return interface


def _look(thing: object, attribute: str) -> Any:
    """The attribute, or None: `thing` can be anything, and its properties may raise anything."""
    try:
        return getattr(thing, attribute, None)
    except Exception:  # noqa: BLE001 - the property is the caller's
        return None
