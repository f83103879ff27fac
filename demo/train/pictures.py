"""The album's drawings as training wants them: drawn once, at the size that the model sees, kept in few files."""

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

from demo.album.evidence import Evidence
from demo.album.generate import Split, draw, seeds
from demo.album.truth import CATEGORIES, truth_of
from demo.train.tower import SIDE
from graph.schema import Answer

SHARD = 450
JPEG_QUALITY = 95  # what onelook itself sends for a drawing: images/original.py


@dataclass(frozen=True, slots=True)
class Pictures:
    """Encoded pictures, the seeds that drew them, and where their details can be told. The truth follows from the
    seed."""

    seeds: NDArray[np.int64]
    files: list[bytes]
    evidence: list[tuple[Evidence, ...]]

    def __len__(self) -> int:
        return len(self.files)

    def image(self, index: int) -> Image.Image:
        return Image.open(BytesIO(self.files[index])).convert("RGB")

    def aspect(self, index: int) -> float:
        """Width by height."""
        width, height = Image.open(BytesIO(self.files[index])).size
        return width / height

    def truth(self, index: int) -> Answer:
        seed = int(self.seeds[index])
        return truth_of(CATEGORIES[seed % len(CATEGORIES)], seed)


def every(seed: int) -> bool:
    """Keeps all."""
    return True


def draw_pictures(
    folder: Path,
    split: Split,
    n: int,
    *,
    max_pixels: int,
    workers: int = 1,
    keep: Callable[[int], bool] = every,
) -> Iterator[int]:
    """Draw those of the first `n` pictures of a split whose seeds are to `keep`, at most `max_pixels` each, and yield
    how many are there as they come.

    What an earlier call has drawn into `folder` is kept; a shard appears only when it is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = [(file, [*filter(keep, numbers)]) for file, numbers in _shards(folder, split, n, max_pixels)]
    missing = [(file, numbers) for file, numbers in shards if not file.is_file()]
    done = sum(len(numbers) for file, numbers in shards if file.is_file())
    yield done
    with ProcessPoolExecutor(workers) as pool:
        for count in pool.map(_draw_shard, *zip(*missing, strict=True), [max_pixels] * len(missing)) if missing else ():
            done += count
            yield done


def load_pictures(folder: Path, split: Split, n: int, *, max_pixels: int) -> Pictures:
    """What `draw_pictures` with the same arguments has drawn, in the order of the seeds."""
    numbers, files, evidence = [], [], []
    for file, _ in _shards(folder, split, n, max_pixels):
        with np.load(file) as shard:
            data = shard["data"].tobytes()
            starts = [0, *shard["ends"][:-1]]
            files += [data[start:end] for start, end in zip(starts, shard["ends"], strict=True)]
            numbers.append(shard["seeds"])
            evidence += [
                tuple(Evidence(attribute, option, tuple(box)) for attribute, option, box in each)
                for each in json.loads(shard["evidence"].tobytes())
            ]
    return Pictures(np.concatenate(numbers), files, evidence)


def _shards(folder: Path, split: Split, n: int, max_pixels: int) -> Iterator[tuple[Path, range]]:
    wanted = seeds(split, n)
    for start in range(0, n, SHARD):
        numbers = wanted[start : start + SHARD]
        yield folder / f"{split}-{numbers[0]}-{len(numbers)}-{max_pixels}.npz", numbers


def _draw_shard(file: Path, numbers: Sequence[int], max_pixels: int) -> int:
    files, evidence = [], []
    for seed in numbers:
        drawing = draw(seed)
        files.append(_encoded(drawing.image, max_pixels))
        evidence.append([astuple(each) for each in drawing.evidence])
    unfinished = file.with_name(f".{os.getpid()}.npz")
    np.savez(
        unfinished,
        data=np.frombuffer(b"".join(files), np.uint8),
        ends=np.cumsum([len(data) for data in files]),
        seeds=np.array(numbers),
        evidence=np.frombuffer(json.dumps(evidence).encode(), np.uint8),
    )
    unfinished.rename(file)
    return len(numbers)


def _encoded(image: Image.Image, max_pixels: int) -> bytes:
    encoded = BytesIO()
    scaled(image, max_pixels).save(encoded, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    return encoded.getvalue()


def scaled(image: Image.Image, max_pixels: int) -> Image.Image:
    """The picture at the size to which the checkpoint's processor brings it: multiples of 28, at most `max_pixels`."""
    height, width = smart_resize(image.height, image.width, min_pixels=SIDE**2, max_pixels=max_pixels)
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)


def grid(aspect: float, tokens: int) -> tuple[int, int]:
    """Columns and rows of a picture of this width by height that has about `tokens` image tokens, and not more."""
    height = round(1000 * (tokens / aspect) ** 0.5)  # large, so that only the limit decides
    rows, columns = smart_resize(height, round(height * aspect), min_pixels=SIDE**2, max_pixels=tokens * SIDE**2)
    return columns // SIDE, rows // SIDE
