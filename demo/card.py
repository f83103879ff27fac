"""The model card: what the checkpoint is, what it knows and what it does not."""

from __future__ import annotations

from collections.abc import Mapping

from huggingface_hub import ModelCardData
from transformers import PreTrainedModel

from demo.checkpoint import Training
from demo.scores import Scores

SCORED = "## Accuracy"
DATA = ModelCardData(
    license="apache-2.0", language=["zh", "en"], pipeline_tag="image-text-to-text", tags=["synthetic", "demo"]
)


def model_card(training: Training, model: PreTrainedModel) -> str:
    """The card without figures; `with_scores` puts them in after an evaluation."""
    text, vision = model.config.text_config, model.config.vision_config
    million = model.num_parameters() / 1e6
    steps = ", ".join(f"{count} of {name}" for name, count in training.steps.items())
    hashes = ", ".join(f"`{version}` ({language})" for language, version in training.prompts.items())
    return f"""---
{DATA.to_yaml()}
---

# onelook demo model

Qwen2.5-VL architecture with {million:.1f} million parameters, trained from nothing to answer onelook's prompts about
onelook's own synthetic album. **It knows those drawings only, not photographs**: it is there so that a first run needs
no GPU and no download, and so that tests and benchmarks run on a model that looks.

- Architecture: text {text.num_hidden_layers} layers of {text.hidden_size}, vision {vision.depth} layers of
  {vision.hidden_size}, vocabulary {text.vocab_size}; bfloat16.
- Data: {training.pictures} drawings of `demo.album` (split `train`) with the replies that are right; seed
  {training.seed}.
- Training steps: {steps}. `python -m demo.train` trains one like it.
- Prompts, by hash: {hashes}. After a change of taxonomy or templates it must be trained again.
"""


def with_scores(card: str, scores: Mapping[str, Scores], command: str) -> str:
    """The card with a table of every arm's figures, and of the first arm's categories and attributes."""
    head = card.split(SCORED)[0].rstrip()
    rows = [
        f"| {name} | {each.category:.1%} | {each.attribute:.1%} | {each.exact:.1%} |"
        f" {'' if each.ece is None else f'{each.ece:.3f}'} |"
        for name, each in scores.items()
    ]
    name, first = next(iter(scores.items()))
    details = []
    for category, share in first.categories.items():
        told = ", ".join(
            f"{attribute.removeprefix(f'{category}.')} {right:.0%}"
            for attribute, right in first.attributes.items()
            if attribute.startswith(f"{category}.")
        )
        details.append(f"| {category} | {share:.0%} | {first.exact_by_category[category]:.0%} | {told} |")
    return "\n".join(
        [
            head,
            "",
            SCORED,
            "",
            f"On {first.pictures} held-out drawings, printed by `{command}`:",
            "",
            "| arm | category | attributes (macro) | exact record | ECE (category) |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"`{name}` by category:",
            "",
            "| category | told | exact record | attributes |",
            "|---|---|---|---|",
            *details,
            "",
        ]
    )
