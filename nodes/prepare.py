"""From the reference that came in to the picture that is sent."""

from __future__ import annotations

import hashlib

from langgraph.runtime import Runtime

from graph.schema import Context
from graph.services import Services
from graph.state import State
from images.picture import Picture
from images.prepare import load_picture


async def prepare(services: Services, state: State, runtime: Runtime[Context]) -> State:
    picture = await load_picture(state["image"], long_edge=runtime.context.long_edge, limits=services.limits)
    return {"picture": picture, "run_key": _run_key(services, picture, runtime.context)}


def _run_key(services: Services, picture: Picture, context: Context) -> str:
    """What an answer depends on, as far as it is known here. LangGraph's own key would leave out the context."""
    if services.settings.cache == "off":
        return ""
    seen = hashlib.sha256(picture.data)
    prompts = services.prompts[context.language].version
    seen.update("\0".join([context.model_dump_json(), services.engine.model, prompts]).encode())
    return seen.hexdigest()
