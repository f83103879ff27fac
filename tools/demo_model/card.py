"""The model cards of the bundled checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from huggingface_hub import ModelCardData

from onelook.demo.checkpoint import Training
from onelook.lab.scores import Scores

SCORED = "## Accuracy"


@dataclass(frozen=True, slots=True)
class About:
    """What differs between the bundled models. `task`: pipeline tag; `purpose`: end of the sentence with the size;
    `wording`: what the hashes are computed from."""

    title: str
    architecture: str
    task: str
    purpose: str
    wording: str = "Prompts"


ABOUT: Final[Mapping[str, About]] = {
    "vlm": About(
        "onelook demo model",
        "Qwen2.5-VL",
        "image-text-to-text",
        "trained to answer onelook's prompts about onelook's own synthetic album",
    ),
    "siglip": About(
        "onelook demo router",
        "SigLIP",
        "zero-shot-image-classification",
        "trained to match the drawings of onelook's own synthetic album with the texts of its categories",
        wording="Texts",
    ),
    "specialist": About(
        "onelook demo specialist",
        "Pixtral",
        "image-text-to-text",
        "trained to answer onelook's prompts about the pages, charts and people of onelook's own synthetic album, at a"
        " higher resolution than the demo model",
    ),
}


def model_card(name: str, training: Training, config: Any, parameters: int) -> str:
    """The card of the bundled model `name` without figures; `with_scores` adds them after an evaluation."""
    about = ABOUT[name]
    data = ModelCardData(
        license="apache-2.0", language=["zh", "en"], pipeline_tag=about.task, tags=["synthetic", "demo"]
    )
    text, vision = config.text_config, config.vision_config
    depth = getattr(vision, "depth", None) or vision.num_hidden_layers
    steps = ", ".join(f"{count} of {stage.replace('_', ' ')}" for stage, count in training.steps.items())
    hashes = ", ".join(f"`{version}` ({language})" for language, version in training.prompts.items())
    return f"""---
{data.to_yaml()}
---

# {about.title}

{about.architecture} architecture with {parameters / 1e6:.1f} million parameters, {about.purpose}.
**It recognises these drawings only, not photographs.** It is bundled so that a first run needs no GPU and no download,
and so that tests and benchmarks have a trained model.

- Architecture: text {text.num_hidden_layers} layers of {text.hidden_size}, vision {depth} layers of
  {vision.hidden_size}, vocabulary {text.vocab_size}; bfloat16.
- Data: {training.pictures} drawings of `tools.demo_model.album` (split `train`), with their labels; seed
  {training.seed}.
- Training steps: {steps}. `python -m tools.demo_model.train {name}` continues with new drawings;
  `--from-scratch` starts from random weights.
- {about.wording}, by hash: {hashes}. After a change of taxonomy or templates it must be trained again.
"""


def with_scores(card: str, scores: Mapping[str, Scores], language: str, command: str) -> str:
    """The card with a table of all arms, and one of the first arm's categories and attributes."""
    head = card.split(SCORED)[0].rstrip()
    rows = [
        f"| {name} | {each.category:.1%} | {each.attribute:.1%} | {each.exact:.1%} |"
        f" {'' if each.ece is None else f'{each.ece:.3f}'} |"
        for name, each in scores.items()
    ]
    name, first = next(iter(scores.items()))
    details = []
    for category, share in first.categories.items():
        accuracies = ", ".join(
            f"{attribute.removeprefix(f'{category}.')} {right:.0%}"
            for attribute, right in first.attributes.items()
            if attribute.startswith(f"{category}.")
        )
        details.append(f"| {category} | {share:.0%} | {first.exact_by_category[category]:.0%} | {accuracies} |")
    return "\n".join(
        [
            head,
            "",
            SCORED,
            "",
            f"On {first.pictures} held-out drawings, prompts and labels in `{language}`, printed by `{command}`:",
            "",
            "| arm | category | attributes (macro) | exact record | ECE (category) |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"`{name}` by category:",
            "",
            "| category | accuracy | exact record | attributes |",
            "|---|---|---|---|",
            *details,
            "",
        ]
    )
