"""The two-call arms turn a reply into a typed answer here, and decide what is still missing."""

from __future__ import annotations

from langgraph.runtime import Runtime

from onelook.answering.reading import read_answer
from onelook.errors import ReplyError
from onelook.graph.arms import ARMS
from onelook.graph.state import State
from onelook.graph.ways import Way
from onelook.services import Services
from onelook.types import Context


async def parse(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """
    Raises:
        ReplyError: the reply is unreadable, and it is guided or was asked for a second time.
    """
    try:
        answer = read_answer(services, state, runtime.context)
    except ReplyError as error:
        # Free text is unreadable now and then. As in the field, the model gets the error and is asked once more.
        if ARMS[runtime.context.arm].guided or state["parse_error"]:
            raise
        again: Way = "unreadable" if state["known"] == "nothing" else "has details"
        return {"parse_error": error.message, "way": again, "why": f"asked once more: {error.message}"}
    if answer["known"] == "answer":
        return {**answer, "way": "complete", "why": "category and details are known"}
    return {**answer, "way": "has details", "why": "the category is known, its details are not"}
