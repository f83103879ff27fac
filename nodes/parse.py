"""Where the two-call arms turn a reply into a typed answer, and see what is still missing."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.errors import ReplyError
from graph.schema import Context
from graph.services import Services
from graph.state import State
from nodes.calibrated import fit_of
from nodes.questions import has_details, next_question
from nodes.reading import read_reply, tags


async def parse(services: Services, state: State, runtime: Runtime[Context]) -> State:
    reply, known, context = state["reply"], state["category"], runtime.context
    if reply is None:
        raise RuntimeError("parse runs after classify or describe")
    try:
        reading = read_reply(next_question(services, state, context), reply)
    except ReplyError as error:
        # Free text goes wrong now and then; as in the field, the model is told so and asked once more.
        if context.arm != "legacy" or state["complaint"] is not None:
            raise
        return {"complaint": error.message}
    fit = fit_of(services, context, services.engine)
    category, details = tags(services, reading, reply, fit, context.language, known)
    complete = known is not None or not has_details(services, category)
    return {"complaint": None, "category": category, "details": details if complete else None}
