"""The specialist answers the same question about a hard picture: once, and never in a loop."""

from __future__ import annotations

from langgraph.runtime import Runtime

from onelook.answering.answered import answering_model
from onelook.answering.ask import ask
from onelook.answering.calibrated import confidence_threshold, fit_of
from onelook.answering.reading import read_reply, tags
from onelook.graph.state import State
from onelook.ledger.stamps import span
from onelook.nodes.review import least_sure
from onelook.result import Escalation
from onelook.services import Services
from onelook.types import Context


async def escalate(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """The specialist's answer takes the place of the first, which is kept beside it."""
    context, reason, first = runtime.context, state["hard"], state["category"]
    if services.specialist is None or reason is None or first is None:
        raise RuntimeError("escalate runs after review has found the picture hard, where there is a specialist")
    question = services.prompts[context.language].fused(context.reply_format)
    reply = await ask(services, question, state["pictures"], engine=services.specialist)
    with span("parse"):
        asked_as = context.model_copy(update={"arm": "fused"})
        fit = fit_of(services, asked_as, services.specialist)
        category, details = tags(services, read_reply(question, reply), reply, fit, context.language)
    threshold = confidence_threshold(services, asked_as, services.specialist)
    return {
        "replies": (*state["replies"], reply.text),
        "category": category,
        "details": details,
        "absences": {},
        "needs_review": least_sure(category, details) < threshold,
        "escalation": Escalation(
            reason=reason,
            model=answering_model(services, state, context),
            category=first,
            details=state["details"] or {},
        ),
    }
