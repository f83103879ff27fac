"""The size grid of a model: a picture whose sides are multiples of it is not resampled by the model's processor.

The grid is the side of the square of pixels that becomes one image token: a patch of the vision encoder times how many
patches are merged. In this process it is read from the checkpoint's files. A server does not report it: there it
follows from the model's name, and otherwise from the image tokens that the server reports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

DEFAULT_GRID = 28
"""Of Qwen2-VL and Qwen2.5-VL, and a multiple of the 14 of many others."""

# Patch size x merged patches, from the configurations in Transformers (models/*/configuration_*.py). The first match
# counts.
FAMILIES: tuple[tuple[str, int], ...] = (
    (r"qwen3[-_.]?vl|qwen-?3\.[5-9]|qwen3[-_.]?omni", 32),  # 16 x 2
    (r"qwen-?2(\.5)?[-_.]?(vl|omni)|qvq|olmocr|ui-tars|mimo-vl|keye", 28),  # 14 x 2
    (r"glm-?4(\.\d)?v", 28),  # 14 x 2
    (r"kimi-vl|internvl", 28),  # 14 x 2
    (r"mistral-small-3\.[12]|ministral-3|magistral-small-25", 28),  # Pixtral's encoder, 14 x 2
    (r"gemma-?4", 48),  # 16 x 3
    (r"pixtral", 16),
    (r"llava-onevision|smolvlm|idefics|gemma-?3|llava|molmo|minicpm-v|llama-(3\.2|4)|phi-\d", 14),
)
CANDIDATES = (28, 32, 14, 16, 48)


def grid_of_name(*names: str | None) -> int | None:
    """The grid of the family that one of `names` belongs to: a served name, a folder or a Hugging Face id."""
    for name in names:
        for pattern, grid in FAMILIES:
            if name is not None and re.search(pattern, name.lower()):
                return grid
    return None


def grid_of_config(config: Mapping[str, Any], processor: Mapping[str, Any]) -> int | None:
    """The grid of a checkpoint with this config.json and preprocessor_config.json (or processor_config.json)."""
    vision = _mapping(config.get("vision_config"))
    image = {**processor, **_mapping(processor.get("image_processor"))}
    patch = _side(image.get("patch_size")) or _side(vision.get("patch_size"))
    if patch is None:
        return None
    merged = (
        _side(image.get("merge_size"))
        or _side(vision.get("spatial_merge_size"))
        or _side(config.get("spatial_merge_size"))
    )
    return patch * (merged or 1)


def image_tokens(width: int, height: int, grid: int) -> int:
    """How many tokens a model with this grid makes of a picture of `width` x `height` pixels that it does not resample.

    The sides are multiples of `grid`. Pixtral adds one token at the end of each row: see `seen_as_sent`.
    """
    return (width // grid) * (height // grid)


def seen_as_sent(sizes: Sequence[tuple[int, int]], grid: int, reported: int) -> bool:
    """Whether the image tokens that a server reports for pictures of these sizes, in pixels, are those expected: False
    if the server resampled them. Qwen3-VL enlarges pictures under 256 x 256 pixels, so test with larger ones."""
    expected = sum(image_tokens(*size, grid) for size in sizes)
    rows = sum(height // grid for _, height in sizes)
    return reported in (expected, expected + rows)


def grid_of_tokens(sizes: Sequence[tuple[int, int]], reported: int) -> int | None:
    """The grid with which a model makes `reported` tokens of pictures of these sizes, in pixels; None if none fits.

    Each side is rounded to the nearest multiple of the grid, as the processors of Qwen-VL models do.
    """
    for grid in CANDIDATES:
        rounded = [(round(width / grid) * grid, round(height / grid) * grid) for width, height in sizes]
        if seen_as_sent(rounded, grid, reported):
            return grid
    return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _side(value: object) -> int | None:
    """A size in a configuration: a number, a pair of equal numbers, or height and width."""
    if isinstance(value, Mapping):
        value = value.get("height")
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        value = value[0]
    return value if isinstance(value, int) and value > 0 else None
