"""Writes TIFF files (6.0) of any kind of pixels with a known picture in them, without the library that reads them."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 48, 32
CHANNELS = {2: 3, 5: 4, 6: 3, 8: 3, 9: 3, 32845: 3, 34892: 3}  # by PhotometricInterpretation; others have one
SHORT, LONG = 3, 4
FORMATS = {SHORT: "H", LONG: "I"}
FLOATS = {16: "f2", 32: "f4", 64: "f8"}

Levels = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kind:
    """`sample_format`: 1 unsigned, 2 signed, 3 float, 4 untyped. `order`: < or >. `compression`: 1 none, 8 deflate."""

    photometric: int
    bits: int
    planar: int
    sample_format: int
    order: Literal["<", ">"]
    compression: int

    @property
    def channels(self) -> int:
        return CHANNELS.get(self.photometric, 1)


def gradient() -> Levels:
    """Levels of four channels from 0 to 1: to the right, down, to the left, and up by half. Height x width x 4."""
    right = np.tile(np.linspace(0, 1, WIDTH), (HEIGHT, 1))
    down = np.tile(np.linspace(0, 1, HEIGHT)[:, None], (1, WIDTH))
    return np.stack([right, down, 1 - right, (1 - down) / 2], -1)


def write_tiff(kind: Kind) -> bytes:
    levels = gradient()[..., : kind.channels]
    numbers = _numbers(1 - levels if kind.photometric == 0 else levels, kind)
    if kind.planar == 1:
        blocks = [_packed(numbers.reshape(HEIGHT, -1), kind)]
    else:
        blocks = [_packed(numbers[..., channel], kind) for channel in range(kind.channels)]
    if kind.compression == 8:
        blocks = [zlib.compress(block) for block in blocks]
    tags = {
        256: (LONG, [WIDTH]),
        257: (LONG, [HEIGHT]),
        258: (SHORT, [kind.bits] * kind.channels),
        259: (SHORT, [kind.compression]),
        262: (SHORT, [kind.photometric]),
        273: (LONG, [0] * len(blocks)),
        277: (SHORT, [kind.channels]),
        278: (LONG, [HEIGHT]),
        279: (LONG, [len(block) for block in blocks]),
        284: (SHORT, [kind.planar]),
        339: (SHORT, [kind.sample_format] * kind.channels),
    }
    if kind.photometric == 3:
        ramp = np.linspace(0, 65535, 1 << kind.bits).round().astype(int)
        tags[320] = (SHORT, [*ramp, *ramp[::-1], *([16384] * len(ramp))])
    if kind.photometric == 6:
        tags[530] = (SHORT, [1, 1])
    return _file(tags, blocks, kind.order)


def shown(kind: Kind) -> Levels:
    """Red, green and blue from 0 to 255 that a viewer shows: of grey, RGB, colour maps, CMYK and YCbCr."""
    first, second, third, fourth = np.moveaxis(gradient(), -1, 0)
    match kind.photometric:
        case 0 | 1:
            return np.stack([first] * 3, -1) * 255
        case 2:
            return gradient()[..., :3] * 255
        case 3:
            return np.stack([first, 1 - first, np.full_like(first, 16384 / 65535)], -1) * 255
        case 5:
            return np.stack([(1 - ink) * (1 - fourth) for ink in (first, second, third)], -1) * 255
        case 6:  # ITU-T T.871
            blue, red = second * 255 - 128, third * 255 - 128
            grey = first * 255
            rgb = [grey + 1.402 * red, grey - 0.344136 * blue - 0.714136 * red, grey + 1.772 * blue]
            return np.stack(rgb, -1).clip(0, 255)
    raise ValueError(f"no viewer is expected to show PhotometricInterpretation {kind.photometric}")


def _numbers(levels: Levels, kind: Kind) -> npt.NDArray[Any]:
    if kind.sample_format == 3:
        return levels.astype(FLOATS[kind.bits])
    whole = np.rint(levels * ((1 << kind.bits) - 1)).astype(object)
    return whole - (1 << (kind.bits - 1)) if kind.sample_format == 2 else whole


def _packed(rows: npt.NDArray[Any], kind: Kind) -> bytes:
    if kind.sample_format == 3:
        return rows.astype(rows.dtype.newbyteorder(kind.order)).tobytes()
    endian: Literal["little", "big"] = "little" if kind.order == "<" else "big"
    size, mask = kind.bits, (1 << kind.bits) - 1
    if size % 8 == 0:
        return b"".join((int(each) & mask).to_bytes(size // 8, endian) for each in rows.flat)
    lines = ("".join(f"{int(each) & mask:0{size}b}" for each in row) for row in rows)
    return b"".join(
        int(line.ljust(-(-len(line) // 8) * 8, "0"), 2).to_bytes(-(-len(line) // 8), "big") for line in lines
    )


def _file(tags: dict[int, tuple[int, list[int]]], blocks: list[bytes], order: str) -> bytes:
    start = 8 + 2 + 12 * len(tags) + 4
    sizes = [struct.calcsize(FORMATS[form]) * len(values) for form, values in tags.values()]
    position = start + sum(size for size in sizes if size > 4)
    offsets = []
    for block in blocks:
        offsets.append(position)
        position += len(block)
    tags[273] = (LONG, offsets)
    entries, beyond = b"", b""
    for tag, (form, values) in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}{FORMATS[form]}", *values)
        head = struct.pack(f"{order}HHI", tag, form, len(values))
        if len(packed) <= 4:
            entries += head + packed.ljust(4, b"\0")
        else:
            entries += head + struct.pack(f"{order}I", start + len(beyond))
            beyond += packed
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    return head + struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + beyond + b"".join(blocks)
