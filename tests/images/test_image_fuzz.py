"""Any bytes are a picture or raise an ImageError, never another exception."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from onelook.errors import ImageError
from onelook.images.formats import SIGNATURES
from tests.images.image_samples import KINDS, encode, prepare, quarters, sample

# Under pytest's `error` filter Pillow's remarks on broken files would be exceptions; users' programs ignore them.
pytestmark = pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")

MAX_PIXELS = 1_000_000

VARIANTS = {
    "CMYK JPEG": ("JPEG", "CMYK", {}),
    "palette PNG": ("PNG", "P", {}),
    "16-bit PNG": ("PNG", "I;16", {}),
    "float TIFF": ("TIFF", "F", {}),
    "fax TIFF": ("TIFF", "1", {"compression": "group4"}),
    "deflate TIFF": ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}),
    "palette BMP": ("BMP", "P", {}),
    "alpha WebP": ("WEBP", "RGBA", {}),
    "alpha AVIF": ("AVIF", "RGBA", {}),
}


@cache
def real_file(name: str) -> bytes:
    if name not in VARIANTS:
        return sample(name, 60, 45)
    kind, mode, options = VARIANTS[name]
    image = quarters(60, 45)
    return encode(image.convert("L").convert(mode) if mode in ("I;16", "F") else image.convert(mode), kind, **options)


def a_picture_or_an_image_error(data: bytes) -> None:
    try:
        picture = prepare(data, name="fuzz", long_edge=224, max_pixels=MAX_PIXELS)
    except ImageError:
        return
    assert max(picture.width, picture.height) <= 224
    assert picture.source_width * picture.source_height <= MAX_PIXELS


@given(st.binary(max_size=2000))
def test_random_bytes(data: bytes) -> None:
    a_picture_or_an_image_error(data)


@given(st.sampled_from([signature for signature, _ in SIGNATURES]), st.binary(max_size=2000))
def test_random_bytes_behind_a_signature(signature: bytes, data: bytes) -> None:
    a_picture_or_an_image_error(signature + data)


POSITIONS = st.one_of(st.floats(0, 1), st.floats(0, 0.05))  # headers are where decoders go wrong
PATCHES = st.one_of(
    st.binary(min_size=1, max_size=8),
    st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\1", b"\1\0\0\0"]),
)
EDITS = st.lists(st.tuples(st.sampled_from(["replace", "insert", "delete", "cut"]), POSITIONS, PATCHES), max_size=6)


@settings(max_examples=1000)
@given(st.sampled_from([*KINDS, *VARIANTS]), EDITS)
def test_real_files_with_damage(name: str, edits: list[tuple[str, float, bytes]]) -> None:
    data = bytearray(real_file(name))
    for edit, position, patch in edits:
        at = int(position * len(data))
        match edit:
            case "replace":
                data[at : at + len(patch)] = patch
            case "insert":
                data[at:at] = patch
            case "delete":
                del data[at : at + len(patch)]
            case _:
                del data[at + 1 :]
    a_picture_or_an_image_error(bytes(data))


def test_a_gif_frame_larger_than_its_screen() -> None:
    data = bytearray(encode(Image.new("P", (10, 10)), "GIF"))
    at = data.index(b"\x2c")  # the image descriptor: left, top, width, height
    data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    a_picture_or_an_image_error(bytes(data))
