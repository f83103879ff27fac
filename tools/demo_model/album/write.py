"""Writes an album: pictures in several formats, and their labels in labels.jsonl."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from onelook.errors import UserError
from onelook.lab.album import LABELS
from tools.demo_model.album.generate import Drawing, Split, draw, seeds
from tools.demo_model.album.rng import Rng

QUALITY: Final = 82
LOSSLESS_PIXELS: Final = 480 * 360
"""Largest picture in a lossless format, in pixels. Larger and noisy ones would need too much space."""

_UNFINISHED = re.compile(r"(train|validation|heldout)-\d+\.(jpg|png|webp)|\.labels\.jsonl")


def write_album(folder: Path, split: Split, n: int, *, each: Callable[[Drawing], None] = lambda _: None) -> Path:
    """Draw the first `n` pictures of a split into `folder`, and return the path of its labels.jsonl.

    `each` is called with every drawing as soon as it is on disk. The labels are written last and atomically: a folder
    with labels is complete, and an interrupted one can be given again.

    Raises:
        UserError: the folder has a complete album or other files, or the split has fewer pictures.
    """
    numbers = seeds(split, n)
    _make_room(folder)
    lines = []
    for number, seed in enumerate(numbers, start=1):
        drawing = draw(seed)
        name = _save(drawing, folder, f"{split}-{number:04d}")
        line = {"file": name, **drawing.truth.model_dump(mode="json"), "seed": seed}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
        each(drawing)
    unfinished = folder / f".{LABELS}"
    unfinished.write_text("".join(lines), encoding="utf-8")
    return unfinished.replace(folder / LABELS)


def _make_room(folder: Path) -> None:
    hint = "name an empty or a new folder"
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is not a folder", hint=hint)
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(folder.iterdir()):
        if not _UNFINISHED.fullmatch(file.name):
            what = "an album" if file.name == LABELS else f"other files ({file.name})"
            raise UserError(f"{folder} already holds {what}", hint=hint)


def _save(drawing: Drawing, folder: Path, stem: str) -> str:
    """Save small pictures without noise mostly as PNG, others as JPEG or WebP. Returns the file's name."""
    rng, image = Rng(drawing.seed, 3), drawing.image
    clean = not {"noise", "jpeg"} & set(drawing.notes.augmentation)
    if clean and image.width * image.height <= LOSSLESS_PIXELS and rng.whether(0.7):
        image.save(folder / f"{stem}.png", optimize=True)
        return f"{stem}.png"
    if rng.whether(0.35):
        image.save(folder / f"{stem}.webp", quality=QUALITY)
        return f"{stem}.webp"
    image.save(folder / f"{stem}.jpg", quality=QUALITY, optimize=True)
    return f"{stem}.jpg"
