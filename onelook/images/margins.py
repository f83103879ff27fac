"""The margins of a page or a screenshot: plain paper around the content, on which a model's tokens are spent."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageChops, ImageStat

from onelook.images.padding import Box

TOLERANCE: Final = 16
"""Levels, of 256, within which paper is one colour: JPEG and uneven light."""

PLAIN: Final = 0.98
"""Least share of each edge's pixels that have the paper's colour."""

KEPT: Final = 0.5
"""A side of which the content takes less than this is left as it is: a word on an empty page."""

AIR: Final = 0.02
"""Of the content's longer side, left around it, so that nothing touches the edge."""

WORTH: Final = 0.05
"""Least share of the area to cut away; below it a picture stays as it is."""


def content_box(image: Image.Image) -> Box | None:
    """The part of `image`, in mode L, RGB or CMYK, that is not margin; None if there is nothing worth cutting.

    What differs from the paper is never cut away, and at least half of each side is kept. Of the part, nothing is cut
    away again.
    """
    width, height = image.size
    edges = [(0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)]
    paper = tuple(ImageStat.Stat(image.crop(edges[0])).median)
    for edge in edges:
        levels = _distance(image.crop(edge), paper).histogram()
        if sum(levels[: TOLERANCE + 1]) < PLAIN * sum(levels):
            return None
    found = _distance(image, paper).point([0] * (TOLERANCE + 1) + [255] * (255 - TOLERANCE)).getbbox()
    if found is None:  # an empty page
        return None
    air = round(AIR * max(found[2] - found[0], found[3] - found[1]))
    left, right = _side(found[0] - air, found[2] + air, width)
    upper, lower = _side(found[1] - air, found[3] + air, height)
    cut = 1 - (right - left) * (lower - upper) / (width * height)
    return (left, upper, right, lower) if cut >= WORTH else None


def _distance(image: Image.Image, paper: tuple[int, ...]) -> Image.Image:
    """Mode L: how far each pixel is from `paper`, in levels of the channel that differs most."""
    plain = Image.new(image.mode, image.size, paper if len(paper) > 1 else paper[0])
    furthest, *others = ImageChops.difference(image, plain).split()
    for channel in others:
        furthest = ImageChops.lighter(furthest, channel)
    return furthest


def _side(start: int, end: int, length: int) -> tuple[int, int]:
    start, end = max(0, start), min(length, end)
    return (start, end) if end - start >= KEPT * length else (0, length)
