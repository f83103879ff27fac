"""The end of every way: what the run found, as one result."""

from __future__ import annotations

from langgraph.runtime import Runtime

from onelook.answering.answered import answering_model, model_name
from onelook.answering.resolution import shown
from onelook.graph.state import State
from onelook.prompts.zero_shot import zero_shot_version
from onelook.result import TagResult
from onelook.services import Services
from onelook.types import Context, Status, Versions


async def finish(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """Build the result. Ledger and usage are filled in by the graph, which alone knows when this node ends."""
    context = runtime.context
    errors = state["errors"]
    status: Status = "failed" if state["failed"] else "needs_review" if state["needs_review"] or errors else "ok"
    escalation = state["escalation"]
    specialist = services.specialist if escalation else None
    return {
        "result": TagResult(
            status=status,
            category=state["category"],
            details=state["details"] or {},
            absences=state["absences"],
            arm=context.arm,
            language=context.language,
            model=model_name(specialist.model) if specialist else answering_model(services, state, context),
            pictures=shown(state.get("pictures", ())),
            first_look=state["first_look"],
            escalation=escalation,
            versions=Versions(
                taxonomy=services.taxonomy.version,
                prompts=services.prompts[context.language].version,
                router=zero_shot_version(services.routes) if context.arm == "hybrid" else None,
            ),
            errors=errors,
        )
    }
