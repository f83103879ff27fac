"""A zero-shot classifier names the category before any token is generated: the arm `hybrid`."""

from __future__ import annotations

import asyncio

from langgraph.runtime import Runtime

from onelook.answering.calibration import routing
from onelook.answering.sizes import sized_by_category
from onelook.deadline import at_most, remaining_s
from onelook.errors import DeadlinePassed
from onelook.graph.arms import ARMS, way_to
from onelook.graph.state import State
from onelook.graph.ways import Way
from onelook.ledger.stamps import span
from onelook.services import Services
from onelook.settings.hints import set_to
from onelook.types import Context, Tag


async def route(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """Name the category if the router is sure enough; else the model is asked for everything.

    Raises:
        ImageUnreadable: a picture that was passed through unchanged is broken inside.
        DeadlinePassed: the router did not answer before the caller's deadline.
        EngineError: as the router raised it.
    """
    context = runtime.context
    arm = ARMS[context.arm]
    probabilities, threshold = routing(services, await _classify(services, state))
    confidence, id_ = max(zip(probabilities, services.routes, strict=True), key=lambda pair: pair[0])
    if confidence < threshold:
        why = f"the router gives {id_} {confidence:.2f}, below {threshold:.2f}"
        return _at_its_size(context, way_to(arm.entry_enlarged), {"way": "router not sure", "why": why})
    category = services.taxonomy.categories[id_]
    why = f"the router gives {id_} {confidence:.2f}"
    named: State = {
        "known": "category" if category.details else "answer",
        "category": Tag(id=id_, label=category.label[context.language], confidence=confidence),
        "answered_by": services.router.model,
    }
    if not category.details:
        return {**named, "way": "no details", "why": why}
    return {**named, **_at_its_size(context, "category known", {"way": "has details", "why": why})}


async def _classify(services: Services, state: State) -> tuple[float, ...]:
    with span("pixels"):
        pictures = await asyncio.to_thread(lambda: [picture.pixels() for picture in state["pictures"]])
    with span("router"):
        async with at_most(remaining_s(), lambda: _too_late(services)):
            return await services.router.classify(pictures)


def _too_late(services: Services) -> DeadlinePassed:
    return DeadlinePassed(
        f"{services.router.model} gave no answer before the caller's deadline",
        hint="the router is slow or its queue is long: allow more time (X-Timeout-Seconds: 60 up to"
        f" ONELOOK_HTTP__DEADLINE_S), or send fewer pictures at once, {set_to(ONELOOK_CONCURRENCY=2)}",
    )


def _at_its_size(context: Context, then: Way, update: State) -> State:
    """`update`, by way of `enlarge` where the category decides the size; `then` is the way from there."""
    if not sized_by_category(context) or context.adaptive:
        return update
    return {**update, "way": "size by category", "then": then}
