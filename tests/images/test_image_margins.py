"""Margins: what is cut away is plain paper, at most half of each side, and once only."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from onelook.images.margins import KEPT, TOLERANCE, content_box
from onelook.images.original import Original
from onelook.settings.resolution import at_most

SIDES = st.integers(20, 120)
SHADES = st.integers(0, 255)


@st.composite
def pages(draw: st.DrawFn) -> Image.Image:
    """Paper of one colour with boxes of other colours on it, in the modes that preparation has."""
    mode = draw(st.sampled_from(["L", "RGB", "CMYK"]))
    bands = len(Image.new(mode, (1, 1)).getbands())
    colours: st.SearchStrategy[Any] = SHADES if bands == 1 else st.tuples(*[SHADES] * bands)
    page = Image.new(mode, (draw(SIDES), draw(SIDES)), draw(colours))
    pen = ImageDraw.Draw(page)
    for _ in range(draw(st.integers(0, 3))):
        left, top = draw(st.integers(0, page.width - 1)), draw(st.integers(0, page.height - 1))
        right, bottom = draw(st.integers(left, page.width - 1)), draw(st.integers(top, page.height - 1))
        pen.rectangle((left, top, right, bottom), fill=draw(colours))
    return page


@given(pages())
def test_only_paper_is_cut_away_and_half_of_each_side_is_kept(page: Image.Image) -> None:
    box = content_box(page)
    if box is None:
        return
    left, top, right, bottom = box
    assert 0 <= left < right <= page.width
    assert 0 <= top < bottom <= page.height
    assert right - left >= KEPT * page.width
    assert bottom - top >= KEPT * page.height
    pixels = np.array(page).reshape(page.height, page.width, -1)
    cut = np.ones((page.height, page.width), dtype=bool)
    cut[top:bottom, left:right] = False
    assert np.ptp(pixels[cut].astype(int), axis=0).max() <= 2 * TOLERANCE  # one colour: the paper's


@given(pages())
def test_nothing_is_cut_away_twice(page: Image.Image) -> None:
    box = content_box(page)
    if box is not None:
        assert content_box(page.crop(box)) is None


def page(width: int = 400, height: int = 600) -> Image.Image:
    """White, with lines of black words in the middle."""
    drawn = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(drawn)
    for top in range(120, 480, 30):
        pen.rectangle((80, top, 320, top + 12), fill="black")
    return drawn


@pytest.mark.parametrize("quality", [None, 60])
def test_a_page_loses_its_margins(quality: int | None) -> None:
    drawn = page()
    if quality is not None:
        stored = BytesIO()
        drawn.save(stored, "JPEG", quality=quality)
        drawn = Image.open(stored)
    box = content_box(drawn)
    assert box is not None
    left, top, right, bottom = box
    assert 60 <= left < 80
    assert 320 < right <= 340
    assert 100 <= top < 120
    assert 463 < bottom <= 483


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8))


def dot_on_a_page() -> Image.Image:
    drawn = Image.new("RGB", (400, 600), "white")
    drawn.paste("black", (200, 300, 204, 304))
    return drawn


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("L", (80, 60), 255),
        noise(),
        dot_on_a_page(),
        page().crop((75, 115, 325, 468)),
        Image.new("RGB", (1, 1)),
    ],
    ids=["an empty page", "no paper", "almost nothing on a page", "hardly a margin", "a pixel"],
)
def test_others_stay_whole(picture: Image.Image) -> None:
    assert content_box(picture) is None


def prepared(
    drawn: Image.Image, *, trim: bool, kind: str = "PNG", orientation: int = 1
) -> tuple[Original, Image.Image]:
    """A file of `drawn`, and what is sent of it, with a long edge of at most 560 pixels."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = BytesIO()
    drawn.save(stored, kind, exif=exif, quality=95)
    bounds = at_most(560)
    original = Original(stored.getvalue(), name="page", max_pixels=10**8, up_to=[bounds], grid=28, trim=trim)
    return original, original.picture(bounds).pixels()


def text(width: int = 1400, height: int = 1960) -> Image.Image:
    """A page of print in rows of short strokes, with wide margins."""
    drawn = Image.new("RGB", (width, height), "white")
    pen, dice = ImageDraw.Draw(drawn), np.random.default_rng(1)
    for top in range(height // 5, height * 4 // 5, 24):
        for left in range(width // 5, width * 4 // 5, 12):
            if dice.random() < 0.7:
                pen.rectangle((left, top, left + 5, top + 12), fill="black")
    return drawn


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_trimmed_page_shows_its_words_larger_in_as_many_pixels(kind: str, orientation: int) -> None:
    whole, sent_whole = prepared(text(), trim=False, kind=kind, orientation=orientation)
    trimmed, sent = prepared(text(), trim=True, kind=kind, orientation=orientation)
    assert max(sent.size) == max(sent_whole.size) == 560
    assert whole.picture(at_most(560)).trimmed == 0
    assert trimmed.picture(at_most(560)).trimmed == pytest.approx(1 - 0.62 * 0.61, abs=0.05)
    ink, ink_whole = (np.asarray(image.convert("L")) < 128 for image in (sent, sent_whole))
    assert ink.mean() > 2 * ink_whole.mean()
    assert sent.size == trimmed.size(at_most(560))


def test_a_photograph_on_white_keeps_its_margins() -> None:
    across, down = np.meshgrid(np.linspace(0, 1, 600), np.linspace(0, 1, 600))
    shade = 128 + 100 * np.sin(6 * across) * np.cos(5 * down)
    drawn = Image.new("RGB", (1000, 1000), "white")
    drawn.paste(Image.fromarray(np.stack([shade, shade[::-1], shade.T], axis=2).astype(np.uint8)), (200, 200))
    original, _ = prepared(drawn, trim=True)
    assert original.content == "photo"
    assert original.picture(at_most(560)).trimmed == 0


def test_a_page_without_margins_is_sent_as_it_came() -> None:
    drawn = text().crop((300, 400, 300 + 392, 400 + 560))
    original, _ = prepared(drawn, trim=True)
    assert original.picture(at_most(560)).untouched
