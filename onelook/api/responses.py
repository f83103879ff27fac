"""The response bodies of the routes, as types. OpenAPI describes them from here."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from onelook.api.problem import ProblemBody
from onelook.graph.arms import ArmName
from onelook.result import TagResult
from onelook.types import Answer, Frozen


class Compared(Frozen):
    """One arm's result: of several rounds the one with the median time; a failed one if all failed."""

    arm: ArmName
    result: TagResult
    parts: dict[str, float] = Field(
        description="The parts of the run in milliseconds; their sum is the wall time.",
        examples=[{"prepare.transform": 7.9, "analyze.engine.first_token": 67.9, "scheduling": 3.0}],
    )
    wall_ms: list[float] = Field(description="The wall time of each round that did not fail, in milliseconds.")


class TimeRatio(Frozen):
    """The time of an arm over that of another, in the same round."""

    arm: ArmName
    reference: ArmName
    median: float
    low: float | None = Field(
        description="`low` to `high` is an interval for the median, at 95 % for all arms together, whatever the times'"
        " distribution; one arm is faster where it leaves out 1. Null: the rounds are too few."
    )
    high: float | None


class Comparison(Frozen):
    """The arms' results, in the order of the first round."""

    arms: list[Compared]
    time_ratios: list[TimeRatio] = Field(
        description="Each arm beside the first one; an arm that failed in a round has none."
    )


class Progress(Frozen):
    done: int
    total: int


class BatchLine(Frozen):
    """A line of a batch's response: `result`, or `problem` if there was no run."""

    index: int = Field(description="Index of the picture in the request, from 0.")
    id: str = Field(description="The picture's id, or the name of its file in a form.")
    progress: Progress
    result: TagResult | None = None
    problem: ProblemBody | None = None


class Options(Frozen):
    """The choices of a run on this server."""

    context: dict[str, Any] = Field(description="JSON Schema of the context, with this server's defaults.")
    arms: list[ArmName] = Field(description="The arms that this server can run.")
    model: str = Field(description="The engine's model; empty until the engine's server has reported its only model.")
    note: str | None = Field(
        None, description="A warning about the answers, such as that they come from the demo model."
    )
    note_kind: str | None = Field(None, description="A stable name of the warning, such as demo_model.")


class SampleEntry(Frozen):
    """A sample picture, served at GET /v1/samples/{name}."""

    name: str
    truth: Answer


class Health(Frozen):
    status: str
