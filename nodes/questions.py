"""Which question an arm puts: the one place of the two-call arms that knows the difference between them."""

from __future__ import annotations

from graph.schema import Context, Tag
from graph.services import Services
from graph.state import State
from prompts.question import Question


def next_question(services: Services, state: State, context: Context) -> Question:
    """The category's question while no category is known, then the details' question of that category."""
    prompts = services.prompts[context.language]
    category = state["category"]
    if context.arm == "legacy":
        complaint = state["complaint"]
        if category is None:
            return prompts.legacy_category(complaint=complaint)
        return prompts.legacy_details(category.id, complaint=complaint)
    if category is None:
        return prompts.category(context.reply_format)
    return prompts.details(category.id, context.reply_format)


def has_details(services: Services, category: Tag) -> bool:
    return bool(services.taxonomy.categories[category.id].details)
