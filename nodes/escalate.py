"""The specialist answers the same question about a hard picture: once, and never in a loop."""

from __future__ import annotations

from langgraph.runtime import Runtime

from onelook.answering.ask import ask
from onelook.answering.calibration import fit_of, thresholds
from onelook.answering.confidence import unsure_label
from onelook.answering.reading import read_reply, tags
from onelook.answering.result import build_result
from onelook.answering.sizes import full_pictures
from onelook.graph.state import State, category_of
from onelook.ledger.stamps import span
from onelook.result import Escalation, model_name
from onelook.services import Services
from onelook.types import Context


async def escalate(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """The specialist's answer replaces the first one, which the result keeps, and ends the run."""
    context, specialist, first = runtime.context, services.specialist, category_of(state)
    if specialist is None:
        raise RuntimeError("review leads to escalate only where there is a specialist")
    pictures = state["pictures"]
    if (await specialist.look_up()).size_grid != services.engine.capabilities.size_grid:
        with span("transform"):  # those of the first engine would be resampled; an enlarged one has the right size
            pictures = await full_pictures(services, state, context, specialist)
    question = services.prompts[context.language].fused(context.reply_format)
    reply = await ask(services, question, pictures, engine=specialist)
    with span("parse"):
        asked_as = context.model_copy(update={"arm": "fused"})
        fit = fit_of(services, asked_as, specialist)
        category, details = tags(services, read_reply(question, reply), reply, fit, context.language)
    unsure = unsure_label(category, details, {}, thresholds(services, asked_as, specialist)) is not None
    update: State = {
        "pictures": pictures,
        "replies": (*state["replies"], reply.text),
        "category": category,
        "details": details,
        "absences": {},
        "answered_by": specialist.model,
        "escalation": Escalation(
            reason=state["why"],
            model=model_name(state["answered_by"]),
            category=first,
            details=state["details"],
        ),
    }
    return {
        **update,
        "result": build_result(services, {**state, **update}, context, "needs_review" if unsure else "ok"),
    }
