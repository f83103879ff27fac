"""Detects the content of a picture, which determines its size: a photo, a page of text, or a diagram.

Seven features are measured on a thumbnail and compared with thresholds. The thresholds were chosen on drawings of the
demo album's training split and on other pages, screens, charts and photographs; `python -m benchmarks.content` prints
the confusion matrix on the held-out drawings, and the cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from onelook.types import Content

Levels = npt.NDArray[np.int16]

THUMBNAIL = 384  # long edge in pixels
BLOCK = 8  # pixels: about the height of a line of print on a thumbnail

LEVELS = 256
ALIKE = 12  # grey levels within which paper is one colour, because light is uneven
MARGIN = 40  # least difference of ink and paper, in grey levels
CROSSINGS = 24  # of the level halfway between ink and paper, in a block with more than one stroke
SMALLEST_PAPER = 0.2  # of the picture

WRITTEN, CRISP = 0.045, 0.4  # text: blocks with strokes on one paper, and edges as sharp as print
PAPER, TINT, COLOURS, STRAIGHT = (
    0.4,
    24,
    10,
    0.48,
)  # diagram: much plain paper, few colours, horizontal and vertical edges
DARK, LIGHT = 60, 190  # paper is not medium grey


@dataclass(frozen=True, slots=True)
class Signs:
    """Features that distinguish print, drawings and photographs; shares are from 0 to 1.

    `colours`: how many of 4096 cover 80 % of the picture. `paper`: share of its most common colour, whose grey level
    (0 to 255) is `level` and whose channels differ by `tint`. `written`: share of the blocks with several strokes, on
    paper of the same level. `crisp`: share of the strong edges among all: print changes from ink to paper
    at once, objects in photographs gradually. `straight`: share of the strong edges that are horizontal or vertical.
    """

    colours: int
    paper: float
    level: int
    tint: int
    written: float
    crisp: float
    straight: float


def detect(image: Image.Image) -> Content:
    """What `image`, of any size and in mode L, RGB or CMYK, seems to be. In doubt it is a photo, which is cheapest."""
    signs = measure(image)
    if signs.written >= WRITTEN and signs.crisp >= CRISP:
        return "text"
    plain = signs.paper >= PAPER and signs.tint <= TINT and not DARK < signs.level < LIGHT
    return "diagram" if plain and signs.colours <= COLOURS and signs.straight >= STRAIGHT else "photo"


def measure(image: Image.Image) -> Signs:
    """The features of `image`, in 2 to 4 ms at the size that is sent."""
    thumbnail = _thumbnail(image)
    channels = [np.asarray(channel).astype(np.int16) for channel in thumbnail.split()]
    grey = np.asarray(thumbnail.convert("L")).astype(np.int16)
    shares = _near(grey) / grey.size
    level = int(shares.argmax())
    on_level = np.abs(grey - level) <= ALIKE
    paper = [int(channel[on_level].mean()) for channel in channels]
    plain = [np.abs(channel - shade) <= 2 * ALIKE for channel, shade in zip(channels, paper, strict=True)]
    noise, written = _written(grey, shares)
    crisp, straight = _edges(grey, noise)
    return Signs(
        colours=_colours(*channels),
        paper=float(np.logical_and.reduce(plain).mean()),
        level=level,
        tint=max(paper) - min(paper),
        written=written,
        crisp=crisp,
        straight=straight,
    )


def _thumbnail(image: Image.Image) -> Image.Image:
    """RGB, with each side a whole number of blocks; not enlarged, except by rounding."""
    scale = min(1.0, THUMBNAIL / max(image.size))
    width, height = (max(1, round(side * scale / BLOCK)) * BLOCK for side in image.size)
    return image.resize((width, height), Image.Resampling.BOX, reducing_gap=1.0).convert("RGB")


def _near(levels: Levels) -> npt.NDArray[np.int64]:
    """Number of pixels with a grey level near 0, near 1, … near 255."""
    return np.convolve(np.bincount(levels.ravel(), minlength=LEVELS), np.ones(2 * ALIKE + 1, np.int64), "same")


def _colours(red: Levels, green: Levels, blue: Levels) -> int:
    counts = np.sort(np.bincount((red >> 4 << 8 | green >> 4 << 4 | blue >> 4).ravel()))[::-1]
    return int(np.searchsorted(np.cumsum(counts), 0.8 * counts.sum())) + 1


def _written(grey: Levels, shares: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The noise, in grey levels from pixel to pixel, and the share of the blocks with writing.

    In such a block, ink and paper differ much and alternate often. That is also true of grass and gravel, but their
    blocks do not agree on the level of the paper, and that level is not common elsewhere.
    """
    height, width = grey.shape
    blocks = grey.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    lightest, darkest = blocks.max(axis=(1, 3)), blocks.min(axis=(1, 3))
    noise = float(np.percentile(np.abs(np.diff(blocks, axis=3)).mean(axis=(1, 3)), 10))
    above = blocks > ((lightest + darkest) // 2)[:, None, :, None]
    crossings = (above[:, 1:] != above[:, :-1]).sum(axis=(1, 3)) + (above[:, :, :, 1:] != above[:, :, :, :-1]).sum(
        axis=(1, 3)
    )
    strokes = (lightest - darkest >= MARGIN + 6 * noise) & (crossings >= CROSSINGS)
    written = 0
    for papers in (lightest[strokes], darkest[strokes]):  # dark on light, or light on dark
        agreeing = _near(papers)
        level = int(agreeing.argmax())
        if shares[level] >= SMALLEST_PAPER:
            written = max(written, int(agreeing[level]))
    return noise, written / strokes.size


def _edges(grey: Levels, noise: float) -> tuple[float, float]:
    """Share of the strong edges among all, and of the horizontal or vertical ones among the strong."""
    across, down = np.abs(np.diff(grey, axis=1))[:-1], np.abs(np.diff(grey, axis=0))[:, :-1]
    steepest, other = np.maximum(across, down), np.minimum(across, down)
    strong = steepest >= 24 + 3 * noise
    if not strong.any():
        return 0.0, 0.0
    among_all = strong.sum() / (steepest >= 4 + 3 * noise).sum()
    return float(among_all), float((4 * other[strong] < steepest[strong]).mean())
