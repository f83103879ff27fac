"""The result of a run, from what its state knows."""

from __future__ import annotations

from onelook.answering.sizes import shown
from onelook.graph.arms import ARMS
from onelook.graph.state import State
from onelook.prompts.zero_shot import zero_shot_version
from onelook.result import TagResult, model_name
from onelook.services import Services
from onelook.types import Context, Status, Versions


def build_result(services: Services, state: State, context: Context, status: Status) -> TagResult:
    """The result; the graph adds ledger and usage, because it alone knows when the node ends."""
    return TagResult(
        status=status,
        category=state["category"],
        details=state["details"],
        absences=state["absences"],
        arm=context.arm,
        language=context.language,
        model=model_name(state["answered_by"] or services.engine.model),
        pictures=shown(state.get("pictures", ())),
        first_look=state["first_look"],
        escalation=state["escalation"],
        versions=Versions(
            taxonomy=services.taxonomy.version,
            prompts=services.prompts[context.language].version,
            router=zero_shot_version(services.routes) if ARMS[context.arm].routed else None,
        ),
        errors=state["errors"],
    )
