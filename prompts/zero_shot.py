"""What a zero-shot image classifier is shown of each category: one short sentence, in place of a prompt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from onelook.prompts.rendering import TEMPLATES, Templates
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.types import Language


def zero_shot_texts(taxonomy: Taxonomy, language: Language, templates: Path = TEMPLATES) -> dict[str, str]:
    """Per category id a sentence that describes its pictures, in taxonomy order.

    Raises:
        PromptError: the template is missing or wrong.
    """
    rendering = Templates(templates / language, taxonomy=taxonomy, language=language)
    return {id_: rendering.render("zero_shot", category=category) for id_, category in taxonomy.categories.items()}


def zero_shot_version(texts: Mapping[str, str]) -> str:
    """First 12 hex digits of the SHA-256 of the texts and the categories that they stand for, order included."""
    return sha256(json.dumps(list(texts.items())).encode()).hexdigest()[:12]
