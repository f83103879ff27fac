"""Whether the answer can stand as it is. Pure: it looks at confidences only."""

from __future__ import annotations

from collections.abc import Iterator

from langgraph.runtime import Runtime

from graph.schema import Context
from graph.services import Services
from graph.state import State


def confidences(state: State) -> Iterator[float | None]:
    """The confidence of the category, of every value, and of every option that was read as absent."""
    if (category := state["category"]) is not None:
        yield category.confidence
    for tags in (state["details"] or {}).values():
        for tag in tags:
            yield tag.confidence
    yield from state["absences"]


async def review(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """The least sure label decides. An unknown confidence is not a high one: only a threshold of 0 lets it pass."""
    threshold = runtime.context.confidence_threshold
    return {"needs_review": any((value or 0.0) < threshold for value in confidences(state))}
