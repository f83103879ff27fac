"""Training computes the same as the model in Transformers, and an interrupted run resumes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor, nn
from transformers import AutoModelForImageTextToText, Qwen2Tokenizer
from transformers.models.pixtral.image_processing_pil_pixtral import PixtralImageProcessorPil

from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS
from onelook.types import Language
from tools.demo_model.album.evidence import Box, Evidence
from tools.demo_model.album.generate import draw, seeds
from tools.demo_model.album.truth import CATEGORIES
from tools.demo_model.tiny import tiny_config, train_tokenizer
from tools.demo_model.tiny_specialist import BREAK, END, IMAGE, LONG_EDGE, PATCH, specialist_tokenizer
from tools.demo_model.train.attention import GROUPED_BF16
from tools.demo_model.train.batches import Batches, augmented
from tools.demo_model.train.loop import Plan, train
from tools.demo_model.train.pictures import Size, draw_pictures, grid, load_pictures
from tools.demo_model.train.pixtral_tower import encode_patches, transfer_tower
from tools.demo_model.train.prompt_sampler import FAMILIES, Family, PromptSampler, tokenizer_texts
from tools.demo_model.train.sft import TOKENS_A_PICTURE, reply_loss
from tools.demo_model.train.siglip import matching_loss
from tools.demo_model.train.specialist import SpecialistWithHeads, with_row_ends
from tools.demo_model.train.tower import PROCESSOR, SIDE, encode
from tools.demo_model.train.vision_pretrain import (
    Heads,
    Hit,
    accuracies,
    covered,
    localization_loss,
    loss_and_hits,
    slots,
)

ROWS, COLUMNS = 6, 9


@pytest.fixture(scope="module")
def prompts() -> dict[Language, Prompts]:
    taxonomy = load_taxonomy(PHOTOS)
    return {language: Prompts(taxonomy, language) for language in taxonomy.languages}


@pytest.fixture(scope="module")
def tokenizer(prompts: Mapping[Language, Prompts]) -> Qwen2Tokenizer:
    return train_tokenizer(tokenizer_texts(prompts.values()), 2048)


@pytest.fixture(scope="module")
def model(tokenizer: Qwen2Tokenizer) -> Any:
    torch.manual_seed(0)
    return AutoModelForImageTextToText.from_config(tiny_config(tokenizer), dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    return [draw(seed).image.resize((COLUMNS * SIDE, ROWS * SIDE)) for seed in seeds("train", 3)]


def pixels(images: list[Image.Image]) -> Any:
    """The output of Transformers' own processor for pictures that it does not scale."""
    processor = type(PROCESSOR)(min_pixels=SIDE**2, max_pixels=1024 * SIDE**2)
    return processor(images, return_tensors="pt")


def test_the_batched_tower_computes_the_same_as_transformers(model: Any, images: list[Image.Image]) -> None:
    inputs = pixels(images)
    with torch.no_grad():
        expected = model.model.visual(inputs["pixel_values"], inputs["image_grid_thw"]).pooler_output
        actual = encode(model.model.visual, images, attention=torch.float32).flatten(0, 1)

    torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_packed_targets_have_the_loss_of_separate_ones(
    family: Family,
    model: Any,
    images: list[Image.Image],
    prompts: Mapping[Language, Prompts],
    tokenizer: Qwen2Tokenizer,
) -> None:
    truths = [draw(seed).truth for seed in seeds("train", 3)]
    if family == "legacy_details":
        truths, images = truths[:1], images[:1]
    example = PromptSampler(prompts, tokenizer).example(family, "zh", truths, random.Random(0))  # noqa: S311
    image_token = model.config.image_token_id
    with torch.no_grad():
        seen = encode(model.model.visual, images, attention=torch.float32)
        packed, right = reply_loss(model, seen, ROWS, example)
        alone = 0.0
        for image, targets in zip(images, example.targets, strict=True):
            inputs = pixels([image])
            for target in targets:
                ids = torch.tensor(
                    [[*example.before, *[image_token] * (ROWS * COLUMNS), *target.question, *target.reply]]
                )
                labels = ids.clone()
                labels[0, : -len(target.reply)] = -100
                loss = model(input_ids=ids, labels=labels, mm_token_type_ids=(ids == image_token).int(), **inputs).loss
                alone += loss.item() * len(target.reply)

    assert packed.item() == pytest.approx(alone / (len(images) * TOKENS_A_PICTURE), rel=1e-4)
    assert len(right) == sum(map(len, example.targets))


def test_attention_in_bfloat16_computes_the_same_as_transformers(
    model: Any, images: list[Image.Image], prompts: Mapping[Language, Prompts], tokenizer: Qwen2Tokenizer
) -> None:
    truths = [draw(seed).truth for seed in seeds("train", 3)]
    example = PromptSampler(prompts, tokenizer).example("guided", "zh", truths, random.Random(0))  # noqa: S311
    with torch.no_grad():
        seen = encode(model.model.visual, images, attention=torch.float32)
        expected, _ = reply_loss(model, seen, ROWS, example)
        usual = model.config.get_text_config()._attn_implementation
        model.set_attn_implementation({"text_config": GROUPED_BF16})
        actual, _ = reply_loss(model, seen, ROWS, example)
        model.set_attn_implementation({"text_config": usual})

    assert usual != GROUPED_BF16
    assert actual.item() == pytest.approx(expected.item(), rel=0.01)


@pytest.fixture(scope="module")
def specialist(prompts: Mapping[Language, Prompts], tokenizer: Qwen2Tokenizer) -> SpecialistWithHeads:
    return SpecialistWithHeads(prompts, specialist_tokenizer(tokenizer), 0).eval()


@pytest.fixture(scope="module")
def pages() -> list[Image.Image]:
    return [draw(seed, category="document").image.resize((7 * PATCH, 9 * PATCH)) for seed in seeds("train", 2)]


def pixtral_pixels(images: list[Image.Image]) -> Any:
    processor = PixtralImageProcessorPil(size={"longest_edge": LONG_EDGE}, patch_size={"height": PATCH, "width": PATCH})
    return processor(images, return_tensors="pt")


def test_the_specialists_batched_tower_computes_the_same_as_transformers(
    specialist: SpecialistWithHeads, pages: list[Image.Image]
) -> None:
    with torch.no_grad():
        expected = specialist.network.model.get_image_features(**pixtral_pixels(pages)).pooler_output
        actual = encode_patches(specialist.network, pages, attention=torch.float32)

    torch.testing.assert_close(actual, torch.stack(list(expected)), atol=1e-4, rtol=1e-4)


def test_the_specialists_packed_targets_have_the_loss_of_separate_ones(
    specialist: SpecialistWithHeads,
    pages: list[Image.Image],
    prompts: Mapping[Language, Prompts],
    tokenizer: Qwen2Tokenizer,
) -> None:
    own = specialist_tokenizer(tokenizer)
    truths = [draw(seed, category="document").truth for seed in seeds("train", 2)]
    example = PromptSampler(prompts, own).example("guided", "en", truths, random.Random(0))  # noqa: S311
    picture, row_end, end = (own.convert_tokens_to_ids(each) for each in (IMAGE, BREAK, END))
    picture_ids = [*[*[picture] * 7, row_end] * 8, *[picture] * 7, end]
    with torch.no_grad():
        seen = encode_patches(specialist.network, pages, attention=torch.float32)
        packed, _ = reply_loss(specialist.network, with_row_ends(specialist, seen, 9), 9, example)
        alone = 0.0
        for page, targets in zip(pages, example.targets, strict=True):
            for target in targets:
                ids = torch.tensor([[*example.before, *picture_ids, *target.question, *target.reply]])
                labels = ids.clone()
                labels[0, : -len(target.reply)] = -100
                loss = specialist.network(input_ids=ids, labels=labels, **pixtral_pixels([page])).loss
                alone += loss.item() * len(target.reply)

    assert packed.item() == pytest.approx(alone / (len(pages) * TOKENS_A_PICTURE), rel=1e-4)


def test_the_specialist_starts_from_the_demo_models_vision_tower(
    specialist: SpecialistWithHeads, model: Any, pages: list[Image.Image]
) -> None:
    transfer_tower(specialist.network, model.model.visual, pages)

    tower: Any = specialist.network.model.vision_tower
    torch.testing.assert_close(
        tower.transformer.layers[2].feed_forward.up_proj.weight, model.model.visual.blocks[2].mlp.up_proj.weight
    )
    flat = torch.ones(1, 3, PATCH, PATCH)
    donor = model.model.visual.patch_embed.proj.weight.sum(2)
    torch.testing.assert_close(tower.patch_conv(flat)[0, :, 0, 0], donor.sum((1, 2, 3)), atol=0.1, rtol=0.1)


@pytest.mark.parametrize(
    ("box", "tokens"),
    [
        ((0, 0, 1, 1), {0, 1, 2, 3, 4, 5}),
        ((0, 0, 1 / 3, 0.5), {0}),
        ((0.4, 0.6, 0.5, 0.7), {4}),
        ((0.3, 0, 0.36, 0.4), {0, 1}),
    ],
)
def test_evidence_covers_tokens(box: Box, tokens: set[int]) -> None:
    """Two rows of three tokens."""
    assert set(np.flatnonzero(covered(box, 2, 3))) == tokens


def test_attention_away_from_the_evidence_has_a_higher_loss(prompts: Mapping[Language, Prompts]) -> None:
    heads = Heads(slots(prompts["en"].taxonomy), 32)
    truth = draw(0, category="animal").truth
    evidence = [Evidence("species", None, (0.0, 0.0, 0.5, 1.0))]
    places = [number for number, (slot, _) in enumerate(heads.query_labels) if slot.attribute == "species"]
    right = torch.full((1, len(heads.query_labels), 2), 0.5)
    wrong = right.clone()
    right[0, places] = torch.tensor([0.9, 0.1])
    wrong[0, places] = torch.tensor([0.1, 0.9])

    assert localization_loss(right, heads, [truth], [evidence], 2) < localization_loss(
        wrong, heads, [truth], [evidence], 2
    )


def test_evidence_follows_the_augmentation_of_its_picture() -> None:
    """A red square in a grey picture: its evidence is where the square is."""
    square = Image.new("RGB", (200, 100), "grey")
    square.paste("red", (20, 10, 60, 50))
    truth = draw(0, category="animal").truth
    mark = Evidence("species", None, (0.1, 0.1, 0.3, 0.5))
    for seed in range(20):
        image, (moved,) = augmented(square, [mark], random.Random(seed), (400, 200), truth)  # noqa: S311
        red = np.asarray(image).astype(int)
        rows, columns = np.nonzero(red[..., 0] - red[..., 1] > 60)
        found = columns.min() / 400, rows.min() / 200, (columns.max() + 1) / 400, (rows.max() + 1) / 200
        assert moved.box == pytest.approx(found, abs=0.02)


def test_the_siglip_loss_prefers_matching_pairs(tokenizer: Qwen2Tokenizer) -> None:
    good, bad = torch.tensor([[9.0, -9.0], [-9.0, 9.0]]), torch.tensor([[-9.0, 9.0], [9.0, -9.0]])
    target, bias = torch.tensor([0, 1]), torch.tensor(0.0)

    assert matching_loss(good, bias, target) < 0.01
    assert matching_loss(bad, bias, target) > 9


def test_every_label_is_at_most_three_tokens_and_the_same_ones_inside_a_reply(
    prompts: Mapping[Language, Prompts], tokenizer: Qwen2Tokenizer
) -> None:
    def ids(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    for each in prompts.values():
        for category in each.taxonomy.categories.values():
            for attribute in category.details.values():
                for label in attribute.labels(each.language).values():
                    assert len(ids(label)) <= 3
    for letter in "ABCDEFGHI":
        assert len(ids(letter)) == 1
    selfie = draw(0, category="portrait").truth.model_copy(
        update={
            "details": {
                "gender": ("male",),
                "composition": ("selfie", "half_body"),
                "mood": ("happy",),
                "scene": ("indoor",),
            }
        }
    )
    compact = prompts["zh"].fused("compact").write(selfie)
    assert ids(compact) == [
        *ids("人像"),
        *ids("男性"),
        *ids("自拍"),
        *ids(","),
        *ids("半身"),
        *ids("开心"),
        *ids("室内"),
    ]


def odd(seed: int) -> bool:
    return seed % 2 == 1


def test_pictures_are_drawn_once_for_all_sizes_with_their_labels(tmp_path: Path) -> None:
    numbers = seeds("train", 18)[9:]
    small, large = Size(tmp_path / "small", 64 * SIDE**2), Size(tmp_path / "large", 196 * SIDE**2, odd)
    assert list(draw_pictures([small, large], numbers))[-1] == 9
    assert list(draw_pictures([small, large], numbers)) == [9]

    pictures, larger = load_pictures(small, numbers), load_pictures(large, numbers)

    assert [pictures.truth(index) for index in range(9)] == [draw(seed).truth for seed in numbers]
    assert [*larger.seeds] == [*filter(odd, numbers)]
    for drawn, size in ((pictures, small), (larger, large)):
        areas = [drawn.image(index).width * drawn.image(index).height for index in range(len(drawn))]
        assert max(areas) <= size.max_pixels
    assert larger.image(0).width > pictures.image(int(np.flatnonzero(pictures.seeds == larger.seeds[0])[0])).width


@pytest.mark.parametrize("aspect", [9 / 16, 1.0, 16 / 9])
@pytest.mark.parametrize("tokens", [48, 100, 144])
def test_a_grid_has_about_the_given_number_of_tokens_and_not_more(aspect: float, tokens: int) -> None:
    columns, rows = grid(aspect, tokens)

    assert 0.75 * tokens <= columns * rows <= tokens
    assert columns / rows == pytest.approx(aspect, rel=0.2)


def test_a_batch_has_one_size_and_the_given_category(tmp_path: Path) -> None:
    small = Size(tmp_path, 64 * SIDE**2)
    list(draw_pictures([small], seeds("train", 36)))
    batches = Batches(load_pictures(small, seeds("train", 36)))

    batch = batches.draw(random.Random(0), 4, 48, "food")  # noqa: S311

    assert {truth.category for truth in batch.truths} == {"food"}
    assert len({image.size for image in batch.images}) == 1


def test_the_specialist_is_trained_on_enlarged_and_on_small_pictures(tmp_path: Path) -> None:
    """The resolution policy enlarges small pictures and Pixtral's own processor does not, so both must be trained."""
    size, numbers = Size(tmp_path, LONG_EDGE**2), seeds("train", 90)
    list(draw_pictures([size], numbers))
    pictures = load_pictures(size, numbers)
    batches = Batches(pictures)
    long_edges: dict[str, set[int]] = {}
    for index in range(len(pictures)):
        long_edges.setdefault(repr(pictures.truth(index)), set()).add(max(pictures.size(index)))
    shown = []
    for seed in range(60):
        batch = batches.draw_shares(random.Random(seed), 4, {"portrait": 1.0}, LONG_EDGE, PATCH)  # noqa: S311
        (long_edge,) = {max(image.size) for image in batch.images}
        shown.append(long_edge)
        if long_edge < LONG_EDGE:
            smallest = min(max(long_edges[repr(truth)]) for truth in batch.truths)
            assert long_edge <= smallest / 0.7 + PATCH

    assert 10 < sum(long_edge < LONG_EDGE for long_edge in shown) < 30
    assert min(shown) < 400


def test_the_heads_are_scored_on_the_attributes_of_the_pictures_category() -> None:
    all_slots = slots(load_taxonomy(PHOTOS))
    truths = [draw(0, category=category).truth for category in CATEGORIES]

    loss, hits = loss_and_hits(Heads(all_slots, 32)(torch.randn(len(truths), 5, 32))[0], all_slots, truths)

    assert loss.item() > 0
    by_name = accuracies(hits)
    assert "category" in by_name
    assert {name for name in by_name if name.startswith("food.")} == {"food.kind", "food.served_in"}
    assert not any(name.startswith("building.") for name in by_name)


def test_an_interrupted_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    """The state is written at the end of a plan too, so a shorter plan is an interrupted run."""

    def run(folder: Path, *stops: int) -> Tensor:
        folder.mkdir()
        torch.manual_seed(0)
        whole = Plan("line", steps=stops[-1], rate=0.1, warmup=1)
        for stop in stops:
            torch.manual_seed(0)
            layer = nn.Linear(2, 2)

            def share(rng: random.Random, progress: float, layer: nn.Linear = layer) -> tuple[Tensor, list[Hit]]:
                x = torch.tensor([[rng.random(), rng.random()]])
                return (layer(x) - x).square().sum(), []

            train(whole, layer, share, folder, console=Console(file=StringIO()), stop=stop)
        return layer.weight.detach()

    torch.testing.assert_close(run(tmp_path / "whole", 8), run(tmp_path / "interrupted", 3, 8))
