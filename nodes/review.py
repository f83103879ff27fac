"""Whether the answer can stand as it is. Pure: it looks at confidences and at the taxonomy only."""

from __future__ import annotations

from collections.abc import Iterator

from langgraph.runtime import Runtime

from onelook.answering.calibrated import confidence_threshold
from onelook.answering.reading import Details
from onelook.answering.resolution import more_to_see
from onelook.graph.state import State
from onelook.services import Services
from onelook.types import Context, Tag


def least_sure(category: Tag, details: Details, absences: Details | None = None) -> float:
    """The smallest confidence of the category, the values, and the options that were read as absent.

    An unknown confidence is not a high one: it counts as 0, so only a threshold of 0 lets it pass.
    """

    def each() -> Iterator[float | None]:
        yield category.confidence
        for tags in (*details.values(), *(absences or {}).values()):
            for tag in tags:
                yield tag.confidence

    return min(confidence or 0.0 for confidence in each())


async def review(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """Say whether the answer is too unsure to stand, whether a specialist should look, and why; and whether larger
    pictures should be looked at before."""
    category, context = state["category"], runtime.context
    threshold = confidence_threshold(services, context, services.engine)
    if category is None:
        raise RuntimeError("review runs after the category is known")
    least = least_sure(category, state["details"] or {}, state["absences"])
    hard = None
    if least < threshold:
        hard = f"the least sure label has {least:.2f}, below {threshold:.2f}"
    elif services.taxonomy.categories[category.id].specialist:
        hard = f"the taxonomy leaves {category.id} to the specialist"
    unsure = least < threshold
    # One more look at most; and where a specialist shall look, it is to see what there is.
    curious = context.adaptive and state["first_look"] is None and (unsure or asks_specialist(services, hard, context))
    return {"needs_review": unsure, "hard": hard, "look_again": curious and more_to_see(services, state, context)}


def asks_specialist(services: Services, hard: str | None, context: Context) -> bool:
    """Whether a picture that is hard for this reason goes to a specialist."""
    return hard is not None and context.escalate and services.specialist is not None
