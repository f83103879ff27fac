"""A white drawing on transparency stays visible."""

from io import BytesIO

from PIL import Image

from tests.images.image_samples import encode, prepare


def test_a_white_drawing_is_laid_on_a_dark_background() -> None:
    drawing = Image.new("RGBA", (224, 224), (255, 255, 255, 0))
    drawing.paste((255, 255, 255, 255), (84, 84, 140, 140))
    picture = prepare(encode(drawing, "PNG"), name="logo", long_edge=224, max_pixels=4_000_000)
    low, high = Image.open(BytesIO(picture.data)).convert("L").getextrema()
    assert isinstance(low, int)
    assert low < 80
    assert high == 255
