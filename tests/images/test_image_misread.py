"""Valid files that would be seen wrong are refused, with the reason."""

from pathlib import Path

import pytest

from onelook.errors import ImageUnreadable
from tests.images.image_samples import prepare

CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gif-first-frame-smaller.gif", "first frame"),
        ("png-16-bit-grey-transparent.png", "16 bits"),
        ("tiff-palette-of-8-bit-numbers.tif", "colour map"),
        ("tiff-16-bit-planar.tif", "separate planes"),
        ("tiff-16-bit-white-is-zero.tif", "inverted grey"),
    ],
)
def test_what_would_be_seen_wrong_is_refused(name: str, reason: str) -> None:
    with pytest.raises(ImageUnreadable, match=reason) as caught:
        prepare((CASES / name).read_bytes(), name=name, long_edge=224, max_pixels=4_000_000)
    assert "not supported" in caught.value.message
