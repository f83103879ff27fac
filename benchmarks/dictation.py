"""The replies that a trained model would give, for weights that are random.

Random weights choose any category and spell labels with unusual tokens, so the arms would not do the same work. With
dictated replies, in the tokenizer's own tokens, as many tokens are computed as for the real model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage
from transformers import AutoTokenizer

from onelook.prompts.languages import TEMPLATES
from onelook.prompts.question import Question
from onelook.prompts.questions import CODECS, Prompts
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import Settings
from onelook.types import Answer

Tokens = Callable[[str], list[int]]

ANSWER = Answer(
    category="portrait",
    details={"gender": ("female",), "composition": ("selfie", "half_body"), "mood": ("happy",), "scene": ("indoor",)},
)
"""The dictated answer: the category with the most details."""


def prompts_of(settings: Settings) -> Prompts:
    """The Chinese prompts, whose labels the measured tokenizers know well."""
    templates = settings.templates or TEMPLATES
    return Prompts(load_taxonomy(settings.taxonomy, templates), "zh", templates)


def load_tokens(folder: Path) -> Tokens:
    """The tokenizer in `folder`, as a function from a reply to its token ids, with the end token."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return lambda reply: [*tokenizer(reply, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]


def dictation(prompts: Prompts, answer: Answer) -> dict[str, str]:
    """The right reply by the question's text; for the details of other categories, the first option."""

    def details(category: str) -> Answer:
        if category == answer.category:
            return answer
        attributes = prompts.taxonomy.categories[category].details
        return Answer(category=category, details={id_: (next(iter(each.options)),) for id_, each in attributes.items()})

    asked: list[tuple[Question, Answer]] = [(prompts.legacy_category(), answer)]
    asked += [(question, answer) for question in prompts.category_choice(debias=True).questions]
    for reply_format in CODECS:
        asked += [(prompts.fused(reply_format), answer), (prompts.category(reply_format), answer)]
    for id_, category in prompts.taxonomy.categories.items():
        if not category.details:
            continue
        asked.append((prompts.legacy_details(id_), details(id_)))
        asked += [(prompts.details(id_, reply_format), details(id_)) for reply_format in CODECS]
        asked += [
            (question, details(id_))
            for each in category.details
            for choice in prompts.attribute_choices(id_, each, debias=True)
            for question in choice.questions
        ]
    return {question.text: question.write(reply) for question, reply in asked}


def question_text(messages: Sequence[BaseMessage]) -> str:
    """The text of the question, without the picture."""
    (words,) = (part["text"] for part in messages[-1].content if isinstance(part, dict) and part["type"] == "text")
    return str(words)
