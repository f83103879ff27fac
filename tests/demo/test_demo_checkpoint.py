"""The bundled checkpoints match the current prompts, and recognise the album."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from onelook.demo.checkpoint import (
    CHECKPOINTS,
    MODEL,
    ROUTER,
    SPECIALIST,
    DemoNote,
    Training,
    demo_note,
    read_training,
    with_demo_models,
)
from onelook.lab.album import read_labels
from onelook.lab.scores import LabelledResult, score
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.prompts.zero_shot import zero_shot_version
from onelook.settings.process import PHOTOS, load_settings
from onelook.tagger import Tagger
from onelook.types import Context, Language
from tools.demo_model import HELDOUT
from tools.demo_model.evaluate import evaluate
from tools.demo_model.other_models import route_album

MOST_BYTES = 15_000_000


@pytest.fixture(scope="module")
def prompts() -> dict[Language, Prompts]:
    taxonomy = load_taxonomy(PHOTOS)
    return {language: Prompts(taxonomy, language) for language in taxonomy.languages}


@pytest.mark.parametrize("folder", [MODEL, SPECIALIST], ids=lambda folder: folder.name)
def test_the_prompts_are_those_that_the_model_was_trained_on(folder: Path, prompts: dict[Language, Prompts]) -> None:
    """After a change of prompts or labels, run `make demo-model`."""
    assert read_training(folder).moved(prompts) == []


def test_a_note_says_that_the_prompts_have_changed(
    prompts: dict[Language, Prompts], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = demo_note(with_demo_models(load_settings()), prompts)
    monkeypatch.setattr(prompts["zh"], "version", "moved")

    moved = demo_note(with_demo_models(load_settings()), prompts)

    assert kept is not None
    assert "other prompts" not in kept.text("terminal")
    assert moved is not None
    assert "other prompts or another taxonomy (zh)" in moved.text("terminal")
    assert "make demo-model" in moved.text("terminal")
    assert (kept.kind, moved.kind) == ("demo_model", "demo_model_other_prompts")


def test_the_note_names_a_model_as_its_reader_does() -> None:
    note = DemoNote()
    assert "--model" in note.text("terminal")
    assert "start the server with" in note.text("server")
    assert 'model="…"' in note.text("python")
    assert "--" not in note.text("python")


def test_training_knows_which_languages_moved(prompts: dict[Language, Prompts]) -> None:
    training = Training(pictures=1, seed=0, steps={}, prompts={"zh": prompts["zh"].version, "en": "old"})

    assert training.moved(prompts) == ["en"]


def test_the_texts_are_those_that_the_router_was_trained_on(prompts: dict[Language, Prompts]) -> None:
    now = {language: zero_shot_version(each.zero_shot()) for language, each in prompts.items()}

    assert read_training(ROUTER).prompts == now


def test_all_are_small_enough_to_be_bundled() -> None:
    assert sum(file.stat().st_size for file in CHECKPOINTS.rglob("*") if file.is_file()) <= MOST_BYTES


async def test_the_router_recognises_the_album() -> None:
    routed = await route_album(read_labels(HELDOUT)[:45])

    assert routed.accuracy >= 0.85
    assert routed.confident_accuracy >= routed.accuracy


@pytest.mark.parametrize("arm", ["fused", "fused_compact", "reads", "reads_debias", "hybrid", "legacy"])
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_model_recognises_the_album(arm: str, language: Language) -> None:
    album = read_labels(HELDOUT)[:18]

    (answered,) = (
        await evaluate(album, engine="embedded", arms=[arm], language=language, console=Console(quiet=True))
    ).values()

    assert score(answered).category >= 0.8


@pytest.mark.parametrize("category", ["document", "diagram"])
async def test_the_specialist_is_better_at_pages_and_charts(category: str) -> None:
    """On the held-out drawings, whose finest strokes are lost at the demo model's resolution."""
    pages = [labelled for labelled in read_labels(HELDOUT) if labelled.truth.category == category]
    console = Console(quiet=True)

    (general,), (special,) = [
        (await evaluate(pages, engine="embedded", arms=["fused"], language="zh", console=console, model=model)).values()
        for model in (None, str(SPECIALIST))
    ]

    assert score(special).exact >= score(general).exact + 0.05


async def test_a_chart_goes_to_the_specialist_and_keeps_the_first_answer() -> None:
    chart = next(labelled for labelled in read_labels(HELDOUT) if labelled.truth.category == "diagram")
    settings = with_demo_models(load_settings(specialist={"engine": "embedded", "model": str(SPECIALIST)}))

    async with Tagger(settings) as tagger:
        result = await tagger.tag(str(chart.path), Context())

    assert result.errors == ()
    assert LabelledResult(chart.path.name, chart.truth, result).answer == chart.truth
    assert result.model == SPECIALIST.name
    assert result.escalation is not None
    assert result.escalation.category.id == "diagram"
