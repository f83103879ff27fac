"""Which question comes next in the arms that ask for the category and its details apart."""

from __future__ import annotations

from onelook.graph.arms import ARMS
from onelook.graph.state import State, category_of
from onelook.prompts.question import Question
from onelook.services import Services
from onelook.types import Context


def next_question(services: Services, state: State, context: Context) -> Question:
    """The question for the category while it is not known, then the question for its details."""
    prompts = services.prompts[context.language]
    unknown = state["known"] == "nothing"
    if ARMS[context.arm].guided:
        if unknown:
            return prompts.category(context.reply_format)
        return prompts.details(category_of(state).id, context.reply_format)
    parse_error = state["parse_error"] or None
    if unknown:
        return prompts.legacy_category(parse_error=parse_error)
    return prompts.legacy_details(category_of(state).id, parse_error=parse_error)
