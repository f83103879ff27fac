"""Where the album says that something can be told, it can be told."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tools.demo_model.album.generate import Drawing, draw
from tools.demo_model.album.truth import CATEGORIES

SEEDS = range(12)


def part(drawing: Drawing, attribute: str, option: str | None = None) -> list[Image.Image]:
    width, height = drawing.image.size
    return [
        drawing.image.crop((round(left * width), round(top * height), round(right * width), round(bottom * height)))
        for each in drawing.evidence
        if (each.attribute, each.option) == (attribute, option)
        for left, top, right, bottom in [each.box]
    ]


@pytest.mark.parametrize("category", CATEGORIES)
def test_evidence_is_inside_the_picture_and_of_its_truth(category: str) -> None:
    for seed in SEEDS:
        drawing = draw(seed, category=category, long_side=300)
        for each in drawing.evidence:
            left, top, right, bottom = each.box
            assert 0 <= left < right <= 1
            assert 0 <= top < bottom <= 1
            assert each.option is None or each.option in drawing.truth.details[each.attribute]


@pytest.mark.parametrize(("category", "attribute"), [("document", "contains"), ("diagram", "contains")])
def test_everything_that_a_page_or_chart_contains_has_its_place(category: str, attribute: str) -> None:
    for seed in SEEDS:
        drawing = draw(seed, category=category, long_side=300)
        shown = {each.option for each in drawing.evidence if each.attribute == attribute}
        assert shown == set(drawing.truth.details[attribute])


def test_a_stamp_has_coloured_ink() -> None:
    stamped = [
        stamp
        for seed in range(40)
        for stamp in part(draw(seed, category="document", long_side=500), "contains", "stamp")
    ]
    saturations = [np.asarray(stamp.convert("HSV"))[..., 1] for stamp in stamped]

    assert len(stamped) > 5
    assert all((saturation > 90).mean() > 0.1 for saturation in saturations)


def test_an_animal_picture_shows_as_many_as_it_tells_of() -> None:
    for seed in SEEDS:
        drawing = draw(seed, category="animal", long_side=300)
        alone = drawing.truth.details["count"] == ("one",)
        assert (len(part(drawing, "species")) == 1) == alone


def test_a_face_is_mostly_one_colour_with_dark_features() -> None:
    """A skin, eyes and a mouth: so is the middle of every face that a portrait points at."""
    for seed in SEEDS:
        for face in part(draw(seed, category="portrait", long_side=600), "mood"):
            middle = face.crop((face.width // 4, face.height // 4, 3 * face.width // 4, 3 * face.height // 4))
            grey = np.asarray(middle.convert("L"), dtype=float)
            assert grey.std() > 8
