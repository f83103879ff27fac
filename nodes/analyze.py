"""L1, parse and L2 in one look: the fused arm."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.schema import Context
from graph.services import Services
from graph.state import State
from graph.timing import span
from nodes.ask import ask
from nodes.calibrated import fit_of
from nodes.reading import read_reply, tags


async def analyze(services: Services, state: State, runtime: Runtime[Context]) -> State:
    context = runtime.context
    question = services.prompts[context.language].fused(context.reply_format)
    reply = await ask(services, question, state["pictures"])
    with span("parse"):
        fit = fit_of(services, context, services.engine)
        category, details = tags(services, read_reply(question, reply), reply, fit, context.language)
    return {"replies": (reply.text,), "category": category, "details": details}
