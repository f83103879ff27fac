"""The bundled checkpoints: what answers where no model is named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from onelook.prompts.questions import Prompts
from onelook.settings.process import Settings
from onelook.types import Frozen, Language

CHECKPOINTS: Final = Path(__file__).parent / "checkpoints"
MODEL: Final = CHECKPOINTS / "vlm"
ROUTER: Final = CHECKPOINTS / "siglip"
SPECIALIST: Final = CHECKPOINTS / "specialist"
DRAWINGS: Final = Path(__file__).parent / "drawings"
"""Twelve drawings with their labels; no training saw them."""

TRAINING: Final = "training.json"


class Training(Frozen):
    """A checkpoint's `training.json`. `prompts`: per language the hash of the prompts that it was trained to answer,
    or, for the zero-shot classifier, of the texts that it was trained to match."""

    pictures: int
    seed: int
    steps: dict[str, int]
    prompts: dict[Language, str]

    def moved(self, prompts: Mapping[Language, Prompts]) -> list[Language]:
        """The languages whose prompts are no longer those that the checkpoint was trained on."""
        return [language for language, each in prompts.items() if self.prompts.get(language) != each.version]


def read_training(folder: Path) -> Training:
    """How the checkpoint in `folder` was trained."""
    return Training.model_validate_json((folder / TRAINING).read_text(encoding="utf-8"))


def names_no_model(settings: Settings) -> bool:
    """Whether the demo stands in: the embedded engine, and no model named for it."""
    return settings.engine == "embedded" and settings.model is None


def with_demo_models(settings: Settings) -> Settings:
    """`settings` with the bundled model, and the bundled router beside it, where none is named."""
    if not names_no_model(settings):
        return settings
    router = settings.router
    if router.engine == "embedded" and router.model is None:
        router = router.model_copy(update={"model": str(ROUTER)})
    return settings.model_copy(update={"model": str(MODEL), "router": router})


Door = Literal["terminal", "python", "server"]
"""Who reads a message, and so how a model is named there."""

REAL_MODEL: Final[Mapping[Door, str]] = {
    "terminal": "name a real model with --model, or a server with --engine vllm --base-url",
    "python": 'name a real model with model="…", or a server with engine="vllm", base_url="…"',
    "server": "start the server with a real model: --model, or --engine vllm --base-url",
}


class DemoNote(Frozen):
    """What a user must know before believing the demo model's answers. `moved`: the languages whose prompts are no
    longer those that it was trained on."""

    moved: tuple[Language, ...] = ()

    @property
    def kind(self) -> Literal["demo_model", "demo_model_other_prompts"]:
        """A stable name, for programs."""
        return "demo_model_other_prompts" if self.moved else "demo_model"

    def text(self, door: Door) -> str:
        note = (
            "the demo model knows the bundled album's drawings only, not photographs; for photographs,"
            f" {REAL_MODEL[door]}"
        )
        if self.moved:
            note += (
                f"\nand it was trained on other prompts or another taxonomy ({', '.join(self.moved)}): its answers may"
                " be wrong; `make demo-model` trains it again"
            )
        return note


def demo_note(settings: Settings, prompts: Mapping[Language, Prompts]) -> DemoNote | None:
    """The note on the demo model's answers to these prompts; None for any other model."""
    if settings.engine != "embedded" or settings.model != str(MODEL):
        return None
    return DemoNote(moved=tuple(read_training(MODEL).moved(prompts)))
