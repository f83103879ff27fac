"""The drawings for training: drawn once, at the size of the model's input, and stored in few files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

from onelook.types import Answer
from tools.demo_model.album.evidence import Evidence
from tools.demo_model.album.generate import draw
from tools.demo_model.album.truth import CATEGORIES, truth_of
from tools.demo_model.train.tower import SIDE

SHARD = 450
JPEG_QUALITY = 95  # as onelook encodes drawings: images/original.py


@dataclass(frozen=True, slots=True)
class Pictures:
    """Encoded pictures, their seeds, and the evidence of their details. The true labels follow from the seed."""

    seeds: NDArray[np.int64]
    files: list[bytes]
    evidence: list[tuple[Evidence, ...]]

    def __len__(self) -> int:
        return len(self.files)

    def image(self, index: int) -> Image.Image:
        return Image.open(BytesIO(self.files[index])).convert("RGB")

    def size(self, index: int) -> tuple[int, int]:
        """Width and height in pixels."""
        return Image.open(BytesIO(self.files[index])).size

    def truth(self, index: int) -> Answer:
        seed = int(self.seeds[index])
        return truth_of(CATEGORIES[seed % len(CATEGORIES)], seed)


def every(seed: int) -> bool:
    """Keeps all seeds."""
    return True


@dataclass(frozen=True, slots=True)
class Size:
    """A folder for drawings of at most `max_pixels`. `keep`: which seeds are stored there."""

    folder: Path
    max_pixels: int
    keep: Callable[[int], bool] = every


def draw_pictures(sizes: Sequence[Size], numbers: range, *, workers: int = 1) -> Iterator[int]:
    """Draw the pictures with these seeds, each once for all `sizes`, and yield the number of finished seeds.

    Shards of an earlier call are kept; a shard is written atomically.
    """
    for size in sizes:
        size.folder.mkdir(parents=True, exist_ok=True)
    wanted = [(shard, [size for size in sizes if not _file(size, shard).is_file()]) for shard in _shards(numbers)]
    missing = [(shard, lacking) for shard, lacking in wanted if lacking]
    done = len(numbers) - sum(len(shard) for shard, _ in missing)
    yield done
    with ProcessPoolExecutor(workers) as pool:
        for count in pool.map(_draw_shard, *zip(*missing, strict=True)) if missing else ():
            done += count
            yield done


def load_pictures(size: Size, numbers: range) -> Pictures:
    """The drawings of `draw_pictures` with these seeds at this size, in order."""
    kept, files, evidence = [], [], []
    for shard in _shards(numbers):
        with np.load(_file(size, shard)) as stored:
            data = stored["data"].tobytes()
            starts = [0, *stored["ends"][:-1]]
            files += [data[start:end] for start, end in zip(starts, stored["ends"], strict=True)]
            kept.append(stored["seeds"])
            evidence += [
                tuple(Evidence(attribute, option, tuple(box)) for attribute, option, box in each)
                for each in json.loads(stored["evidence"].tobytes())
            ]
    return Pictures(np.concatenate(kept), files, evidence)


def _shards(numbers: range) -> Iterator[range]:
    for start in range(0, len(numbers), SHARD):
        yield numbers[start : start + SHARD]


def _file(size: Size, shard: range) -> Path:
    return size.folder / f"{shard[0]}-{len(shard)}-{size.max_pixels}.npz"


def _draw_shard(shard: range, sizes: Sequence[Size]) -> int:
    drawings = {seed: draw(seed) for seed in shard if any(size.keep(seed) for size in sizes)}
    for size in sizes:
        kept = {seed: drawing for seed, drawing in drawings.items() if size.keep(seed)}
        files = [_encoded(drawing.image, size.max_pixels) for drawing in kept.values()]
        evidence = [[astuple(each) for each in drawing.evidence] for drawing in kept.values()]
        unfinished = size.folder / f".{os.getpid()}.npz"
        np.savez(
            unfinished,
            data=np.frombuffer(b"".join(files), np.uint8),
            ends=np.cumsum([len(data) for data in files]),
            seeds=np.array([*kept]),
            evidence=np.frombuffer(json.dumps(evidence).encode(), np.uint8),
        )
        unfinished.rename(_file(size, shard))
    return len(shard)


def _encoded(image: Image.Image, max_pixels: int) -> bytes:
    encoded = BytesIO()
    scaled(image, max_pixels).save(encoded, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    return encoded.getvalue()


def scaled(image: Image.Image, max_pixels: int) -> Image.Image:
    """The picture at the size of the checkpoint's processor: multiples of 28, at most `max_pixels`."""
    height, width = smart_resize(image.height, image.width, min_pixels=SIDE**2, max_pixels=max_pixels)
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)


def grid(aspect: float, tokens: int) -> tuple[int, int]:
    """Columns and rows of a picture with this aspect ratio and at most, but about, `tokens` image tokens."""
    height = round(1000 * (tokens / aspect) ** 0.5)  # large, so that max_pixels is the limit
    rows, columns = smart_resize(height, round(height * aspect), min_pixels=SIDE**2, max_pixels=tokens * SIDE**2)
    return columns // SIDE, rows // SIDE
