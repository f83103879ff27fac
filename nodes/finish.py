"""The end of every way: what the run found, as one result."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.schema import Context, Status, TagResult, Versions
from graph.services import Services
from graph.state import State


async def finish(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """Build the result. Ledger and usage are filled in by the graph, which alone knows when this node ends."""
    context = runtime.context
    errors = state["errors"]
    # A specialist that fails leaves the first answer standing; any other error leaves none.
    failed = any(error.node != "escalate" for error in errors)
    status: Status = "failed" if failed else "needs_review" if state["needs_review"] or errors else "ok"
    escalation = state["escalation"]
    answering = services.specialist if escalation and services.specialist else services.engine
    return {
        "result": TagResult(
            status=status,
            category=state["category"],
            details=state["details"] or {},
            arm=context.arm,
            language=context.language,
            model=answering.model,
            escalation=escalation,
            versions=Versions(taxonomy=services.taxonomy.version, prompts=services.prompts[context.language].version),
            errors=errors,
        )
    }
