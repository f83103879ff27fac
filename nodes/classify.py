"""The first of two calls names the category (L1)."""

from __future__ import annotations

from langgraph.runtime import Runtime

from onelook.answering.ask import ask
from onelook.answering.questions import next_question
from onelook.graph.state import State
from onelook.services import Services
from onelook.types import Context


async def classify(services: Services, state: State, runtime: Runtime[Context]) -> State:
    reply = await ask(services, next_question(services, state, runtime.context), state["pictures"])
    return {"reply": reply, "replies": (*state["replies"], reply.text)}
