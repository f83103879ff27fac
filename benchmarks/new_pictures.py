"""The album's pictures with new grain each time, so that no cache has them."""

from __future__ import annotations

import io
from itertools import count
from random import Random
from secrets import randbits

import numpy as np
from PIL import Image

from onelook.lab.album import Labelled

GRAIN = 2  # of 255: invisible, but every digest differs
QUALITY = 95


class NewPictures:
    """JPEG files of album pictures, all different in this and in other runs."""

    def __init__(self) -> None:
        self._seeds = (Random(randbits(64)).getrandbits(64) + each for each in count())  # noqa: S311

    def __call__(self, labelled: Labelled, *, long_edge: int | None = None) -> bytes:
        """The picture, scaled to `long_edge` pixels (None: at most to the 768 that are sent by default)."""
        with Image.open(labelled.path) as opened:
            image = opened.convert("RGB")
        scale = (long_edge or min(768, max(image.size))) / max(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
        pixels = np.asarray(image, dtype=np.int16)
        grain = np.random.default_rng(next(self._seeds)).integers(-GRAIN, GRAIN, pixels.shape, endpoint=True)
        held = io.BytesIO()
        Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8)).save(held, "JPEG", quality=QUALITY)
        return held.getvalue()
