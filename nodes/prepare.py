"""From the references that came in to the pictures that are sent.

A run comes here once, unless it wants its pictures at another size: an adaptive run that was not sure of what it saw,
and the arm hybrid, where the category decides the size. What was decoded the first time is used again then.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import replace

from langgraph.runtime import Runtime

from onelook.answering.resolution import all_bounds, full_bounds, shown, sized_by_category
from onelook.engines.base import MAX_IMAGES
from onelook.errors import ImageRefused
from onelook.graph.instrument import begins_run
from onelook.graph.state import State, unanswered
from onelook.images.original import Original
from onelook.images.picture import Picture
from onelook.images.source import Loaded, describe, read
from onelook.ledger.stamps import span
from onelook.result import FirstLook
from onelook.services import Services
from onelook.settings.resolution import at_most
from onelook.types import Context, Tag


async def prepare(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """
    Raises:
        ImageError: a picture cannot be used, or there are none or too many; no engine is asked then.
    """
    context = runtime.context
    if not begins_run(state):
        return await _again(services, state, context)
    image = state.get("image", [])
    if not image and services.sample is not None:
        image = services.sample
    references = image if isinstance(image, list) else [image]
    if not 1 <= len(references) <= MAX_IMAGES:
        raise ImageRefused(
            f"{len(references)} pictures in one request, expected 1 to {MAX_IMAGES}",
            hint="several pictures of one subject go together; others are requests of their own",
        )
    originals, pictures = [], []
    for reference in references:  # one after another: they share the processor, and each has spans of its own
        data = await read(reference, services.limits)
        with span("transform"):
            original, picture = await asyncio.to_thread(_first_look, services, context, data, describe(reference))
        originals.append(original)
        pictures.append(picture)
    kept = originals if context.adaptive or sized_by_category(context) else []
    return {
        "originals": tuple(kept),
        "pictures": tuple(pictures),
        "run_key": _run_key(services, pictures, context),
    }


async def _again(services: Services, state: State, context: Context) -> State:
    """The pictures at full size; and where the answer is not sure, it is put aside as that of the first look."""
    category = state["category"]
    with span("transform"):
        pictures = [
            await asyncio.to_thread(_full_look, services, context, original, picture, category)
            for original, picture in zip(state["originals"], state["pictures"], strict=True)
        ]
    update: State = {"pictures": tuple(pictures), "run_key": _run_key(services, pictures, context)}
    if category is None or not state["needs_review"]:
        return update
    first = FirstLook(
        reason=state["hard"] or "",
        pictures=shown(state["pictures"]),
        category=category,
        details=state["details"] or {},
    )
    return {**unanswered(), **update, "first_look": first}


def _first_look(services: Services, context: Context, data: Loaded, name: str) -> tuple[Original, Picture]:
    up_to = all_bounds(services, context)
    original = Original(data, name=name, max_pixels=services.limits.max_pixels, up_to=up_to)
    small = at_most(services.settings.resolution.first_look)
    if sized_by_category(context):
        return original, original.picture(small)
    bounds, content = full_bounds(services, context, original, None)
    if context.adaptive:
        bounds = min(small, bounds, key=original.pixels)
    return original, replace(original.picture(bounds), content=content)


def _full_look(
    services: Services, context: Context, original: Original, picture: Picture, category: Tag | None
) -> Picture:
    bounds, content = full_bounds(services, context, original, category)
    if original.size(bounds) != (picture.width, picture.height):
        picture = original.picture(bounds)
    return replace(picture, content=content)


def _run_key(services: Services, pictures: Iterable[Picture], context: Context) -> str:
    """What an answer depends on, as far as it is known here. LangGraph's own key would leave out the context."""
    if services.settings.cache == "off":
        return ""
    seen = [hashlib.sha256(picture.data).hexdigest() for picture in pictures]
    prompts = services.prompts[context.language].version
    return hashlib.sha256(
        "\0".join([*seen, context.model_dump_json(), services.engine.model, prompts]).encode()
    ).hexdigest()
