"""Whose answer a run has so far."""

from __future__ import annotations

from graph.schema import Context
from graph.services import Services
from graph.state import State


def answering_model(services: Services, state: State, context: Context) -> str:
    """The first engine; in the arm hybrid the router, where it has said all that there was to say."""
    routed = context.arm == "hybrid" and state["category"] is not None and not state["replies"]
    return services.router.model if routed else services.engine.model
