"""A file that needs no preparation is sent unchanged."""

import pytest
from PIL import Image

from onelook.errors import ImageUnreadable
from onelook.images.picture import Picture
from tests.images.image_samples import OTHER_COLOURS, SRGB, encode, prepare, quarters, sample


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def load(data: bytes, long_edge: int = 224) -> Picture:
    return prepare(data, name="picture", long_edge=long_edge, max_pixels=4_000_000)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        pytest.param(sample("JPEG", 224, 140), "image/jpeg", id="JPEG"),
        pytest.param(sample("PNG", 224, 140), "image/png", id="PNG"),
        pytest.param(sample("WEBP", 224, 140), "image/webp", id="WebP"),
        pytest.param(encode(quarters(140, 224).convert("L"), "PNG"), "image/png", id="grey"),
        pytest.param(encode(quarters(224, 224), "JPEG", exif=exif(1)), "image/jpeg", id="upright by EXIF"),
        pytest.param(encode(quarters(224, 224), "JPEG", icc_profile=SRGB), "image/jpeg", id="sRGB by profile"),
        pytest.param(encode(quarters(56, 56), "PNG"), "image/png", id="the smallest"),
    ],
)
def test_sent_unchanged(data: bytes, media_type: str) -> None:
    picture = load(data)
    assert picture.untouched
    assert picture.data is data
    assert picture.media_type == media_type


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(sample("JPEG", 225, 140), id="not a multiple of 28"),
        pytest.param(sample("JPEG", 252, 140), id="over the long edge"),
        pytest.param(sample("PNG", 28, 28), id="under the minimum"),
        pytest.param(encode(quarters(224, 224), "JPEG", exif=exif(3)), id="upside down"),
        pytest.param(encode(quarters(224, 224), "PNG", icc_profile=OTHER_COLOURS), id="other colours"),
        pytest.param(encode(quarters(224, 224).convert("RGBA"), "PNG"), id="alpha"),
        pytest.param(encode(quarters(224, 224).quantize(8), "PNG"), id="palette"),
        pytest.param(encode(quarters(224, 224).convert("CMYK"), "JPEG"), id="CMYK"),
        pytest.param(encode(quarters(224, 224).convert("L").convert("I;16"), "PNG"), id="16 bits"),
        pytest.param(sample("animated WEBP", 224, 224), id="animated WebP"),
        pytest.param(sample("animated PNG", 224, 224), id="animated PNG"),
        pytest.param(sample("MPO", 224, 224), id="two pictures in one file"),
        pytest.param(sample("BMP", 224, 224), id="BMP"),
        pytest.param(sample("HEIC", 224, 224), id="HEIC"),
        pytest.param(sample("JPEG", 224, 224) + bytes(1_000_000), id="mostly something else"),
    ],
)
def test_encoded_again(data: bytes) -> None:
    picture = load(data)
    assert not picture.untouched
    assert picture.media_type == "image/jpeg"
    assert load(picture.data).untouched


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_file_is_not_sent(kind: str) -> None:
    data = encode(Image.effect_noise((224, 224), 80), kind)
    assert load(data).untouched
    with pytest.raises(ImageUnreadable):
        load(data[:-500])
