"""Where the two-call arms turn a reply into a typed answer, and see what is still missing."""

from __future__ import annotations

from langgraph.runtime import Runtime

from onelook.answering.calibrated import fit_of
from onelook.answering.questions import has_details, next_question
from onelook.answering.reading import read_reply, tags
from onelook.errors import ReplyError
from onelook.graph.state import State
from onelook.services import Services
from onelook.types import Context


async def parse(services: Services, state: State, runtime: Runtime[Context]) -> State:
    reply, known, context = state["reply"], state["category"], runtime.context
    if reply is None:
        raise RuntimeError("parse runs after classify or describe")
    try:
        reading = read_reply(next_question(services, state, context), reply)
    except ReplyError as error:
        # Free text goes wrong now and then; as in the field, the model is told so and asked once more.
        if context.arm != "legacy" or state["parse_error"] is not None:
            raise
        return {"parse_error": error.message}
    fit = fit_of(services, context, services.engine)
    category, details = tags(services, reading, reply, fit, context.language, known)
    complete = known is not None or not has_details(services, category)
    return {"parse_error": None, "category": category, "details": details if complete else None}
