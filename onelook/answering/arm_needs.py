"""What each arm needs of a model and of a taxonomy, worked out without asking a model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from onelook.answering.requirements import refuse_unmet
from onelook.answering.workload import questions_of
from onelook.constraint import Choice, Constraint, JsonSchema
from onelook.errors import PromptError, SettingsError
from onelook.graph.arms import ARMS
from onelook.prompts.question import Question
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.services import Services
from onelook.types import Context, ReplyFormat


@dataclass(frozen=True, slots=True)
class ArmNeeds:
    """One way to ask. `longest`: of its questions the one with most text and answer; None where they cannot be made.

    `unmet`: why no picture can be tagged so. `constraint_bytes`: of the largest constraint, as a regex or a choice, and
    `schema_bytes` as a JSON Schema, where it has that form; None where replies are free text. `letters`: how
    many options a choice by letters has, at most.
    """

    context: Context
    longest: Question | None
    unmet: SettingsError | PromptError | None
    constraint_bytes: int | None
    schema_bytes: int | None
    letters: int | None


def all_needs(services: Services, context: Context) -> Iterator[ArmNeeds]:
    """Those of every arm, in each format that it has; the other choices are those of `context`."""
    for arm in ARMS.values():
        formats: tuple[ReplyFormat, ...] = get_args(ReplyFormat) if arm.guided and not arm.lettered else ("json",)
        for reply_format in formats:
            yield _needs(services, context.model_copy(update={"arm": arm.name, "reply_format": reply_format}))


def _needs(services: Services, context: Context) -> ArmNeeds:
    unmet: SettingsError | PromptError | None = None
    questions: list[Question] = []
    try:
        refuse_unmet(services, context)
    except (SettingsError, PromptError) as error:
        unmet = error
    try:
        questions = list(questions_of(services.prompts[context.language], context))
    except PromptError as error:
        unmet = error
    constraints = [each.constraint for each in questions if each.constraint is not None]
    return ArmNeeds(
        context=context,
        longest=max(questions, key=_length, default=None),
        unmet=unmet,
        constraint_bytes=max(map(_bytes, constraints), default=None),
        schema_bytes=max((_size(each.schema) for each in constraints if isinstance(each, JsonSchema)), default=None),
        letters=_letters(services.taxonomy) if ARMS[context.arm].lettered else None,
    )


def _length(question: Question) -> int:
    return len(question.text.encode()) + question.max_tokens


def _bytes(constraint: Constraint) -> int:
    match constraint:
        case JsonSchema(regex=regex):
            return len(regex.encode())
        case Choice(options=options):
            return _size(options)
        case _:
            return len(constraint.pattern.encode())


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _letters(taxonomy: Taxonomy) -> int:
    """Options of a `choose: many` are asked about one by one, with two letters."""
    return max(
        len(taxonomy.categories),
        *(
            len(attribute.options) if attribute.choose == "one" else 2
            for category in taxonomy.categories.values()
            for attribute in category.details.values()
        ),
        1,
    )
