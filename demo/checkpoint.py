"""Which weights the demo runs on."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from graph.cache_folder import cache_folder
from graph.schema import Frozen, Language
from prompts.prompts import Prompts

CHECKPOINTS: Final = Path(__file__).parent / "checkpoints"
TRAINED: Final = CHECKPOINTS / "vlm"
SIGLIP: Final = CHECKPOINTS / "siglip"
SPECIALIST: Final = CHECKPOINTS / "specialist"
"""The router that was trained on the same drawings, where it is bundled."""
HELDOUT: Final = Path(__file__).parent / "album" / "heldout"
"""240 drawings with their truth, of which no training saw one."""

TRAINING: Final = "training.json"


class Training(Frozen):
    """What a trained checkpoint's `training.json` says of how it came to be: `prompts` are the hashes of what it was
    trained to answer, or, for the zero-shot classifier, of the texts that it was trained to match."""

    pictures: int
    seed: int
    steps: dict[str, int]
    prompts: dict[Language, str]

    def moved(self, prompts: Mapping[Language, Prompts]) -> list[Language]:
        """The languages whose prompts are no longer those that the checkpoint was trained on."""
        return [language for language, each in prompts.items() if self.prompts.get(language) != each.version]


def read_training(folder: Path) -> Training:
    """What is known of the training of the checkpoint in `folder`, which has a `training.json`."""
    return Training.model_validate_json((folder / TRAINING).read_text(encoding="utf-8"))


def demo_checkpoint() -> Path:
    """The bundled trained checkpoint; as long as there is none, one with random weights, made once and kept.

    Kept in `graph.cache_folder`. Needs the `embedded` extra to make it.
    """
    if TRAINED.is_dir():
        return TRAINED
    from demo import tiny

    texts = tiny.prompt_texts()
    made_from = hashlib.sha256("".join([*texts, Path(tiny.__file__).read_text(encoding="utf-8")]).encode())
    cache = cache_folder()
    folder = cache / f"random-{made_from.hexdigest()[:12]}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            made = tiny.build_tiny_checkpoint(Path(scratch) / "checkpoint", texts=texts)
            try:
                made.rename(folder)
            except OSError:  # another process was first
                if not folder.is_dir():
                    raise
    return folder


def demo_note(prompts: Mapping[Language, Prompts]) -> str | None:
    """What must be said beside an answer of the demo checkpoint to these prompts."""
    if not TRAINED.is_dir():
        return (
            "the demo model's weights are random, so its answers mean nothing: it shows the machine at work;"
            " for real answers name a model with --model, or a server with --engine vllm --base-url"
        )
    note = (
        "the demo model knows the bundled album's drawings only, not photographs; for those name a real model with"
        " --model, or a server with --engine vllm --base-url"
    )
    if moved := read_training(TRAINED).moved(prompts):
        note += (
            f"\nand it was trained on other prompts or another taxonomy ({', '.join(moved)}): its answers may be wrong;"
            " `make demo-model` trains it again"
        )
    return note
