"""The shortcuts of training compute what the model computes, and a run that was cut off goes on."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor, nn
from transformers import AutoModelForImageTextToText, Qwen2Tokenizer

from demo.album.generate import draw, seeds
from demo.album.truth import CATEGORIES
from demo.checkpoint import read_training
from demo.tiny import tiny_config, train_tokenizer
from demo.train.batches import Batches
from demo.train.lessons import FAMILIES, Family, Teacher, tokenizer_texts
from demo.train.loop import Plan, train
from demo.train.pictures import draw_pictures, grid, load_pictures
from demo.train.sight import Heads, Hit, accuracies, loss_and_hits, slots
from demo.train.speech import TOKENS_A_PICTURE, reply_loss
from demo.train.tower import PROCESSOR, SIDE, encode
from engines.embedded_generation import Generator
from engines.loading import LoadOptions, load_checkpoint
from graph.schema import Language
from graph.settings import PHOTOS
from prompts.prompts import Prompts
from prompts.taxonomy_file import load_taxonomy

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
    """What Transformers' own processor makes of pictures that it need not scale."""
    processor = type(PROCESSOR)(min_pixels=SIDE**2, max_pixels=1024 * SIDE**2)
    return processor(images, return_tensors="pt")


def test_the_batched_tower_sees_what_transformers_sees(model: Any, images: list[Image.Image]) -> None:
    inputs = pixels(images)
    with torch.no_grad():
        theirs = model.model.visual(inputs["pixel_values"], inputs["image_grid_thw"]).pooler_output
        ours = encode(model.model.visual, images, attention=torch.float32).flatten(0, 1)

    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_packed_exercises_cost_what_they_cost_alone(
    family: Family,
    model: Any,
    images: list[Image.Image],
    prompts: Mapping[Language, Prompts],
    tokenizer: Qwen2Tokenizer,
) -> None:
    truths = [draw(seed).truth for seed in seeds("train", 3)]
    if family == "legacy_details":
        truths, images = truths[:1], images[:1]
    lesson = Teacher(prompts, tokenizer).lesson(family, "zh", truths, random.Random(0))  # noqa: S311
    image_token = model.config.image_token_id
    with torch.no_grad():
        seen = encode(model.model.visual, images, attention=torch.float32)
        packed, right = reply_loss(model, seen, ROWS, COLUMNS, lesson)
        alone = 0.0
        for image, exercises in zip(images, lesson.exercises, strict=True):
            inputs = pixels([image])
            for exercise in exercises:
                ids = torch.tensor(
                    [[*lesson.before, *[image_token] * (ROWS * COLUMNS), *exercise.question, *exercise.reply]]
                )
                labels = ids.clone()
                labels[0, : -len(exercise.reply)] = -100
                loss = model(input_ids=ids, labels=labels, mm_token_type_ids=(ids == image_token).int(), **inputs).loss
                alone += loss.item() * len(exercise.reply)

    assert packed.item() == pytest.approx(alone / (len(images) * TOKENS_A_PICTURE), rel=1e-4)
    assert len(right) == sum(map(len, lesson.exercises))


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


def test_pictures_are_drawn_once_and_know_their_truth(tmp_path: Path) -> None:
    limit = 64 * SIDE**2
    assert list(draw_pictures(tmp_path, "train", 9, max_pixels=limit))[-1] == 9
    assert list(draw_pictures(tmp_path, "train", 9, max_pixels=limit)) == [9]

    pictures = load_pictures(tmp_path, "train", 9, max_pixels=limit)

    assert [pictures.truth(index) for index in range(9)] == [draw(seed).truth for seed in seeds("train", 9)]
    assert all(pictures.image(index).width * pictures.image(index).height <= limit for index in range(9))


@pytest.mark.parametrize("aspect", [9 / 16, 1.0, 16 / 9])
@pytest.mark.parametrize("tokens", [48, 100, 144])
def test_a_grid_has_nearly_the_tokens_asked_for_and_never_more(aspect: float, tokens: int) -> None:
    columns, rows = grid(aspect, tokens)

    assert 0.75 * tokens <= columns * rows <= tokens
    assert columns / rows == pytest.approx(aspect, rel=0.2)


def test_a_batch_has_one_size_and_keeps_the_category_that_is_asked_for(tmp_path: Path) -> None:
    limit = 64 * SIDE**2
    list(draw_pictures(tmp_path, "train", 36, max_pixels=limit))
    batches = Batches(load_pictures(tmp_path, "train", 36, max_pixels=limit))

    batch = batches.draw(random.Random(0), 4, 48, "food")  # noqa: S311

    assert {truth.category for truth in batch.truths} == {"food"}
    assert len({image.size for image in batch.images}) == 1


def test_the_heads_are_scored_on_what_the_picture_has() -> None:
    all_slots = slots(load_taxonomy(PHOTOS))
    truths = [draw(0, category=category).truth for category in CATEGORIES]

    loss, hits = loss_and_hits(Heads(all_slots, 32)(torch.randn(len(truths), 5, 32)), all_slots, truths)

    assert loss.item() > 0
    told = accuracies(hits)
    assert "category" in told
    assert {name for name in told if name.startswith("food.")} == {"food.kind", "food.served_in"}
    assert not any(name.startswith("building.") for name in told)


def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    """The state is written at the end of a plan too, so a shorter plan is a run that was cut off."""

    def run(folder: Path, *stops: int) -> Tensor:
        folder.mkdir()
        torch.manual_seed(0)
        whole = Plan("line", steps=stops[-1], rate=0.1, warmup=1)
        for stop in stops:
            torch.manual_seed(0)
            layer = nn.Linear(2, 2)

            def share(chance: random.Random, progress: float, layer: nn.Linear = layer) -> tuple[Tensor, list[Hit]]:
                x = torch.tensor([[chance.random(), chance.random()]])
                return (layer(x) - x).square().sum(), []

            train(whole, layer, share, folder, console=Console(file=StringIO()), stop=stop)
        return layer.weight.detach()

    torch.testing.assert_close(run(tmp_path / "whole", 8), run(tmp_path / "cut", 3, 8))


def test_a_short_training_ends_in_a_checkpoint_that_answers(tmp_path: Path) -> None:
    out = tmp_path / "checkpoint"
    command = [
        sys.executable, "-m", "demo.train", "--work", str(tmp_path / "work"), "--out", str(out),
        "--pictures", "63", "--sight-steps", "2", "--speech-steps", "4",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True)

    assert read_training(out).steps == {"sight": 2, "speech": 4}
    assert "not photographs" in (out / "README.md").read_text(encoding="utf-8")
    Generator(load_checkpoint(str(out), LoadOptions()), prefix_cache_bytes=0)
    subprocess.run(command, check=True, capture_output=True, text=True)  # replaces what is there
    assert {file.name for file in tmp_path.iterdir()} == {"work", "checkpoint"}
