"""The detected content of the album's drawings and of other pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from benchmarks.prepare import photograph
from onelook.images.content import detect
from onelook.types import Content
from tools.demo_model.album.generate import draw, seeds

WORDS = "the quick brown fox jumps over the lazy dog and then sits down to read a long letter from home " * 2


def page(paper: str, ink: str, *, size: int = 20, width: int = 900, height: int = 1200) -> Image.Image:
    """Paragraphs of print, `size` pixels high."""
    image = Image.new("RGB", (width, height), paper)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for line, y in enumerate(range(2 * size, height - 2 * size, round(1.5 * size))):
        if line % 9 != 8:
            start = line * 5 % 60
            pen.text((2 * size, y), WORDS[start : start + int((width - 4 * size) / size * 1.9)], fill=ink, font=font)
    return image


def chart(paper: str, ink: str) -> Image.Image:
    image = Image.new("RGB", (1000, 700), paper)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(20)
    pen.line((100, 60, 100, 600, 950, 600), fill=ink, width=3)
    for bar in range(8):
        left, top = 150 + bar * 100, 150 + bar * 211 % 400
        pen.rectangle((left, top, left + 60, 600), fill=("teal", "orange", "crimson")[bar % 3])
        pen.text((left, 612), f"Q{bar}", fill=ink, font=font)
    pen.text((380, 15), "Revenue by quarter", fill=ink, font=font)
    return image


def scene(width: int, height: int, seed: int) -> Image.Image:
    return Image.open(BytesIO(photograph(width, height, seed=seed)))


def page_on_a_desk(degrees: float) -> Image.Image:
    """A rotated page on a textured background, covering a third of the picture."""
    desk = scene(1600, 1200, seed=9).convert("RGB").point(lambda value: value * 2 // 3)
    sheet = page("#eeece6", "#1e1e1e").resize((675, 900)).convert("RGBA")
    sheet = sheet.rotate(degrees, expand=True, resample=Image.Resampling.BICUBIC)
    desk.paste(sheet, (400, 100), sheet)
    return desk


OTHERS: dict[str, tuple[Content, Callable[[], Image.Image]]] = {
    "page": ("text", lambda: page("white", "black")),
    "yellowed page": ("text", lambda: page("#f4ecd6", "#3c281e")),
    "small print": ("text", lambda: page("white", "black", size=10)),
    "editor with a dark background": ("text", lambda: page("#1e1e1e", "#c8d2b4", width=1280, height=800)),
    "page at an angle": ("text", lambda: page_on_a_desk(7)),
    "page at a steep angle": ("text", lambda: page_on_a_desk(25)),
    "chart": ("diagram", lambda: chart("white", "black")),
    "chart with a dark background": ("diagram", lambda: chart("#191c23", "white")),
    "grey chart": ("diagram", lambda: chart("white", "black").convert("L")),
    "linear gradient": ("photo", lambda: Image.linear_gradient("L").resize((800, 600))),
    "radial gradient": ("photo", lambda: Image.radial_gradient("L")),
    "grey noise": ("photo", lambda: Image.effect_noise((640, 480), 80)),
    "mandelbrot": ("photo", lambda: Image.effect_mandelbrot((640, 480), (-2, -1.5, 1, 1.5), 100)),
    "one colour": ("photo", lambda: Image.new("RGB", (640, 480), "teal")),
    "scene": ("photo", lambda: scene(1600, 1200, seed=7)),
    "small scene": ("photo", lambda: scene(500, 375, seed=4)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_pictures(name: str) -> None:
    content, make = OTHERS[name]
    assert detect(make()) == content


def test_the_album() -> None:
    """Held-out drawings, on which the thresholds were not chosen: most of each kind are right."""
    kinds: dict[str, Content] = {"document": "text", "diagram": "diagram"}
    right, of = Counter[str](), Counter[str]()
    for seed in seeds("validation", 90):
        drawing = draw(seed)
        kind = kinds.get(drawing.truth.category, "photo")
        of[kind] += 1
        right[kind] += detect(drawing.image) == kind
    assert all(right[kind] >= 0.8 * of[kind] for kind in of), (right, of)


@given(st.integers(1, 700), st.integers(1, 700), st.sampled_from(["L", "RGB", "CMYK"]))
def test_any_size_and_mode(width: int, height: int, mode: str) -> None:
    assert detect(Image.new(mode, (width, height), "teal" if mode != "CMYK" else 0)) in ("photo", "diagram")
