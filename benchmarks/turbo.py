"""Preparation of a JPEG beside libjpeg-turbo's own decoding at the same reduced scale, and what each of its parts
takes. Used by `benchmarks.prepare`."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from io import BytesIO
from statistics import median
from typing import NamedTuple

from PIL import Image, ImageCms
from PIL.Image import Transpose

from onelook.engines.size_grid import DEFAULT_GRID
from onelook.images.colour import to_srgb
from onelook.images.decode import open_image, turn_needed
from onelook.images.finish import encode, finish
from onelook.images.picture import Picture
from onelook.images.sizing import layout
from onelook.settings.resolution import Bounds

Milliseconds = float
Work = Callable[[], object]

PARTS = {
    "header": "every picture: format, size, limits, number of scans",
    "decode": "every picture: libjpeg-turbo at reduced scale",
    "orientation": "every picture: reading EXIF",
    "resize": "every picture: Lanczos, and the padding to the model's grid",
    "encode": "every picture: JPEG",
    "base64": "every picture",
    "colour": "a picture with a profile that is not sRGB",
    "turn": "a picture that EXIF turns by 90 degrees",
    "sha256": "a batch, which names its rows by it",
}


class Taken(NamedTuple):
    """Medians."""

    cpu: Milliseconds
    wall: Milliseconds


class Rate(NamedTuple):
    """Medians of the rounds: pictures a second, and CPU time of the process for each."""

    per_s: float
    cpu: Milliseconds


def decode(data: bytes, size: tuple[int, int]) -> Image.Image:
    """libjpeg-turbo's decoding at the smallest scale (1, 1/2, 1/4 or 1/8) that has `size`: Pillow's `draft` and `load`,
    which call it and do nothing else."""
    with Image.open(BytesIO(data)) as image:
        image.draft(None, size)
        image.load()
    return image


def side_by_side(ways: dict[str, Work], repetitions: int) -> dict[str, Taken]:
    """CPU time of this thread and wall time of each way, interleaved; medians."""
    taken: dict[str, list[tuple[Milliseconds, Milliseconds]]] = {name: [] for name in ways}
    for _ in range(repetitions):
        for name, work in ways.items():
            wall, cpu = time.perf_counter(), time.thread_time()
            work()
            taken[name].append(((time.thread_time() - cpu) * 1e3, (time.perf_counter() - wall) * 1e3))
    return {name: Taken(*map(median, zip(*each, strict=True))) for name, each in taken.items()}


def parts(data: bytes, bounds: Bounds, *, max_pixels: int, repetitions: int) -> dict[str, Milliseconds]:
    """CPU time of each part of the preparation of `data`, a JPEG; medians (see `PARTS`)."""
    _, image, _ = open_image(data, name="photograph", max_pixels=max_pixels)
    wanted = layout(*image.size, bounds, DEFAULT_GRID)
    pixels = decode(data, wanted.drawn)
    finished = finish(pixels, wanted, None, None)
    encoded = encode(finished, lossless=False)
    picture = Picture(encoded, "image/jpeg", *finished.size, *image.size, untouched=False)
    profile = _exchanged_primaries()
    to_srgb(finished, profile)
    ways: dict[str, Work] = {
        "header": lambda: open_image(data, name="photograph", max_pixels=max_pixels),
        "orientation": lambda: turn_needed(image),
        "decode": lambda: decode(data, wanted.drawn),
        "resize": lambda: finish(pixels, wanted, None, None),
        "encode": lambda: encode(finished, lossless=False),
        "base64": lambda: (picture.__dict__.pop("data_url", None), picture.data_url),
        "colour": lambda: to_srgb(finished, profile),
        "turn": lambda: finished.transpose(Transpose.ROTATE_90),
        "sha256": lambda: sha256(data).digest(),
    }
    return {name: each.cpu for name, each in side_by_side(ways, repetitions).items()}


def rates(ways: dict[str, Work], *, threads: int, pictures: int, rounds: int) -> dict[str, Rate]:
    """Each way in so many threads, `pictures` a round, interleaved."""
    taken: dict[str, list[Rate]] = {name: [] for name in ways}
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(rounds):
            for name, work in ways.items():
                wall, cpu = time.perf_counter(), time.process_time()
                for done in [pool.submit(work) for _ in range(pictures)]:
                    done.result()
                rate = pictures / (time.perf_counter() - wall)
                taken[name].append(Rate(rate, (time.process_time() - cpu) / pictures * 1e3))
    return {name: Rate(*map(median, zip(*each, strict=True))) for name, each in taken.items()}


def _exchanged_primaries() -> bytes:
    """sRGB's profile with red and blue exchanged: as much work as any camera's that is not sRGB."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"temp", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"temp", b"bXYZ", 1)
