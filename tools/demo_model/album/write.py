"""Write an album: pictures in a mix of formats, and their truth in labels.jsonl."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from onelook.errors import UserError
from onelook.lab.album import LABELS
from tools.demo_model.album.chance import Chance
from tools.demo_model.album.generate import Drawing, Split, draw, seeds

QUALITY: Final = 82
LOSSLESS_PIXELS: Final = 480 * 360
"""Most pixels of a picture that is kept without loss; larger and noisy ones would swell the album."""

_UNFINISHED = re.compile(r"(train|validation|heldout)-\d+\.(jpg|png|webp)|\.labels\.jsonl")


def write_album(folder: Path, split: Split, n: int, *, each: Callable[[Drawing], None] = lambda _: None) -> Path:
    """Draw the first `n` pictures of a split into `folder`, and return the path of its labels.jsonl.

    `each` is called with every drawing as soon as it is on disk. The labels come last, in one piece: a folder that has
    them is whole, and one whose making was cut off can be given again.

    Raises:
        UserError: the folder holds a whole album, or files of something else; or the split has fewer pictures.
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
    hint = "choose an empty or a new folder"
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is not a folder", hint=hint)
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(folder.iterdir()):
        if not _UNFINISHED.fullmatch(file.name):
            what = "an album" if file.name == LABELS else f"other files ({file.name})"
            raise UserError(f"{folder} already holds {what}", hint=hint)


def _save(drawing: Drawing, folder: Path, stem: str) -> str:
    """Small and noiseless pictures mostly as PNG, others as JPEG or WebP. Returns the file's name."""
    chance, image = Chance(drawing.seed, 3), drawing.image
    clean = not {"noise", "jpeg"} & set(drawing.notes.weathering)
    if clean and image.width * image.height <= LOSSLESS_PIXELS and chance.whether(0.7):
        image.save(folder / f"{stem}.png", optimize=True)
        return f"{stem}.png"
    if chance.whether(0.35):
        image.save(folder / f"{stem}.webp", quality=QUALITY)
        return f"{stem}.webp"
    image.save(folder / f"{stem}.jpg", quality=QUALITY, optimize=True)
    return f"{stem}.jpg"
