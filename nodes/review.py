"""Whether the answer can stand as it is. Pure: it looks at confidences and at the taxonomy only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from langgraph.runtime import Runtime

from graph.schema import Context, Tag
from graph.services import Services
from graph.state import State
from nodes.reading import Details


def least_sure(category: Tag, details: Details, absences: Iterable[float | None] = ()) -> float:
    """The smallest confidence of the category, the values, and the options that were read as absent.

    An unknown confidence is not a high one: it counts as 0, so only a threshold of 0 lets it pass.
    """

    def each() -> Iterator[float | None]:
        yield category.confidence
        for tags in details.values():
            for tag in tags:
                yield tag.confidence
        yield from absences

    return min(confidence or 0.0 for confidence in each())


async def review(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """Say whether a person should look at the answer, and whether a specialist should, and why."""
    category, threshold = state["category"], runtime.context.confidence_threshold
    if category is None:
        raise RuntimeError("review runs after the category is known")
    least = least_sure(category, state["details"] or {}, state["absences"])
    hard = None
    if least < threshold:
        hard = f"the least sure label has {least:.2f}, below {threshold:.2f}"
    elif services.taxonomy.categories[category.id].specialist:
        hard = f"the taxonomy leaves {category.id} to the specialist"
    return {"needs_review": least < threshold, "hard": hard}
