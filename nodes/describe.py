"""A call for the details of a category that is known (L2): the second of two calls, and the arm `hybrid`."""

from __future__ import annotations

from langgraph.runtime import Runtime

from onelook.answering.ask import ask
from onelook.answering.questions import next_question
from onelook.answering.reading import read_answer
from onelook.graph.arms import ARMS, way_to
from onelook.graph.state import State
from onelook.ledger.stamps import span
from onelook.services import Services
from onelook.types import Context


async def describe(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """In the two-call arms the node `parse` reads the reply; elsewhere a guided reply is read here."""
    arm = ARMS[runtime.context.arm]
    reply = await ask(services, next_question(services, state, runtime.context), state["pictures"])
    asked: State = {"reply": reply, "replies": (*state["replies"], reply.text), "way": way_to(arm.entry)}
    if arm.two_calls:
        return {**asked, "why": "the two-call arms parse each reply in a node of its own"}
    with span("parse"):
        answer = read_answer(services, {**state, **asked}, runtime.context)
    return {**asked, **answer, "why": "a guided reply needs no second try"}
