"""From the reference that came in to the picture that is sent."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.schema import Context
from graph.services import Services
from graph.state import State
from images.prepare import load_picture


async def prepare(services: Services, state: State, runtime: Runtime[Context]) -> State:
    picture = await load_picture(state["image"], long_edge=runtime.context.long_edge, limits=services.limits)
    return {"picture": picture}
