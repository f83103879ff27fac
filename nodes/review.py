"""Whether the answer can stand. It looks at confidences and the taxonomy only."""

from __future__ import annotations

from langgraph.runtime import Runtime

from onelook.answering.calibration import thresholds
from onelook.answering.confidence import unsure_label
from onelook.answering.result import build_result
from onelook.answering.sizes import more_to_see
from onelook.graph.arms import ARMS, way_to
from onelook.graph.state import State, category_of
from onelook.graph.ways import Way
from onelook.services import Services
from onelook.types import Context


async def review(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """End the run, or lead to a larger picture or to the specialist."""
    category, context = category_of(state), runtime.context
    wanted = thresholds(services, context, services.engine)
    label = unsure_label(category, state["details"], state["absences"], wanted)
    unsure = label is not None
    if label is not None:
        why = f"the least sure label has {label.confidence:.2f}, below {label.threshold:.2f}"
    elif services.taxonomy.categories[category.id].specialist:
        why = f"the taxonomy marks {category.id} for the specialist"
    else:
        result = build_result(services, state, context, "ok")
        return {"way": "done", "why": f"every label has at least {min(wanted):.2f}", "result": result}
    hard = context.escalate and services.specialist is not None
    # The specialist, too, gets the pictures at full size.
    if context.adaptive and not state["enlarged"] and (unsure or hard) and more_to_see(services, state, context):
        then: Way = way_to(ARMS[context.arm].entry_enlarged) if unsure else "for the specialist"
        return {"way": "look again", "why": why, "then": then}
    if hard:
        return {"way": "hard", "why": why}
    result = build_result(services, state, context, "needs_review" if unsure else "ok")
    return {"way": "done", "why": why, "result": result}
