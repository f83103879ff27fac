"""A strip keeps its shapes: it is padded, not stretched."""

from io import BytesIO

from PIL import Image, ImageDraw

from tests.images.image_samples import encode, prepare


def test_a_circle_on_a_strip_stays_a_circle() -> None:
    strip = Image.new("RGB", (1400, 40), "navy")
    ImageDraw.Draw(strip).ellipse((680, 0, 719, 39), fill="white")
    picture = prepare(encode(strip, "PNG"), name="strip", long_edge=768, max_pixels=4_000_000)
    seen = Image.open(BytesIO(picture.data)).convert("L").point(lambda level: 255 * (level > 130))
    box = seen.getbbox()
    assert box is not None
    assert abs((box[2] - box[0]) - (box[3] - box[1])) <= 1


def test_the_padding_continues_the_edges() -> None:
    strip = Image.new("RGB", (1400, 40), "orange")
    strip.paste("navy", (0, 20, 1400, 40))
    picture = prepare(encode(strip, "PNG"), name="strip", long_edge=768, max_pixels=4_000_000)
    seen = Image.open(BytesIO(picture.data)).convert("RGB")
    top, bottom = seen.getpixel((380, 0)), seen.getpixel((380, seen.height - 1))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert max(abs(have - want) for have, want in zip(top + bottom, (255, 165, 0, 0, 0, 128), strict=True)) <= 6
