"""Which question an arm puts: the one place of the two-call arms that knows the difference between them."""

from __future__ import annotations

from onelook.graph.state import State
from onelook.prompts.question import Question
from onelook.services import Services
from onelook.types import Context, Tag


def next_question(services: Services, state: State, context: Context) -> Question:
    """The category's question while no category is known, then the details' question of that category."""
    prompts = services.prompts[context.language]
    category = state["category"]
    if context.arm == "legacy":
        parse_error = state["parse_error"]
        if category is None:
            return prompts.legacy_category(parse_error=parse_error)
        return prompts.legacy_details(category.id, parse_error=parse_error)
    if category is None:
        return prompts.category(context.reply_format)
    return prompts.details(category.id, context.reply_format)


def has_details(services: Services, category: Tag) -> bool:
    return bool(services.taxonomy.categories[category.id].details)
