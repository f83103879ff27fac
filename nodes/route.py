"""A zero-shot classifier names the category: the arm hybrid, before any word is generated."""

from __future__ import annotations

import asyncio

from langgraph.runtime import Runtime

from onelook.answering.calibrated import routing
from onelook.answering.questions import has_details
from onelook.deadline import remaining_s
from onelook.errors import DeadlinePassed
from onelook.graph.state import State
from onelook.ledger.stamps import span
from onelook.services import Services
from onelook.types import Context, Tag


async def route(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """Name the category, if the router is sure enough; else leave it open, and the model will be asked for everything.

    Raises:
        ImageUnreadable: the picture was sent on as it came, and is broken inside.
        DeadlinePassed: the router gave no answer before the caller's deadline.
        EngineError: as the router raised it.
    """
    with span("pixels"):
        pictures = await asyncio.to_thread(lambda: [picture.pixels() for picture in state["pictures"]])
    with span("router"):
        timer = asyncio.timeout(remaining_s())
        try:
            async with timer:
                probabilities = await services.router.classify(pictures)
        except TimeoutError:
            if not timer.expired():
                raise
            raise DeadlinePassed(
                f"{services.router.model} gave no answer before the caller's deadline",
                hint="a slow router or a long queue: allow more time, or send fewer at once",
            ) from None
    probabilities, threshold = routing(services, probabilities)
    confidence, id_ = max(zip(probabilities, services.routes, strict=True), key=lambda pair: pair[0])
    if confidence < threshold:
        return {"category": None, "details": None, "routed": True}
    label = services.taxonomy.categories[id_].label[runtime.context.language]
    category = Tag(id=id_, label=label, confidence=confidence)
    return {"category": category, "details": None if has_details(services, category) else {}, "routed": True}
