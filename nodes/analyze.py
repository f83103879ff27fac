"""Category and details in one guided call: the arm `fused`."""

from __future__ import annotations

from langgraph.runtime import Runtime

from onelook.answering.ask import ask
from onelook.answering.reading import read_whole_answer
from onelook.graph.state import State
from onelook.ledger.stamps import span
from onelook.services import Services
from onelook.types import Context


async def analyze(services: Services, state: State, runtime: Runtime[Context]) -> State:
    context = runtime.context
    question = services.prompts[context.language].fused(context.reply_format)
    reply = await ask(services, question, state["pictures"])
    with span("parse"):
        answer = read_whole_answer(services, reply, context)
    return {**answer, "replies": (*state["replies"], reply.text)}
