"""Augmentation like that of a camera, a scanner and a messenger app: tone, blur, noise and JPEG artefacts."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from tools.demo_model.album.rng import Rng

SHARES: Final = {"tone": 0.6, "blur": 0.3, "noise": 0.45, "jpeg": 0.4}
"""Probability of each step, in this order."""

GENTLE: Final = 0.5
"""Factor of the strength for pictures with fine details."""


def augmented(image: Image.Image, rng: Rng, *, gentle: bool) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture after some of these steps, and their names in order. About one picture in ten is not changed.

    All choices are made before the noise, which needs as many random numbers as there are pixels, so a scene gets the
    same steps at every size.
    """
    strength = GENTLE if gentle else 1.0
    steps = tuple(step for step, share in SHARES.items() if rng.whether(share))
    lines = _tone_lines(rng, strength)
    blur = rng.between(0.0008, 0.0028) * strength * min(image.size)
    peak = rng.between(5, 24) * strength
    quality = rng.count(58, 92) if gentle else rng.count(30, 85)
    for step in steps:
        match step:
            case "tone":
                image = image.point(lines)
            case "blur":
                image = image.filter(ImageFilter.GaussianBlur(blur))
            case "noise":
                image = _noisy(image, rng, peak)
            case "jpeg":
                image = _through_jpeg(image, quality)
    return image, steps


def _tone_lines(rng: Rng, strength: float) -> list[int]:
    """Contrast, brightness and colour cast: a linear curve for each channel, as 3 x 256 values."""
    contrast = 1 + rng.between(-0.2, 0.12) * strength
    lift = rng.between(-14, 14) * strength
    lines: list[int] = []
    for _ in range(3):
        cast = rng.between(-9, 9) * strength
        lines += [min(255, max(0, round(128 + (value - 128) * contrast + lift + cast))) for value in range(256)]
    return lines


def _noisy(image: Image.Image, rng: Rng, peak: float) -> Image.Image:
    """Triangular noise up to `peak` of 255, the same in all channels."""
    width, height = image.size
    noise = (rng.field(height, width) - rng.field(height, width)) * np.float32(peak)
    grain = np.rint(noise).astype(np.int16)[:, :, None]
    return Image.fromarray(np.clip(np.asarray(image, dtype=np.int16) + grain, 0, 255).astype(np.uint8))


def _through_jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")
