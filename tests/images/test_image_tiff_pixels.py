"""Every combination of a TIFF's kinds of pixels is seen right, or refused with the reason."""

from __future__ import annotations

from itertools import product
from typing import Literal

import numpy as np
import pytest

from onelook.errors import ImageUnreadable
from onelook.images.original import Original
from onelook.settings.resolution import at_most
from tests.images.tiff_writer import FLOATS, Kind, shown, write_tiff

PHOTOMETRIC = (0, 1, 2, 3, 4, 5, 6, 9, 32803, 32844, 32845, 34892)
ORDERS: tuple[Literal["<", ">"], ...] = ("<", ">")
BITS = (1, 2, 4, 6, 8, 10, 12, 14, 16, 24, 32, 64)
KINDS = [
    Kind(photometric, bits, planar, sample_format, order, compression)
    for photometric, bits, planar, sample_format, order, compression in product(
        PHOTOMETRIC, BITS, (1, 2), (1, 2, 3, 4), ORDERS, (1, 8)
    )
    if (sample_format != 3 or bits in FLOATS) and (photometric != 3 or bits <= 16)
]
SEEN = {  # what common programs write
    Kind(photometric, bits, planar, 1, order, compression)
    for photometric, bits, planar in (
        *product((0, 1), (1, 2, 4, 8), (1,)),
        *((1, 16, 1), (2, 8, 1), (2, 8, 2), (2, 16, 1)),
        *product((3,), (1, 2, 4, 8), (1,)),
        *((5, 8, 1), (5, 8, 2), (5, 16, 1), (6, 8, 1)),
    )
    for order, compression in product(ORDERS, (1, 8))
    if (photometric, bits) != (0, 16)
} | {Kind(1, 32, 1, 3, "<", 1), Kind(1, 32, 1, 3, "<", 8), Kind(1, 32, 1, 3, ">", 1)}


def off_by(kind: Kind) -> float:
    """How far the worst pixel is from right, of 255, beyond the rounding to the file's bits."""
    bounds = at_most(224)
    original = Original(write_tiff(kind), name="a.tif", max_pixels=10**6, up_to=[bounds], grid=28)
    seen = np.asarray(original._pixels.convert("RGB")).astype(float)
    rounding = 0 if kind.sample_format == 3 else 127.5 / ((1 << min(kind.bits, 16)) - 1)
    if kind.photometric == 6:
        rounding = 4 * rounding  # of three channels
    return float(abs(seen - shown(kind)).max()) - rounding


@pytest.mark.parametrize("photometric", PHOTOMETRIC)
def test_all_kinds_of_pixels_are_seen_right_or_refused(photometric: int) -> None:
    wrong = {}
    for kind in (kind for kind in KINDS if kind.photometric == photometric):
        try:
            if (error := off_by(kind)) > 2:
                wrong[kind] = f"off by {error:.0f}"
            continue
        except ImageUnreadable as refused:
            if "which is not supported" not in refused.message:
                wrong[kind] = refused.message
        if kind in SEEN:
            wrong[kind] = "refused"
    assert wrong == {}


def test_float_colour_is_refused_by_what_it_is() -> None:
    with pytest.raises(ImageUnreadable) as caught:
        off_by(Kind(2, 32, 1, 3, "<", 1))
    assert caught.value.message == (
        "a.tif: a TIFF file with 3 channels of 32-bit float numbers (PhotometricInterpretation 2),"
        " which is not supported"
    )
    assert caught.value.hint == "save it as an ordinary PNG or JPEG"


def test_lab_in_separate_planes_is_refused() -> None:
    with pytest.raises(ImageUnreadable, match="separate planes, which is not supported"):
        off_by(Kind(8, 8, 2, 1, "<", 8))
