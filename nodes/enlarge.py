"""The pictures at another size: larger for a second pass or for the specialist, or as the category needs."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from langgraph.runtime import Runtime

from onelook.answering.sizes import full_bounds, shown
from onelook.graph.state import State, category_of, unanswered
from onelook.images.original import Original
from onelook.images.picture import Picture
from onelook.ledger.stamps import span
from onelook.result import FirstLook
from onelook.services import Services
from onelook.types import Context, Tag


async def enlarge(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """Prepare the pictures at full size from what is decoded already. It runs once at most.

    An answer that was not sure is kept as the first look, and the pictures count as unanswered again. An answer on its
    way to the specialist stays.

    Raises:
        ImageUnreadable: a picture is truncated or broken.
    """
    category = state["category"]
    with span("transform"):
        pictures = [
            await asyncio.to_thread(_resized, services, runtime.context, original, picture, category)
            for original, picture in zip(state["originals"], state["pictures"], strict=True)
        ]
    update: State = {
        "pictures": tuple(pictures),
        "enlarged": True,
        "way": state["then"],
        "why": state["why"],
    }
    if state["known"] != "answer" or state["then"] == "for the specialist":
        return update
    first = FirstLook(
        reason=state["why"], pictures=shown(state["pictures"]), category=category_of(state), details=state["details"]
    )
    return {**unanswered(), **update, "first_look": first}


def _resized(
    services: Services, context: Context, original: Original, picture: Picture, category: Tag | None
) -> Picture:
    bounds, content = full_bounds(services, context, original, category)
    if original.size(bounds) != (picture.width, picture.height):
        picture = original.picture(bounds)
    return replace(picture, content=content)
