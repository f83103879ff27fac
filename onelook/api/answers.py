"""What the routes answer, as types: for OpenAPI, and for whoever reads it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from onelook.api.problem import ProblemBody
from onelook.graph.arms import ArmName
from onelook.result import TagResult
from onelook.types import Answer, Frozen


class Compared(Frozen):
    """One arm's answer."""

    arm: ArmName
    result: TagResult
    parts: dict[str, float] = Field(
        description="The run taken apart, in milliseconds; their sum is the wall time.",
        examples=[{"prepare.transform": 7.9, "analyze.engine.first_token": 67.9, "scheduling": 3.0}],
    )


class Comparison(Frozen):
    """The arms' answers, in the order in which they ran."""

    arms: list[Compared]


class Progress(Frozen):
    done: int
    total: int


class BatchLine(Frozen):
    """A line of a batch's answer: `result`, or `problem` where there was no run to have one."""

    index: int = Field(description="Reservation of the picture in the request, from 0.")
    id: str = Field(description="The picture's id, or the name of its file.")
    progress: Progress
    result: TagResult | None = None
    problem: ProblemBody | None = None


class Options(Frozen):
    """What a run may choose here."""

    context: dict[str, Any] = Field(description="JSON Schema of the context, with this server's defaults.")
    arms: list[ArmName] = Field(description="The arms that can be run here.")
    model: str = Field(description="The engine's model; empty until a server has been asked for its only one.")
    note: str | None = Field(None, description="What to know before believing the answers.")


class SampleEntry(Frozen):
    """A picture to try, under GET /v1/samples/{name}."""

    name: str
    truth: Answer


class Health(Frozen):
    status: str
