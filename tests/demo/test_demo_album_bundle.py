"""The held-out album of `make demo` and of every evaluation."""

from __future__ import annotations

from collections import Counter

import numpy as np
from PIL import Image

from onelook.lab.album import read_labels
from tools.demo_model import HELDOUT
from tools.demo_model.album.generate import draw, seeds
from tools.demo_model.album.truth import CATEGORIES

MOST_BYTES = 10_000_000


def test_240_held_out_pictures_of_every_category_in_ten_megabytes() -> None:
    album = read_labels(HELDOUT)

    assert [labelled.seed for labelled in album] == list(seeds("heldout", 240))
    assert set(Counter(labelled.truth.category for labelled in album)) == set(CATEGORIES)
    assert sum(file.stat().st_size for file in HELDOUT.iterdir()) <= MOST_BYTES


def test_the_generator_draws_the_bundled_pictures() -> None:
    for labelled in read_labels(HELDOUT)[:9]:
        assert labelled.seed is not None
        drawing = draw(labelled.seed)
        bundled = Image.open(labelled.path).convert("RGB")

        assert drawing.truth == labelled.truth
        assert drawing.image.size == bundled.size
        difference = np.asarray(drawing.image, np.float32) - np.asarray(bundled, np.float32)
        assert np.abs(difference).mean() < 8, labelled.path.name  # of 255: what JPEG costs a noisy picture
