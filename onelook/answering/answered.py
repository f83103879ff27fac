"""Whose answer a run has so far."""

from __future__ import annotations

from pathlib import PurePath

from onelook.graph.state import State
from onelook.services import Services
from onelook.types import Context


def answering_model(services: Services, state: State, context: Context) -> str:
    """The first engine; in the arm hybrid the router, where it has said all that there was to say."""
    routed = context.arm == "hybrid" and state["category"] is not None and not state["replies"]
    return model_name(services.router.model if routed else services.engine.model)


def model_name(model: str) -> str:
    """As a result tells it: a folder by its own name, for results travel, and where it lies is nobody's business."""
    return PurePath(model).name if PurePath(model).is_absolute() else model
