"""A contact sheet: the drawings in rows of one height each, filled from edge to edge, with their truth below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from tools.demo_model.album.generate import Drawing
from tools.demo_model.album.palette import WHITE, Colour

WIDTH: Final = 1600
GAP: Final = 12
CAPTION: Final = 17
GREY: Colour = (90, 94, 102)


def contact_sheet(drawings: Sequence[Drawing], columns: int, *, captions: bool = True) -> Image.Image:
    """`columns` drawings a row on a white sheet WIDTH pixels wide, in the order given.

    A row is as high as its pictures need to fill the width uncropped; a last row that is not full is as high as the
    mean of the others at most.
    """
    rows = [drawings[start : start + columns] for start in range(0, len(drawings), columns)]
    heights = [_height(row) for row in rows]
    if len(rows) > 1 and len(rows[-1]) < columns:
        heights[-1] = min(heights[-1], sum(heights[:-1]) / len(heights[:-1]))
    foot = GAP + (CAPTION + 6 if captions else 0)
    sheet = Image.new("RGB", (WIDTH, GAP + sum(round(height) for height in heights) + foot * len(rows)), WHITE)
    pen, y = ImageDraw.Draw(sheet), GAP
    for row, height in zip(rows, heights, strict=True):
        x = float(GAP)
        for drawing in row:
            width = height * drawing.image.width / drawing.image.height
            small = drawing.image.resize((round(width), round(height)), Image.Resampling.LANCZOS)
            sheet.paste(small, (round(x), y))
            if captions:
                font = ImageFont.load_default(CAPTION - 3)
                pen.text((x, y + round(height) + 5), _fitting(_caption(drawing), font, width), fill=GREY, font=font)
            x += width + GAP
        y += round(height) + foot
    return sheet


def _height(row: Sequence[Drawing]) -> float:
    free = WIDTH - GAP * (len(row) + 1)
    return free / sum(drawing.image.width / drawing.image.height for drawing in row)


def _caption(drawing: Drawing) -> str:
    values = [" + ".join(options) for options in drawing.truth.details.values()]
    return ", ".join([drawing.truth.category, *values]).replace("_", " ")


def _fitting(words: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    """As much of the text as fits into the width."""
    if font.getlength(words) <= width:
        return words
    while words and font.getlength(words + "...") > width:
        words = words[:-1]
    return words.rstrip(" ,+") + "..."
