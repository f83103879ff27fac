"""A seed is a picture, whose truth is the taxonomy's."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onelook.errors import UserError
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS
from tools.demo_model.album import CATEGORIES, OPTIONS, Drawing, draw, seeds
from tools.demo_model.album.generate import LAST_SEED, Split
from tools.demo_model.album.truth import Category, truth_of

SPLITS: tuple[Split, ...] = ("train", "validation", "heldout")
any_seed = st.integers(min_value=0, max_value=LAST_SEED - 1)


def pixels(drawing: Drawing) -> str:
    return sha256(f"{drawing.image.size}".encode() + drawing.image.tobytes()).hexdigest()


def test_ids_are_those_of_the_default_taxonomy_in_its_order() -> None:
    taxonomy = load_taxonomy(PHOTOS)
    drawn = [(category, [*OPTIONS[category].items()]) for category in CATEGORIES]
    assert drawn == [
        (category, [(attribute, tuple(found.options)) for attribute, found in definition.details.items()])
        for category, definition in taxonomy.categories.items()
    ]


@given(any_seed, st.sampled_from(CATEGORIES))
def test_truth_answers_every_attribute_as_the_taxonomy_lets_it(seed: int, category: Category) -> None:
    definition = load_taxonomy(PHOTOS).categories[category]
    truth = truth_of(category, seed)
    assert [*truth.details] == [*definition.details]
    for attribute, chosen in truth.details.items():
        options = [*definition.details[attribute].options]
        assert list(chosen) == [option for option in options if option in chosen]
        assert definition.details[attribute].choose == "many" or len(chosen) == 1


@settings(max_examples=40)
@given(any_seed, st.sampled_from([None, *CATEGORIES]))
def test_every_seed_gives_a_picture_within_the_promised_sizes(seed: int, category: str | None) -> None:
    drawing = draw(seed, category=category)
    assert drawing.truth.category == (category or CATEGORIES[seed % len(CATEGORIES)])
    assert drawing.image.mode == "RGB"
    assert 224 <= max(drawing.image.size) <= 1024
    assert min(drawing.image.size) >= 159
    assert 9 / 16 * 0.99 <= drawing.image.width / drawing.image.height <= 16 / 9 * 1.01
    assert np.asarray(drawing.image).std() > 5, "nothing was drawn"


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_seed_gives_the_same_pixels_again(category: str) -> None:
    assert pixels(draw(20, category=category)) == pixels(draw(20, category=category))
    assert pixels(draw(20, category=category)) != pixels(draw(21, category=category))


def test_a_seed_gives_the_same_pixels_in_another_process() -> None:
    numbers = [*seeds("heldout", len(CATEGORIES))]
    program = (
        "from hashlib import sha256; from tools.demo_model.album import draw\n"
        f"for seed in {numbers}:\n"
        "    image = draw(seed).image\n"
        "    print(sha256(f'{image.size}'.encode() + image.tobytes()).hexdigest())"
    )
    for hash_seed in ("0", "1"):
        run = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.split() == [pixels(draw(seed)) for seed in numbers]


@pytest.mark.parametrize("category", CATEGORIES)
def test_another_size_shows_the_same_scene(category: str) -> None:
    for seed in range(6):
        small, large = draw(seed, category=category, long_side=224), draw(seed, category=category, long_side=448)
        assert max(small.image.size) == 224
        assert max(large.image.size) == 448
        assert small.truth == large.truth
        assert small.notes == large.notes
        shrunk = large.image.resize(small.image.size)
        difference = np.abs(np.asarray(shrunk, dtype=float) - np.asarray(small.image, dtype=float))
        assert difference.mean() < 16, f"seed {seed}"


def test_splits_share_no_seed() -> None:
    whole = [range(seeds(split, 0).start, seeds(split, 9_000_000).stop) for split in SPLITS]
    for one in whole:
        assert sum(one.start < other.stop and other.start < one.stop for other in whole) == 1


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_holds_each_category_equally_often(split: Split) -> None:
    counts = Counter(CATEGORIES[seed % len(CATEGORIES)] for seed in seeds(split, 10 * len(CATEGORIES)))
    assert counts == dict.fromkeys(CATEGORIES, 10)


@pytest.mark.parametrize("category", [category for category in CATEGORIES if OPTIONS[category]])
@pytest.mark.parametrize("split", SPLITS)
def test_options_of_an_attribute_are_about_equally_frequent(split: Split, category: Category) -> None:
    truths = [truth_of(category, seed) for seed in seeds(split, 2160) if CATEGORIES[seed % len(CATEGORIES)] == category]
    for attribute, options in OPTIONS[category].items():
        counts = Counter(option for truth in truths for option in truth.details[attribute])
        assert {*counts} == {*options}
        assert max(counts.values()) <= 2 * min(counts.values()), (attribute, counts)


@pytest.mark.parametrize("category", [category for category in CATEGORIES if OPTIONS[category]])
def test_the_bundled_pictures_hold_every_option(category: Category) -> None:
    truths = [
        truth_of(category, seed) for seed in seeds("heldout", 240) if CATEGORIES[seed % len(CATEGORIES)] == category
    ]
    for attribute, options in OPTIONS[category].items():
        counts = Counter(option for truth in truths for option in truth.details[attribute])
        assert all(counts[option] >= 3 for option in options), (attribute, counts)


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(UserError, match="no category 'robot'") as caught:
        draw(0, category="robot")
    assert "portrait" in (caught.value.hint or "")


def test_a_negative_seed_a_tiny_picture_and_too_many_seeds_are_refused() -> None:
    with pytest.raises(UserError, match="-1"):
        draw(-1)
    with pytest.raises(UserError, match="100 pixels"):
        draw(0, long_side=100)
    with pytest.raises(UserError, match="validation"):
        seeds("validation", 10**9)
