"""From the references that came in to the pictures that are sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from langgraph.runtime import Runtime

from engines.contract import MAX_IMAGES
from graph.errors import ImageRefused
from graph.schema import Context
from graph.services import Services
from graph.state import State
from images.picture import Picture
from images.prepare import load_picture


async def prepare(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """Load the pictures one after another: they share the processor, and each has its own spans in the ledger.

    Raises:
        ImageError: one of them cannot be used, or there are none or too many; no engine is asked then.
    """
    references = state["image"] if isinstance(state["image"], list) else [state["image"]]
    if not 1 <= len(references) <= MAX_IMAGES:
        raise ImageRefused(
            f"{len(references)} pictures in one request, expected 1 to {MAX_IMAGES}",
            hint="several pictures of one subject go together; others are requests of their own",
        )
    context = runtime.context
    pictures = [
        await load_picture(reference, long_edge=context.long_edge, limits=services.limits) for reference in references
    ]
    return {"pictures": tuple(pictures), "run_key": _run_key(services, pictures, context)}


def _run_key(services: Services, pictures: Iterable[Picture], context: Context) -> str:
    """What an answer depends on, as far as it is known here. LangGraph's own key would leave out the context."""
    if services.settings.cache == "off":
        return ""
    seen = [hashlib.sha256(picture.data).hexdigest() for picture in pictures]
    prompts = services.prompts[context.language].version
    return hashlib.sha256(
        "\0".join([*seen, context.model_dump_json(), services.engine.model, prompts]).encode()
    ).hexdigest()
